import t from "tap";
import { mustNotAccept, noAcceptScript, noAcceptTable, staleTables } from "../../../src/vrrp/no-accept.js";
import { routerConfig } from "./datagrams.js";

const config = routerConfig({
  name: "VI:1",
  accept: false,
  excludedAddresses: [{ address: "fd00::84", prefixLength: 64 }],
});

t.test("the filter drops what comes in for each address, and lets neighbour discovery through", async (t) => {
  const script = noAcceptScript(config);
  t.match(script, /ip daddr \{ 192\.168\.33\.84 \} drop/);
  t.match(
    script,
    /ip6 daddr \{ fd00::84 \} icmpv6 type \{ nd-neighbor-solicit, nd-neighbor-advert \} accept\n/,
  );
  t.match(script, /ip6 daddr \{ fd00::84 \} drop/);
  t.ok(script.indexOf("nd-neighbor-solicit") < script.indexOf("ip6 daddr { fd00::84 } drop"));
});

t.test("names become names that nftables takes, and stay different", async (t) => {
  t.match(noAcceptTable("VI:1"), /^[A-Za-z0-9_]+$/);
  t.not(noAcceptTable("VI:1"), noAcceptTable("VI-1"));
});

t.test("an owner accepts whatever is configured", async (t) => {
  t.equal(mustNotAccept(config), true);
  t.equal(mustNotAccept(routerConfig({ accept: false, priority: 255 })), false);
});

t.test("what a killed process left is found, and nobody else's table", async (t) => {
  const listed = `table inet filter\ntable ip ${noAcceptTable("old")}\ntable inet ${noAcceptTable("old")}\ntable inet ${noAcceptTable("VI:1")}\n`;
  t.strictSame(staleTables(listed, [config]), [noAcceptTable("old")]);
  t.strictSame(staleTables(listed, []), [noAcceptTable("old"), noAcceptTable("VI:1")]);
});
