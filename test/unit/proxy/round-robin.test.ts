import fc from "fast-check";
import t from "tap";
import { RoundRobin } from "../../../src/proxy/balance/round-robin.js";

t.test("requests go round the servers in turn", async (t) => {
  const balancer = new RoundRobin(3);
  t.same(
    [1, 2, 3, 4, 5, 6].map(() => balancer.pick([], 0)),
    [0, 1, 2, 0, 1, 2],
  );
});

t.test("threads begin at different servers", async (t) => {
  t.equal(new RoundRobin(2, 0).pick([], 0), 0);
  t.equal(new RoundRobin(2, 1).pick([], 0), 1);
  t.equal(new RoundRobin(2, 2).pick([], 0), 0);
});

t.test("one request meets every server once, then none is left", async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.nat(8)),
      (n, offset, down) => {
        const balancer = new RoundRobin(n, offset);
        for (const index of down) if (index < n) balancer.failed(index, 0);
        const tried: number[] = [];
        for (let i = 0; i < n; i++) tried.push(balancer.pick(tried, 10));
        return new Set(tried).size === n && !tried.includes(-1) && balancer.pick(tried, 10) === -1;
      },
    ),
  );
});

t.test("an unreachable server comes last for one second, doubled by each failure up to 30 s", async (t) => {
  const balancer = new RoundRobin(2);
  balancer.failed(0, 0);
  t.equal(balancer.pick([], 999), 1);
  t.equal(balancer.pick([], 999), 1);
  t.equal(balancer.pick([1], 999), 0, "it still gets what nobody else could take");
  t.equal(balancer.pick([], 1000), 0);
  balancer.failed(0, 1000);
  t.equal(balancer.pick([1], 2999), 0);
  t.equal(balancer.pick([], 2999), 1);
  t.equal(balancer.pick([], 3000), 0);
  for (let i = 0; i < 20; i++) balancer.failed(0, 3000);
  t.equal(balancer.pick([], 32_999), 1);
  t.equal(balancer.pick([], 33_000), 0);
});

t.test("a server that takes a connection again is in turn at once", async (t) => {
  const balancer = new RoundRobin(2);
  balancer.failed(0, 0);
  balancer.reached(0);
  t.equal(balancer.pick([], 1), 0);
});

t.test("no server at all yields no candidate", async (t) => {
  t.equal(new RoundRobin(0).pick([], 0), -1);
});
