import t from "tap";
import { DropLog } from "../../../src/vrrp/drop-log.js";

t.test("the first drop is said at once, then one a minute with the number passed over", async (t) => {
  const log = new DropLog();
  t.strictSame(log.note("ttl", "10.0.0.1", 0), { suppressed: 0 });
  for (let second = 1; second < 60; second++) {
    t.equal(log.note("ttl", "10.0.0.1", second * 1000), null);
  }
  t.strictSame(log.note("ttl", "10.0.0.1", 60_000), { suppressed: 59 });
  t.equal(log.note("ttl", "10.0.0.1", 61_000), null);
  t.strictSame(log.note("ttl", "10.0.0.1", 200_000), { suppressed: 1 });
});

t.test("another reason or another source is said at once", async (t) => {
  const log = new DropLog();
  log.note("ttl", "10.0.0.1", 0);
  t.ok(log.note("checksum", "10.0.0.1", 1));
  t.ok(log.note("ttl", "10.0.0.2", 1));
});

t.test("every drop is counted by its reason", async (t) => {
  const log = new DropLog();
  for (let drop = 0; drop < 5; drop++) {
    log.note("ttl", `10.0.0.${drop}`, drop);
  }
  log.note("short", "10.0.0.1", 0);
  t.strictSame(log.counts(), { ttl: 5, short: 1 });
});

t.test("a flood of forged sources makes a bounded number of lines", async (t) => {
  const log = new DropLog();
  let lines = 0;
  for (let drop = 0; drop < 100_000; drop++) {
    lines += log.note("checksum", `source ${drop}`, drop / 10) === null ? 0 : 1;
  }
  t.ok(lines <= 130, `${lines} lines in ten seconds`);
  t.strictSame(log.counts(), { checksum: 100_000 });
});

t.test("after a flood a new source gets a line of its own again", async (t) => {
  const log = new DropLog();
  for (let drop = 0; drop < 1000; drop++) {
    log.note("checksum", `source ${drop}`, 0);
  }
  t.ok(log.note("checksum", "later", 60_000));
  t.equal(log.note("checksum", "later", 61_000), null);
  t.ok(log.note("checksum", "yet another", 61_000));
});
