import t from "tap";
import { masterDownIntervalMs, skewMs, skewSpanMs } from "../../../src/vrrp/master-down.js";
import { heard, type Partners } from "../../../src/vrrp/partners.js";
import { earliestDeadline, nextPeriod } from "../../../src/vrrp/timers.js";

t.test("the skew is the priority's, and independent of the interval in VRRPv2", async (t) => {
  const span = skewSpanMs(2, 2000);
  t.equal(skewMs(254, span), 7.8125);
  t.equal(skewMs(100, span), 609.375);
  t.equal(skewMs(1, span), 996.09375);
  t.equal(masterDownIntervalMs(100, 1000, span), 3609.375);
  t.equal(masterDownIntervalMs(100, 2000, span), 6609.375);
});

t.test("in VRRPv3 the skew is a part of the master's interval (RFC 9568 §6.1)", async (t) => {
  t.equal(skewMs(100, skewSpanMs(3, 100)), 60.9375);
  t.equal(masterDownIntervalMs(100, 100, skewSpanMs(3, 100)), 360.9375);
  t.equal(masterDownIntervalMs(100, 10, skewSpanMs(3, 10)), 36.09375);
});

t.test("a periodic timer keeps its beat when it is served late, and skips what it missed", async (t) => {
  t.equal(nextPeriod(1000, 1000, 1000), 2000);
  t.equal(nextPeriod(1000, 1000, 1030), 2000);
  t.equal(nextPeriod(1000, 1000, 1999.9), 2000);
  t.equal(nextPeriod(1000, 1000, 4500), 5000);
});

t.test("the earliest deadline of none is none", async (t) => {
  t.equal(earliestDeadline({}), null);
  t.equal(earliestDeadline({ lease: 20, advert: 10 }), 10);
});

t.test("partners are told most recent first, once each, and not without end", async (t) => {
  let partners: Partners = [];
  for (let last = 0; last < 40; last++) {
    partners = heard(partners, { address: `10.0.0.${last}`, priority: 100, lastHeardMs: last });
  }
  t.equal(partners.length, 16);
  partners = heard(partners, { address: "10.0.0.30", priority: 0, lastHeardMs: 41 });
  t.equal(partners.length, 16);
  t.strictSame(partners[0], { address: "10.0.0.30", priority: 0, highestPriority: 100, lastHeardMs: 41 });
  t.equal(partners[1].address, "10.0.0.39");
});
