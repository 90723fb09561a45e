import type { AdvertRecord } from "./recorder.js";

/** LINKTYPE_RAW: each packet begins with its IP header, of either family. */
const linkTypeRaw = 101;
const magicMicroseconds = 0xa1b2c3d4;
const snapLength = 65_535;

/** Adverts as a pcap file (the classic format, version 2.4), for tcpdump, tshark and Wireshark. Pure. */
export function encodePcap(adverts: readonly AdvertRecord[]): Uint8Array {
  const bytes = new Uint8Array(24 + adverts.reduce((sum, advert) => sum + 16 + advert.bytes.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magicMicroseconds, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, snapLength, true);
  view.setUint32(20, linkTypeRaw, true);
  let at = 24;
  for (const { epochMs, bytes: packet } of adverts) {
    view.setUint32(at, Math.floor(epochMs / 1000), true);
    view.setUint32(at + 4, Math.floor((epochMs % 1000) * 1000), true);
    view.setUint32(at + 8, packet.length, true);
    view.setUint32(at + 12, packet.length, true);
    bytes.set(packet, at + 16);
    at += 16 + packet.length;
  }
  return bytes;
}
