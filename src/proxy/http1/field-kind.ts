/**
 * The few fields that a proxy itself acts upon. Everything else is `other` and passes through.
 */
import { ascii, equalsWord } from "./byte-class.js";

export const FieldKind = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  proxyAuthorization: 7,
  proxyAuthenticate: 8,
  proxyAuthenticationInfo: 9,
  te: 10,
  upgrade: 11,
  trailer: 12,
  expect: 13,
  xForwardedProto: 14,
  xForwardedFor: 15,
  http2Settings: 16,
} as const;

export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

const HOST = ascii("host");
const CONTENT_LENGTH = ascii("content-length");
const TRANSFER_ENCODING = ascii("transfer-encoding");
const CONNECTION = ascii("connection");
const KEEP_ALIVE = ascii("keep-alive");
const PROXY_CONNECTION = ascii("proxy-connection");
const PROXY_AUTHORIZATION = ascii("proxy-authorization");
const PROXY_AUTHENTICATE = ascii("proxy-authenticate");
const PROXY_AUTHENTICATION_INFO = ascii("proxy-authentication-info");
const TE = ascii("te");
const UPGRADE = ascii("upgrade");
const TRAILER = ascii("trailer");
const EXPECT = ascii("expect");
const X_FORWARDED_PROTO = ascii("x-forwarded-proto");
const X_FORWARDED_FOR = ascii("x-forwarded-for");
const HTTP2_SETTINGS = ascii("http2-settings");

/** Which of the known fields the name `bytes[start, end)` is, in any case. The length settles most of them. */
export function fieldKindOf(bytes: Uint8Array, start: number, end: number): FieldKind {
  switch (end - start) {
    case 2:
      return equalsWord(bytes, start, end, TE) ? FieldKind.te : FieldKind.other;
    case 4:
      return equalsWord(bytes, start, end, HOST) ? FieldKind.host : FieldKind.other;
    case 6:
      return equalsWord(bytes, start, end, EXPECT) ? FieldKind.expect : FieldKind.other;
    case 7:
      if (equalsWord(bytes, start, end, UPGRADE)) return FieldKind.upgrade;
      return equalsWord(bytes, start, end, TRAILER) ? FieldKind.trailer : FieldKind.other;
    case 10:
      if (equalsWord(bytes, start, end, CONNECTION)) return FieldKind.connection;
      return equalsWord(bytes, start, end, KEEP_ALIVE) ? FieldKind.keepAlive : FieldKind.other;
    case 14:
      if (equalsWord(bytes, start, end, CONTENT_LENGTH)) return FieldKind.contentLength;
      return equalsWord(bytes, start, end, HTTP2_SETTINGS) ? FieldKind.http2Settings : FieldKind.other;
    case 15:
      return equalsWord(bytes, start, end, X_FORWARDED_FOR) ? FieldKind.xForwardedFor : FieldKind.other;
    case 16:
      return equalsWord(bytes, start, end, PROXY_CONNECTION) ? FieldKind.proxyConnection : FieldKind.other;
    case 17:
      if (equalsWord(bytes, start, end, TRANSFER_ENCODING)) return FieldKind.transferEncoding;
      return equalsWord(bytes, start, end, X_FORWARDED_PROTO) ? FieldKind.xForwardedProto : FieldKind.other;
    case 18:
      return equalsWord(bytes, start, end, PROXY_AUTHENTICATE)
        ? FieldKind.proxyAuthenticate
        : FieldKind.other;
    case 19:
      return equalsWord(bytes, start, end, PROXY_AUTHORIZATION)
        ? FieldKind.proxyAuthorization
        : FieldKind.other;
    case 25:
      return equalsWord(bytes, start, end, PROXY_AUTHENTICATION_INFO)
        ? FieldKind.proxyAuthenticationInfo
        : FieldKind.other;
    default:
      return FieldKind.other;
  }
}
