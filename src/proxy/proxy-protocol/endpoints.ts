/** One side of a TCP connection; `address` is an IPv4 or IPv6 literal, IPv4-mapped IPv6 shown as IPv4. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A connection as its two sides name it: who came, and where to. */
export interface Endpoints {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}
