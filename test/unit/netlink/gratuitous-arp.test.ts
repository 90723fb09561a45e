import t from "tap";
import { gratuitousArpFrame } from "../../../src/netlink/gratuitous-arp.js";

t.test("a gratuitous ARP is the request that keepalived sends", async (t) => {
  const mac = Uint8Array.of(0x02, 0, 0, 0, 0, 0x0a);
  t.equal(
    Buffer.from(gratuitousArpFrame(mac, "192.168.33.84")).toString("hex"),
    [
      "ffffffffffff 02000000000a 0806",
      "0001 0800 06 04 0001",
      "02000000000a c0a82154",
      "ffffffffffff c0a82154",
    ]
      .join("")
      .replace(/\s/g, ""),
  );
});

t.test("a MAC of another length and what is no IPv4 address are refused", async (t) => {
  t.throws(() => gratuitousArpFrame(new Uint8Array(8), "192.168.33.84"), /6 bytes, not 8/);
  t.throws(() => gratuitousArpFrame(new Uint8Array(6), "2001:db8::1"), /not an IPv4 address/);
});
