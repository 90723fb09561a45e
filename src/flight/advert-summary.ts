import { formatIpLiteral } from "../netlink/ip-literal.js";

/** What a reader wants to know of a recorded advert. */
export interface AdvertSummary {
  readonly source: string;
  readonly destination: string;
  readonly virtualRouterId: number;
  readonly version: number;
  /** 0: its sender gives mastership up. */
  readonly priority: number;
}

const authenticationHeader = 51;

/** Reads the heads of a recorded datagram; null: it is none of VRRP. Pure. */
export function summarizeAdvert(datagram: Uint8Array): AdvertSummary | null {
  const isV6 = datagram[0] >> 4 === 6;
  let at = isV6 ? 40 : (datagram[0] & 15) * 4;
  const source = isV6 ? datagram.subarray(8, 24) : datagram.subarray(12, 16);
  const destination = isV6 ? datagram.subarray(24, 40) : datagram.subarray(16, 20);
  // RFC 4302 §2.2: the length counts 32-bit words, less 2.
  if (!isV6 && datagram[9] === authenticationHeader) at += (datagram[at + 1] + 2) * 4;
  if (datagram.length < at + 4) return null;
  return {
    source: formatIpLiteral(source),
    destination: formatIpLiteral(destination),
    version: datagram[at] >> 4,
    virtualRouterId: datagram[at + 1],
    priority: datagram[at + 2],
  };
}
