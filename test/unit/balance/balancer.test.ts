import fc from "fast-check";
import t from "tap";
import { noKey } from "../../../src/proxy/balance/algorithm.js";
import { Balancer } from "../../../src/proxy/balance/balancer.js";
import { First } from "../../../src/proxy/balance/first.js";
import { SmoothWeighted } from "../../../src/proxy/balance/smooth-weighted.js";
import { Tried } from "../../../src/proxy/balance/tried.js";

/** What health says, to be changed by a test. */
class States {
  version = 0;
  readonly recovered: number[];
  constructor(readonly weights: number[]) {
    this.recovered = weights.map(() => 0);
  }
  weight(server: number): number {
    return this.weights[server];
  }
  recoveries(server: number): number {
    return this.recovered[server];
  }
  set(server: number, weight: number): void {
    this.weights[server] = weight;
    this.version++;
  }
}

function round(weights: number[], backups: number[] = [], offset = 0, allBackups = false) {
  const states = new States(weights);
  const balancer = new Balancer(
    weights.map((_, i) => backups.includes(i)),
    states,
    new SmoothWeighted(weights.length, offset),
    allBackups,
  );
  const pick = (now = 0, ...tried: number[]) => balancer.pick(triedOf(tried), now, noKey);
  return { balancer, states, pick };
}

function triedOf(servers: readonly number[]): Tried {
  const tried = new Tried();
  for (const server of servers) tried.add(server);
  return tried;
}

/** All candidates of one request, in order. */
function candidates(balancer: Balancer, nowMs: number): number[] {
  const tried = new Tried();
  const list: number[] = [];
  for (;;) {
    const hasMore = balancer.hasMore(tried);
    const server = balancer.pick(tried, nowMs, noKey);
    if (hasMore !== server >= 0) throw new Error("hasMore and pick do not agree");
    if (server < 0) return list;
    list.push(server);
    tried.add(server);
  }
}

t.test("requests go round the servers in turn, and threads begin at different ones", async (t) => {
  const { pick } = round([1, 1, 1]);
  t.same(
    [1, 2, 3, 4, 5, 6].map(() => pick()),
    [0, 1, 2, 0, 1, 2],
  );
  t.equal(round([1, 1], [], 1).pick(), 1);
  t.equal(round([1, 1], [], 2).pick(), 0);
});

t.test(
  "one request meets every server that may have it once, the ones out of reach last, then none is left",
  async () => {
    const server = fc.record({ weight: fc.nat(3), backup: fc.boolean(), failed: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(server, { maxLength: 8 }),
        fc.boolean(),
        fc.nat(9),
        (servers, allBackups, offset) => {
          const { balancer } = round(
            servers.map(({ weight }) => weight),
            servers.flatMap(({ backup }, i) => (backup ? [i] : [])),
            offset,
            allBackups,
          );
          for (const [i, { failed }] of servers.entries()) if (failed) balancer.failed(i, 0);
          const found = candidates(balancer, 10);
          const tier = (i: number) => (servers[i].failed ? 2 : 0) + (servers[i].backup ? 1 : 0);
          return (
            new Set(found).size === found.length &&
            found.length === servers.filter(({ weight }) => weight > 0).length &&
            found.every((i, at) => servers[i].weight > 0 && (at === 0 || tier(found[at - 1]) <= tier(i)))
          );
        },
      ),
    );
  },
);

t.test("an unreachable server comes last for one second, doubled by each failure up to 30 s", async (t) => {
  const { balancer, pick } = round([1, 1]);
  t.equal(balancer.failed(0, 0), true, "it is news");
  t.equal(pick(999), 1);
  t.equal(pick(999), 1);
  t.equal(pick(999, 1), 0, "it still gets what nobody else could take");
  t.equal(pick(1000), 0);
  t.equal(balancer.failed(0, 1000), false);
  t.equal(pick(2999, 1), 0);
  t.equal(pick(2999), 1);
  t.equal(pick(3000, 1), 0);
  for (let i = 0; i < 20; i++) balancer.failed(0, 3000);
  t.equal(pick(32_999), 1);
  const later = [pick(33_000), pick(33_000)];
  t.ok(later.includes(0));
});

t.test("a server that takes a connection again is in turn at once", async (t) => {
  const { balancer, pick } = round([1, 1]);
  balancer.failed(0, 0);
  t.equal(balancer.reached(0), true);
  t.equal(balancer.reached(0), false);
  t.same([pick(1), pick(1)].sort(), [0, 1]);
});

t.test("of several out of reach the one whose failure is longest ago comes first", async (t) => {
  const { balancer } = round([1, 1, 1]);
  balancer.failed(2, 0);
  balancer.failed(0, 1);
  balancer.failed(1, 2);
  t.same(candidates(balancer, 3), [2, 0, 1]);
});

t.test(
  "a server that its checks find down gets nothing from the next request on, and all again when it is up",
  async (t) => {
    const { states, balancer, pick } = round([1, 1]);
    pick();
    states.set(0, 0);
    t.same([pick(), pick(), pick()], [1, 1, 1]);
    t.same(candidates(balancer, 0), [1], "not even when the others fail");
    states.set(1, 0);
    t.equal(pick(), -1);
    states.set(0, 1);
    t.equal(pick(), 0);
  },
);

t.test("a server that its checks find up again is no longer held back", async (t) => {
  const { states, balancer, pick } = round([1, 1]);
  for (let i = 0; i < 5; i++) balancer.failed(0, 0);
  states.set(0, 0);
  t.equal(pick(5), 1);
  states.recovered[0]++;
  states.set(0, 1);
  t.same([pick(6), pick(6)].sort(), [0, 1]);
});

t.test("a backup server serves when no other is up, and as the last choice of a request", async (t) => {
  const { states, balancer, pick } = round([1, 1, 1, 1], [2, 3]);
  t.same([pick(), pick(), pick()].sort(), [0, 0, 1]);
  t.same(candidates(balancer, 0).slice(2), [2, 3]);
  states.set(0, 0);
  states.set(1, 0);
  t.same([pick(), pick(), pick()], [2, 2, 2], "only the first of them");
});

t.test("a backup server comes before one that cannot be reached", async (t) => {
  const { balancer } = round([1, 1], [1]);
  balancer.failed(0, 0);
  t.same(candidates(balancer, 1), [1, 0]);
});

t.test("allbackups: all of them share", async (t) => {
  const { states, pick } = round([1, 1, 1], [1, 2], 0, true);
  states.set(0, 0);
  t.same([pick(), pick()].sort(), [1, 2]);
});

t.test(
  "picking allocates no list: the weights that an algorithm is given are the balancer's own",
  async (t) => {
    const seen = new Set<Int32Array>();
    const balancer = new Balancer(
      [false, false],
      new States([1, 1]),
      {
        choose: (weights) => {
          seen.add(weights);
          return new First().choose(weights);
        },
      },
      false,
    );
    for (let i = 0; i < 100; i++) balancer.pick(new Tried(), 0, noKey);
    balancer.failed(0, 0);
    for (let i = 0; i < 100; i++) balancer.pick(triedOf([0]), 0, noKey);
    t.ok(seen.size <= 2, `${seen.size}`);
  },
);

t.test("no server at all yields no candidate", async (t) => {
  t.equal(round([]).pick(), -1);
});
