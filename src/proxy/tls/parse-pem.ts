/** The blocks of a PEM file that a server needs (RFC 7468). Pure. */
export interface PemBlocks {
  /** In their order, each with its newline. */
  readonly certificates: readonly string[];
  /** The first one; null: there is none. */
  readonly key: string | null;
  /** Lists of revoked certificates. */
  readonly revocations: readonly string[];
}

export function parsePem(text: string): PemBlocks {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g)];
  const certificates = blocks.filter(([, label]) => /^(X509 |TRUSTED )?CERTIFICATE$/.test(label));
  const revocations = blocks.filter(([, label]) => label === "X509 CRL");
  const key = blocks.find(([, label]) => /(^| )PRIVATE KEY$/.test(label));
  return {
    certificates: certificates.map(([block]) => `${block}\n`),
    revocations: revocations.map(([block]) => `${block}\n`),
    key: key === undefined ? null : `${key[0]}\n`,
  };
}
