/** TLS towards a server: HAProxy's server … ssl. */
export interface ServerTlsConfig {
  /** Whether its certificate has to be signed by somebody who is trusted, and to have its name. */
  readonly verify: "required" | "none";
  /** PEM file of those who are trusted. Left out: Node's own list. */
  readonly caFile?: string;
  /** The name that is asked for and has to be in its certificate. Left out: the server's host name; an address has none. */
  readonly sni?: string;
  /** PEM file of this side's certificate and key. Left out: none is shown. */
  readonly crt?: string;
}

/** TLS towards the clients of one listening address: HAProxy's bind … ssl. */
export interface BindTlsConfig {
  /** PEM files and directories of them; the first certificate is for clients that name no other. */
  readonly crt: readonly string[];
  /** Protocols offered, best first. Left out: the client's wish is passed over. */
  readonly alpn?: readonly string[];
  /** Left out: TLSv1.2. */
  readonly minVersion?: "TLSv1.3";
  /** OpenSSL's list for TLS 1.2. Left out: Node's. */
  readonly ciphers?: string;
  /** Whom clients have to be certified by. Left out: no certificate is asked for. */
  readonly clients?: ClientVerification;
  /** Who names no server, or one that no certificate is for, is refused. */
  readonly strictSni?: true;
}

/** HAProxy's bind … verify, ca-file, crl-file. */
export interface ClientVerification {
  /** `optional`: who shows none may come as well. */
  readonly verify: "optional" | "required";
  /** PEM file of those who sign the clients' certificates. */
  readonly caFile: string;
  /** PEM file with a list of revoked certificates of each of them. Left out: none is revoked. */
  readonly crlFile?: string;
}
