/**
 * Which of several certificates a client gets that names a server (SNI, RFC 6066 §3): the one with that very name, else one
 * with a wildcard in place of its first label, else the first. Where two have the same name the earlier one counts, as in
 * HAProxy. Pure.
 */
export class CertificateNames {
  private readonly places = new Map<string, number>();

  /** `names`: those of each certificate, in lower case. */
  constructor(names: readonly (readonly string[])[]) {
    for (const [place, ofOne] of names.entries()) {
      for (const name of ofOne) if (!this.places.has(name)) this.places.set(name, place);
    }
  }

  /** Place of the certificate for a server's name, in any case, with or without a dot at its end; the first: there is none. */
  placeOf(serverName: string): number {
    return this.find(serverName) ?? 0;
  }

  /** Whether there is a certificate for a server's name. */
  has(serverName: string): boolean {
    return this.find(serverName) !== undefined;
  }

  private find(serverName: string): number | undefined {
    const name = serverName.toLowerCase().replace(/\.$/, "");
    const exact = this.places.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    return dot < 0 ? undefined : this.places.get(`*${name.slice(dot)}`);
  }
}
