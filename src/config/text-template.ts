/** What a text of a rule may take from the request, in the words of HAProxy's fetches. */
export const templateWords = [
  "src",
  "scheme",
  "host",
  "method",
  "path",
  "query",
  "url",
  "ssl_c_s_dn",
  "ssl_c_s_dn(cn)",
  "ssl_c_i_dn",
  "ssl_c_i_dn(cn)",
  "ssl_c_serial,hex",
  "ssl_c_sha1,hex",
  "ssl_c_notbefore",
  "ssl_c_notafter",
  "ssl_c_der,base64",
  "ssl_c_verify",
  "ssl_c_used",
  "ssl_fc",
  "ssl_fc_sni",
  "ssl_fc_protocol",
  "ssl_fc_cipher",
  "ssl_fc_alpn",
] as const;
export type TemplateWord = (typeof templateWords)[number];

/** Text, and between its pieces what is filled in for each request. */
export type TextTemplate = readonly (string | { readonly word: TemplateWord })[];

/** `https://%[host]%[url]`. Returns the word that is none as text. */
export function parseTextTemplate(text: string): TextTemplate | { readonly unknown: string } {
  const parts: (string | { readonly word: TemplateWord })[] = [];
  for (const piece of text.split(/(%\[[^\]]*\])/)) {
    if (!piece.startsWith("%[")) {
      if (piece !== "") parts.push(piece);
      continue;
    }
    const name = piece.slice(2, -1);
    const word = templateWords.find((known) => known === name);
    if (word === undefined) return { unknown: name };
    parts.push({ word });
  }
  return parts;
}

export function describeTextTemplate(template: TextTemplate): string {
  return template.map((part) => (typeof part === "string" ? part : `%[${part.word}]`)).join("");
}
