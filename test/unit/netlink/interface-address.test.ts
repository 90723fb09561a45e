import t from "tap";
import { ownIpv4Address } from "../../../src/netlink/interface-address.js";
import type { InterfaceAddress, InterfaceInfo } from "../../../src/netlink/route-socket.js";

function eth1(...addresses: (Partial<InterfaceAddress> & { address: string })[]): InterfaceInfo {
  return {
    index: 3,
    name: "eth1",
    mac: new Uint8Array(6),
    up: true,
    addresses: addresses.map((entry) => ({
      prefixLength: 24,
      family: 4,
      leased: false,
      secondary: false,
      tentative: false,
      ...entry,
    })),
  };
}
const vip = "192.168.33.84";

t.test("a node's own address is the first IPv4 address that is not virtual", async (t) => {
  const info = eth1(
    { address: "fe80::1", family: 6 },
    { address: vip, leased: true },
    { address: "192.168.33.80" },
    { address: "10.0.0.1" },
  );
  t.equal(ownIpv4Address(info, [vip]), "192.168.33.80");
});

t.test("a virtual address that a dead keepalived left is not the node's own", async (t) => {
  t.equal(ownIpv4Address(eth1({ address: vip }), [vip]), null);
});

t.test("an address from DHCP is the node's own where there is no fixed one", async (t) => {
  t.equal(ownIpv4Address(eth1({ address: "10.0.0.7", leased: true }), [vip]), "10.0.0.7");
  t.equal(
    ownIpv4Address(eth1({ address: "10.0.0.7", leased: true }, { address: "10.0.0.8" }), [vip]),
    "10.0.0.8",
  );
});

t.test("an interface without an IPv4 address has none", async (t) => {
  t.equal(ownIpv4Address(eth1({ address: "fe80::1", family: 6 }), []), null);
});
