import type { TemplateWord, TextTemplate } from "../../config/text-template.js";
import type { RequestFacts } from "./request-facts.js";

/** The request's texts hold no control bytes, so a filled-in text is one line. */
export function fillIn(template: TextTemplate, facts: RequestFacts): string {
  return template.map((part) => (typeof part === "string" ? part : textOf(part.word, facts))).join("");
}

const truth = (value: boolean): string => (value ? "1" : "0");

function textOf(word: TemplateWord, facts: RequestFacts): string {
  switch (word) {
    case "src":
      return facts.source;
    case "scheme":
      return facts.overTls ? "https" : "http";
    case "host":
      return facts.host;
    case "method":
      return facts.method;
    case "path":
      return facts.path;
    case "query":
      return facts.query;
    case "ssl_c_s_dn":
      return facts.certificate?.subject ?? "";
    case "ssl_c_s_dn(cn)":
      return facts.certificate?.commonName ?? "";
    case "ssl_c_i_dn":
      return facts.certificate?.issuer ?? "";
    case "ssl_c_i_dn(cn)":
      return facts.certificate?.issuerCommonName ?? "";
    case "ssl_c_serial,hex":
      return facts.certificate?.serial ?? "";
    case "ssl_c_sha1,hex":
      return facts.certificate?.sha1 ?? "";
    case "ssl_c_notbefore":
      return facts.certificate?.notBefore ?? "";
    case "ssl_c_notafter":
      return facts.certificate?.notAfter ?? "";
    case "ssl_c_der,base64":
      return facts.certificate?.der() ?? "";
    case "ssl_c_verify":
      // Whose certificate is not good has not come as far as this.
      return facts.overTls ? "0" : "";
    case "ssl_c_used":
      return facts.overTls ? truth(facts.certificate !== null) : "";
    case "ssl_fc":
      return truth(facts.overTls);
    case "ssl_fc_sni":
      return facts.agreed?.serverName ?? "";
    case "ssl_fc_protocol":
      return facts.agreed?.version ?? "";
    case "ssl_fc_cipher":
      return facts.agreed?.cipher ?? "";
    case "ssl_fc_alpn":
      return facts.agreed?.alpn ?? "";
    case "url":
      return `${facts.path}${facts.query}`;
  }
}
