/** The other routers of a virtual router: who was heard, with which priority, when. */
export interface Partner {
  readonly address: string;
  /** As last advertised; 0: it gave mastership up. */
  readonly priority: number;
  /** Monotonic ms. */
  readonly lastHeardMs: number;
}

/** Most recently heard first. */
export type Partners = readonly Partner[];

/** A virtual router has two to four members; more than this is noise or an attack, and memory stays bounded. */
const mostPartners = 16;

export function heard(partners: Partners, partner: Partner): Partners {
  const others = partners.filter((known) => known.address !== partner.address);
  return [partner, ...others].slice(0, mostPartners);
}
