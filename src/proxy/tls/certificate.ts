/** A certificate that clients are shown, with its key. */
export interface Certificate {
  readonly file: string;
  /** PEM: the server's own certificate, then those that sign it. */
  readonly chain: string;
  /** PEM, not encrypted. */
  readonly key: string;
  /** DNS names in lower case, such as `www.example.org` and `*.example.org`. */
  readonly names: readonly string[];
}

/** What was read, by the paths that the configuration names. */
export interface Certificates {
  /** One for a file, several for a directory. */
  readonly byPath: ReadonlyMap<string, readonly Certificate[]>;
  /** PEM of those who are trusted to sign others' certificates, and of lists of what they have revoked. */
  readonly authorities: ReadonlyMap<string, string>;
}

/** What a connection's `closed` tells of a client whose certificate is not good. */
export const certificateRefused = "ERR_CLIENT_CERTIFICATE";

export const noCertificates: Certificates = { byPath: new Map(), authorities: new Map() };

/** What all data threads have in common for TLS. */
export interface ThreadTls {
  readonly certificates: Certificates;
  /** 48 bytes that session tickets are sealed with, so that each thread resumes what another began. */
  readonly ticketKeys: Uint8Array;
}

export const noTls: ThreadTls = { certificates: noCertificates, ticketKeys: new Uint8Array(48) };

/** Those of one address, in the order of its `crt`. */
export function certificatesOf(crt: readonly string[], all: Certificates): Certificate[] {
  return crt.flatMap((path) => all.byPath.get(path) ?? []);
}

/** Whether the same is shown and trusted with both. */
export function sameCertificates(a: Certificates, b: Certificates): boolean {
  const text = ({ byPath, authorities }: Certificates): string =>
    JSON.stringify([
      [...byPath].map(([path, found]) => [path, found.map(({ chain, key }) => [chain, key])]).sort(),
      [...authorities].sort(),
    ]);
  return text(a) === text(b);
}
