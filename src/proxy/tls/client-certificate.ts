/** What rules may say of a client's certificate, in printable ASCII. */
export interface ClientCertificate {
  /** In OpenSSL's one line, `/O=Org/CN=ann`, as HAProxy's ssl_c_s_dn has it. */
  readonly subject: string;
  /** Empty: it has none. */
  readonly commonName: string;
  /** Who signed it, in the same forms. */
  readonly issuer: string;
  readonly issuerCommonName: string;
  /** Hexadecimal digits in upper case. */
  readonly serial: string;
  readonly sha1: string;
  /** `YYMMDDhhmmssZ`, as X.509 writes it. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Base64 of the whole. */
  der(): string;
}

/** What is read of Node's X509Certificate. */
export interface ShownCertificate {
  /** `O=Org`, a newline, `CN=ann`. */
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  /** SHA-1, `AB:CD:…`. */
  readonly fingerprint: string;
  /** `Nov 29 08:29:13 2026 GMT`. */
  readonly validFrom: string;
  readonly validTo: string;
  readonly raw: Uint8Array;
}

/** Pure. */
export function readCertificate(shown: ShownCertificate): ClientCertificate {
  const [subject, issuer] = [readName(shown.subject), readName(shown.issuer)];
  return {
    subject: subject.line,
    commonName: subject.commonName,
    issuer: issuer.line,
    issuerCommonName: issuer.commonName,
    serial: shown.serialNumber.toUpperCase(),
    sha1: shown.fingerprint.replaceAll(":", ""),
    notBefore: describeTime(shown.validFrom),
    notAfter: describeTime(shown.validTo),
    der: () => Buffer.from(shown.raw).toString("base64"),
  };
}

/** Whose name it is. */
function readName(name: string): { readonly line: string; readonly commonName: string } {
  const parts = name.split("\n").map(printable);
  const common = parts.findLast((part) => part.startsWith("CN="));
  return { line: parts.map((part) => `/${part}`).join(""), commonName: common?.slice(3) ?? "" };
}

/** UTCTime, and from 2050 on GeneralizedTime with its four digits of the year (RFC 5280 §4.1.2.5). */
function describeTime(text: string): string {
  const found = /^(\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) (\d{4}) GMT$/.exec(text);
  if (found === null) return "";
  const [, month, day, hour, minute, second, year] = found;
  const two = (number: number | string): string => String(number).padStart(2, "0");
  const digits = [two(months.indexOf(month) + 1), two(day), hour, minute, second].join("");
  return `${Number(year) < 2050 ? year.slice(2) : year}${digits}Z`;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** What cannot stand in a field does not come into one. */
export function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

/** What both sides of TLS have agreed on, for rules. */
export interface AgreedTls {
  /** The name that the client asked for; empty: none. */
  readonly serverName: string;
  /** `TLSv1.3`. */
  readonly version: string;
  /** OpenSSL's name of it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** `h2`; empty: nothing. */
  readonly alpn: string;
}
