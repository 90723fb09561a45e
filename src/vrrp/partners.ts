/** The other routers of a virtual router: who was heard, with which priority, when. */
export interface Partner {
  readonly address: string;
  /** As last advertised; 0: it gave mastership up. */
  readonly priority: number;
  /** The highest that it ever advertised: what it is worth when nothing is wrong with it. */
  readonly highestPriority: number;
  /** Monotonic ms. */
  readonly lastHeardMs: number;
}

/** Most recently heard first. */
export type Partners = readonly Partner[];

/** A virtual router has two to four members; more than this is noise or an attack, and memory stays bounded. */
const mostPartners = 16;

export function heard(partners: Partners, advert: Omit<Partner, "highestPriority">): Partners {
  const known = partners.find(({ address }) => address === advert.address);
  const others = partners.filter((partner) => partner !== known);
  const highestPriority = Math.max(advert.priority, known?.highestPriority ?? 0);
  return [{ ...advert, highestPriority }, ...others].slice(0, mostPartners);
}
