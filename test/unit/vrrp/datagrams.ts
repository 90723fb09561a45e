import type { VrrpInstanceConfig } from "../../../src/config/config.js";
import { notifyNobody, plainInstance, trackNothing } from "../../../src/config/defaults.js";
import { ipv4Bytes } from "../../../src/vrrp/ipv4.js";

/** A configuration that a test changes where it matters: VRID 51, 1 s, 192.168.33.84/24, priority 100. */
export function routerConfig(changes: Partial<VrrpInstanceConfig> = {}): VrrpInstanceConfig {
  return {
    name: "demo",
    interface: "eth1",
    virtualRouterId: 51,
    priority: 100,
    preempt: true,
    version: 2,
    advertIntervalCs: 100,
    v3ChecksumAsV2: false,
    authentication: { type: "none" },
    sourceAddress: null,
    unicastPeers: [],
    ...plainInstance,
    addresses: [{ address: "192.168.33.84", prefixLength: 24 }],
    leaseMs: 3000,
    gratuitousArp: { repeat: 5, delayMs: 5000, refreshMs: 60_000 },
    track: trackNothing,
    notify: notifyNobody,
    partnerPriority: null,
    ...changes,
  };
}

/** An IPv4 datagram around a message, as a raw socket hands it over. */
export function datagram(
  message: Uint8Array,
  header: { source?: string; destination?: string; ttl?: number; protocol?: number; padding?: number } = {},
): Uint8Array {
  const bytes = new Uint8Array(20 + message.length + (header.padding ?? 0));
  const total = 20 + message.length;
  bytes.set([0x45, 0xc0, total >> 8, total & 0xff, 0, 1, 0, 0, header.ttl ?? 255, header.protocol ?? 112]);
  bytes.set(ipv4Bytes(header.source ?? "192.168.33.81"), 12);
  bytes.set(ipv4Bytes(header.destination ?? "224.0.0.18"), 16);
  bytes.set(message, 20);
  bytes.fill(0xa5, total);
  return bytes;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}
