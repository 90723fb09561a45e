/**
 * What each byte may stand for, as one table of bits, so that a scan asks once per byte.
 */

/** `tchar` of RFC 9110 §5.6.2: what methods and field names are made of. */
export const TOKEN = 1;
/** What a field value may hold: HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5). No other control bytes. */
export const VALUE = 2;
/** What we let a request target hold: visible ASCII but `#`, which never travels (RFC 9112 §3.2). */
export const TARGET = 4;
/** `unreserved` and `sub-delims` of RFC 3986: a registered name without its percent-encoded triplets. */
export const REG_NAME = 8;
export const DIGIT = 16;
export const HEX = 32;

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const QUESTION = 0x3f;
export const LEFT_BRACKET = 0x5b;
export const RIGHT_BRACKET = 0x5d;

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";

export const byteClass = buildTable();

function buildTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (chars: string, bit: number): void => {
    for (let i = 0; i < chars.length; i++) table[chars.charCodeAt(i)]! |= bit;
  };
  for (let byte = 0; byte < 256; byte++) {
    if (byte === HTAB || (byte >= SP && byte !== 0x7f)) table[byte]! |= VALUE;
    if (byte > SP && byte < 0x7f && byte !== HASH) table[byte]! |= TARGET;
  }
  mark(`${letters + digits}!#$%&'*+-.^_\`|~`, TOKEN);
  mark(`${letters + digits}-._~!$&'()*+,;=`, REG_NAME);
  mark(digits, DIGIT);
  mark(`${digits}abcdefABCDEF`, HEX);
  return table;
}

/** Value of a hexadecimal digit; the caller has checked that it is one. */
export function hexValue(byte: number): number {
  return byte <= 0x39 ? byte - ZERO : (byte | 0x20) - 0x57;
}

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/**
 * Whether `bytes[start, end)` is `word` in any case. `word` is lower-case letters, digits and `-`; the range
 * holds no control bytes but HTAB, so `| 0x20` cannot turn a foreign byte into one of the word.
 */
export function equalsWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  const length = word.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) {
    if ((bytes[start + i]! | 0x20) !== word[i]) return false;
  }
  return true;
}

/** A byte in lower case. */
export function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** Whether two ranges hold the same text in any case. */
export function equalsIgnoringCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  otherStart: number,
  otherEnd: number,
): boolean {
  const length = end - start;
  if (otherEnd - otherStart !== length) return false;
  for (let i = 0; i < length; i++) {
    if (lower(bytes[start + i]!) !== lower(bytes[otherStart + i]!)) return false;
  }
  return true;
}
