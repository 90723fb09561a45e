import { virtualAddress } from "../network.js";
import type { Variant } from "./scenario.js";

const fast = { version: 3, advertInterval: 0.1 } as const;
const ipv6 = ["fe80::33:84/64", "fd00:33::84/64"];

/** The rows of the table: each is run in both roles. */
export const variants: readonly Variant[] = [
  { name: "v2, no authentication", peer: "keepalived", options: {} },
  { name: "v2, PASS", peer: "keepalived", options: { password: "k@l" } },
  { name: "v2, AH", peer: "keepalived", options: { password: "k@l", authType: "AH" } },
  { name: "v2, unicast", peer: "keepalived", options: {}, unicast: true },
  {
    name: "v2, AH, unicast",
    peer: "keepalived",
    options: { password: "k@l", authType: "AH" },
    unicast: true,
  },
  { name: "v3, IPv4, 0.1 s", peer: "keepalived", options: fast },
  { name: "v3, IPv4, 0.1 s, unicast", peer: "keepalived", options: fast, unicast: true },
  { name: "v3, IPv6, 0.1 s", peer: "keepalived", options: { ...fast, addresses: ipv6 } },
  {
    name: "v3, IPv6, 0.1 s, unicast",
    peer: "keepalived",
    options: { ...fast, addresses: ipv6 },
    unicast: true,
  },
  {
    name: "v3, sync group, 0.1 s",
    peer: "keepalived",
    options: { ...fast, groupedWith: "192.168.34.84/24" },
    syncGroup: true,
  },
  { name: "v3, IPv4, 0.1 s", peer: "FRR", options: { ...fast, addresses: [`${virtualAddress}/24`] } },
  { name: "v3, IPv6, 0.1 s", peer: "FRR", options: { ...fast, addresses: ipv6 } },
];
