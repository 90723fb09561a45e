import type { TemplateWord, TextTemplate } from "../../config/text-template.js";
import type { RequestFacts } from "./request-facts.js";

/** The request's texts hold no control bytes, so a filled-in text is one line. */
export function fillIn(template: TextTemplate, facts: RequestFacts): string {
  return template.map((part) => (typeof part === "string" ? part : textOf(part.word, facts))).join("");
}

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
    case "url":
      return `${facts.path}${facts.query}`;
  }
}
