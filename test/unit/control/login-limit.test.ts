import t from "tap";
import { LoginLimit } from "../../../src/control/login-limit.js";

t.test("who fails too often waits, goes on waiting while trying, and is free again", async (t) => {
  const limit = new LoginLimit(3, 1000);
  for (const nowMs of [0, 1]) limit.fail("a", nowMs);
  t.equal(limit.waitMs("a", 2), 0);
  limit.fail("a", 100);
  t.equal(limit.waitMs("a", 200), 900);
  limit.fail("a", 500);
  t.equal(limit.waitMs("a", 600), 900);
  t.equal(limit.waitMs("a", 1500), 0);
  t.equal(limit.waitMs("b", 600), 0);
});

t.test("a right password forgets the wrong ones before it", async (t) => {
  const limit = new LoginLimit(2, 1000);
  limit.fail("a", 0);
  limit.succeed("a");
  limit.fail("a", 1);
  t.equal(limit.waitMs("a", 2), 0);
});

t.test("a crowd of addresses takes no more memory than its bound", async (t) => {
  const limit = new LoginLimit(1, 1000, 8);
  for (let i = 0; i < 100; i++) limit.fail(`10.0.0.${i}`, 0);
  const waiting = Array.from({ length: 100 }, (_, i) => limit.waitMs(`10.0.0.${i}`, 1)).filter(
    (ms) => ms > 0,
  );
  t.equal(waiting.length, 8);
  t.ok(limit.waitMs("10.0.0.99", 1) > 0);
});
