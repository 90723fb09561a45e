/** What rules may say of a client's certificate. */
export interface ClientCertificate {
  /** Its subject in OpenSSL's one line, `/O=Org/CN=ann`, as HAProxy's ssl_c_s_dn has it; printable ASCII. */
  readonly subject: string;
  /** Empty: it has none. */
  readonly commonName: string;
}

/** Whose certificate it is, from `X509Certificate.subject`: `O=Org`, a newline, `CN=ann`. Pure. */
export function readSubject(subject: string): ClientCertificate {
  const parts = subject.split("\n").map((part) => part.replace(/[^ -~]/g, "?"));
  const name = parts.findLast((part) => part.startsWith("CN="));
  return { subject: parts.map((part) => `/${part}`).join(""), commonName: name?.slice(3) ?? "" };
}
