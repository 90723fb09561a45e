import { formatIpLiteral, parseIpLiteral } from "../../netlink/ip-literal.js";
import type { Endpoints } from "./endpoints.js";

/**
 * The PROXY protocol's header, versions 1 and 2, as a receiver reads it (HAProxy's doc/proxy-protocol.txt, sections 2.1
 * and 2.2). Pure.
 */

/** "\r\n\r\n\0\r\nQUIT\n": what no other protocol begins with. */
export const signatureV2 = Uint8Array.of(
  0x0d,
  0x0a,
  0x0d,
  0x0a,
  0x00,
  0x0d,
  0x0a,
  0x51,
  0x55,
  0x49,
  0x54,
  0x0a,
);

/** The longest line of version 1, its CRLF included. */
const longestLine = 107;
const fixedBytesV2 = 16;
/** The longest header of version 2 that is waited for: HAProxy's buffer. */
const longestV2 = 16_384;

export type ProxyHeader =
  /** So far it may become one. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "refused"; readonly reason: Refusal }
  /** `ends`: whom the connection is said to be of; null: it is the sender's own (LOCAL, UNKNOWN, no TCP over IP). */
  | { readonly kind: "header"; readonly end: number; readonly ends: Endpoints | null };

/** no-header: it begins otherwise. invalid: it begins so, and breaks a rule. */
export type Refusal = "no-header" | "invalid";

const incomplete: ProxyHeader = { kind: "incomplete" };
const noHeader: ProxyHeader = { kind: "refused", reason: "no-header" };
const invalid: ProxyHeader = { kind: "refused", reason: "invalid" };

/** Reads the header at the beginning of `bytes[start, end)`; what follows it begins at the result's `end`. */
export function parseProxyHeader(bytes: Uint8Array, start: number, end: number): ProxyHeader {
  if (start === end) return incomplete;
  if (bytes[start] === signatureV2[0]) return parseV2(bytes, start, end);
  return parseV1(bytes, start, end);
}

// —— version 1: one line of text ——

const line = /^PROXY (?:UNKNOWN(?: .*)?|(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/s;

function parseV1(bytes: Uint8Array, start: number, end: number): ProxyHeader {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, longestLine));
  const lead = text.toString("latin1", 0, 6);
  if (!"PROXY ".startsWith(lead)) return noHeader;
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd < 0) return text.length < longestLine ? incomplete : invalid;
  const match = line.exec(text.toString("latin1", 0, lineEnd));
  if (match === null) return invalid;
  const [, family, from, to, fromPort, toPort] = match;
  const headerEnd = start + lineEnd + 2;
  if (family === undefined) return { kind: "header", end: headerEnd, ends: null };
  const bytesOfAddress = family === "TCP4" ? 4 : 16;
  const [source, destination] = [parseIpLiteral(from), parseIpLiteral(to)];
  if (source?.length !== bytesOfAddress || destination?.length !== bytesOfAddress) return invalid;
  if (Number(fromPort) > 65_535 || Number(toPort) > 65_535) return invalid;
  return {
    kind: "header",
    end: headerEnd,
    ends: {
      source: { address: literal(source), port: Number(fromPort) },
      destination: { address: literal(destination), port: Number(toPort) },
    },
  };
}

// —— version 2: binary ——

const Command = { local: 0x20, proxy: 0x21 } as const;
/** Address family and transport: TCP over IPv4, TCP over IPv6. */
const Family = { tcp4: 0x11, tcp6: 0x21 } as const;

function parseV2(bytes: Uint8Array, start: number, end: number): ProxyHeader {
  for (let i = 0; i < signatureV2.length; i++) {
    if (start + i === end) return incomplete;
    if (bytes[start + i] !== signatureV2[i]) return noHeader;
  }
  if (end - start < fixedBytesV2) return incomplete;
  const command = bytes[start + 12];
  const family = bytes[start + 13];
  const length = (bytes[start + 14] << 8) | bytes[start + 15];
  if (command !== Command.local && command !== Command.proxy) return invalid;
  if (fixedBytesV2 + length > longestV2) return invalid;
  const headerEnd = start + fixedBytesV2 + length;
  const isOfTcp = command === Command.proxy && (family === Family.tcp4 || family === Family.tcp6);
  const addressBytes = family === Family.tcp4 ? 4 : 16;
  const at = start + fixedBytesV2;
  const blockBytes = isOfTcp ? 2 * addressBytes + 4 : 0;
  if (length < blockBytes) return invalid;
  if (end < headerEnd) return incomplete;
  if (!isOfTcp) return { kind: "header", end: headerEnd, ends: null };
  if (!areFields(bytes, at + blockBytes, headerEnd)) return invalid;
  const port = (offset: number): number => (bytes[offset] << 8) | bytes[offset + 1];
  const portsAt = at + 2 * addressBytes;
  return {
    kind: "header",
    end: headerEnd,
    ends: {
      source: { address: literal(bytes.subarray(at, at + addressBytes)), port: port(portsAt) },
      destination: {
        address: literal(bytes.subarray(at + addressBytes, portsAt)),
        port: port(portsAt + 2),
      },
    },
  };
}

/** Type, length, value, one behind the other (section 2.2.): passed over, whatever they say. */
function areFields(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at + 3 <= end) at += 3 + ((bytes[at + 1] << 8) | bytes[at + 2]);
  return at === end;
}

/** In the form in which the engines tell addresses. */
function literal(bytes: Uint8Array): string {
  const isMapped =
    bytes.length === 16 &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((b) => b === 0);
  return formatIpLiteral(isMapped ? bytes.subarray(12) : bytes);
}
