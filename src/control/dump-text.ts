/** HAProxy's lines of a dump hold so many characters, the offset in front included. */
const lineCharacters = 79;
const escapes: Readonly<Record<number, string>> = {
  9: "\\t",
  10: "\\n",
  13: "\\r",
  27: "\\e",
  92: "\\\\",
};

/**
 * HAProxy's dump of bytes as text (`dump_text_line`): lines as they are in the bytes, each with its offset, the rest of a long one behind a
 * `+`; what is no printable ASCII is escaped.
 */
export function dumpText(bytes: Uint8Array): string {
  let text = "";
  let line = "";
  let isNewLine = true;
  const prefix = (offset: number): string => `  ${String(offset).padStart(5, "0")}${isNewLine ? " " : "+"} `;
  for (let p = 0; p < bytes.length; p++) {
    const shown = escaped(bytes[p]);
    if (line !== "" && line.length + shown.length > lineCharacters) {
      text += `${line}\n`;
      line = "";
      isNewLine = false;
    }
    if (line === "") line = prefix(p);
    line += shown;
    if (bytes[p] !== 0x0a) continue;
    text += `${line}\n`;
    line = "";
    isNewLine = true;
  }
  return line === "" ? text : `${text}${line}\n`;
}

function escaped(byte: number): string {
  const known = escapes[byte];
  if (known !== undefined) return known;
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
