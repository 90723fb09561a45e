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
}
