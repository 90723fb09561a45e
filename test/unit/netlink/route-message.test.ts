import t from "tap";
import { encodeRoute, encodeRule } from "../../../src/netlink/route-message.js";
import { parseAttributes } from "../../../src/netlink/rtnetlink-message.js";

const fixedBytes = 12;

function attributes(payload: Uint8Array): Record<number, string> {
  const parsed = parseAttributes(payload, fixedBytes);
  if (!(parsed instanceof Map)) throw new Error(parsed.problem);
  return Object.fromEntries([...parsed].map(([type, value]) => [type, Buffer.from(value).toString("hex")]));
}

t.test("a route through a gateway", async (t) => {
  const payload = encodeRoute({
    address: "10.66.0.0",
    prefixLength: 16,
    gateway: "192.168.33.10",
    index: 3,
    metric: 7,
  });
  // family, lengths, TOS, table main, keepalived's protocol, scope universe, unicast.
  t.strictSame([...payload.subarray(0, 8)], [2, 16, 0, 0, 254, 18, 0, 1]);
  t.strictSame(attributes(payload), {
    1: "0a420000",
    4: "03000000",
    5: "c0a8210a",
    6: "07000000",
    15: "fe000000",
  });
});

t.test("a route on the link has the link's scope, and a default route no destination", async (t) => {
  t.equal(encodeRoute({ address: "10.0.0.0", prefixLength: 8, index: 3 })[6], 253);
  const byDefault = encodeRoute({ address: "0.0.0.0", prefixLength: 0, gateway: "10.0.0.1", table: 1000 });
  t.equal(byDefault[4], 0, "a table's number beyond a byte is in the attribute alone");
  t.strictSame(attributes(byDefault), { 5: "0a000001", 15: "e8030000" });
});

t.test("a blackhole over IPv6", async (t) => {
  const payload = encodeRoute({ address: "fd01::", prefixLength: 16, kind: "blackhole" });
  t.strictSame([...payload.subarray(0, 8)], [10, 16, 0, 0, 254, 18, 0, 6]);
});

t.test("a rule", async (t) => {
  const payload = encodeRule({
    from: { address: "192.168.33.84", prefixLength: 32 },
    inputInterface: "eth1",
    mark: 16,
    priority: 99,
    table: 100,
  });
  t.strictSame([...payload.subarray(0, 8)], [2, 0, 32, 0, 100, 0, 0, 1]);
  t.strictSame(attributes(payload), {
    2: "c0a82154",
    3: "6574683100",
    6: "63000000",
    10: "10000000",
    15: "64000000",
  });
});

t.test("what is no address is refused", async (t) => {
  t.throws(() => encodeRoute({ address: "eth1", prefixLength: 8 }), /not an IP address/);
});
