/** IPv4 as a VRRP router needs it: addresses as text, and the header in front of a received message. */

/** The address at `offset` as a dotted quad. */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** Four bytes of a dotted quad that the configuration or the kernel has already checked. */
export function ipv4Bytes(address: string): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}

export interface Ipv4Packet {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly protocol: number;
  /** All of it, the header first, without Ethernet padding. */
  readonly datagram: Uint8Array;
  /** What the header announces as payload; never more than what has come, and without Ethernet padding. */
  readonly payload: Uint8Array;
}

const shortestHeaderBytes = 20;

/**
 * Reads a datagram that begins with its IPv4 header, as a raw socket hands it over.
 *
 * The total length rules, so that padding behind it (an Ethernet frame has at least 46 bytes of payload) never
 * counts. `null`: no IPv4 header there, or its lengths contradict what has come. The header's own checksum is
 * the kernel's business.
 */
export function parseIpv4(datagram: Uint8Array): Ipv4Packet | null {
  if (datagram.length < shortestHeaderBytes || datagram[0] >> 4 !== 4) {
    return null;
  }
  const headerBytes = (datagram[0] & 0x0f) * 4;
  const totalBytes = (datagram[2] << 8) | datagram[3];
  if (headerBytes < shortestHeaderBytes || totalBytes < headerBytes || datagram.length < totalBytes) {
    return null;
  }
  return {
    source: formatIpv4(datagram, 12),
    destination: formatIpv4(datagram, 16),
    ttl: datagram[8],
    protocol: datagram[9],
    datagram: datagram.subarray(0, totalBytes),
    payload: datagram.subarray(headerBytes, totalBytes),
  };
}

/**
 * An IPv4 datagram around a payload, without options. The header's checksum is the kernel's business; an identification
 * of 0 would be, too.
 */
export function encodeIpv4(
  header: {
    readonly source: string;
    readonly destination: string;
    readonly tos: number;
    readonly ttl: number;
    readonly identification: number;
    readonly protocol: number;
  },
  payload: Uint8Array,
): Uint8Array {
  const total = shortestHeaderBytes + payload.length;
  const { tos, ttl, identification, protocol } = header;
  const bytes = new Uint8Array(total);
  bytes.set([0x45, tos, total >> 8, total & 0xff, identification >> 8, identification & 0xff, 0, 0]);
  bytes.set([ttl, protocol], 8);
  bytes.set(ipv4Bytes(header.source), 12);
  bytes.set(ipv4Bytes(header.destination), 16);
  bytes.set(payload, shortestHeaderBytes);
  return bytes;
}
