import t from "tap";
import { neighbourAdvertisementFrame } from "../../../src/netlink/neighbour-advertisement.js";

const mac = Uint8Array.of(0x96, 0x22, 0x17, 0x67, 0x15, 0x22);

t.test("a neighbour advertisement is byte for byte what keepalived 2.2.7 sends", async (t) => {
  t.equal(
    Buffer.from(neighbourAdvertisementFrame(mac, "fd00:78::100", false)).toString("hex"),
    "333300000001" +
      "962217671522" +
      "86dd" +
      "6000000000203afffd000078000000000000000000000100ff020000000000000000000000000001" +
      "8800970220000000fd0000780000000000000000000001000201962217671522",
  );
});

t.test("a node that forwards says that it is a router", async (t) => {
  const frame = neighbourAdvertisementFrame(mac, "fe80::51", true);
  t.equal(frame[58], 0xa0);
  t.equal(frame.length, 86);
});

t.test("what is no MAC and no IPv6 address is refused", async (t) => {
  t.throws(() => neighbourAdvertisementFrame(new Uint8Array(8), "fe80::51", false), /6 bytes, not 8/);
  t.throws(() => neighbourAdvertisementFrame(mac, "10.0.0.1", false), /not an IPv6 address/);
});
