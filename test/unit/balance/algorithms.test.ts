import fc from "fast-check";
import t from "tap";
import { type Algorithm, noKey } from "../../../src/proxy/balance/algorithm.js";
import { ConsistentHash } from "../../../src/proxy/balance/consistent-hash.js";
import { First } from "../../../src/proxy/balance/first.js";
import { hashText, randomFrom } from "../../../src/proxy/balance/key-hash.js";
import { LeastConnections } from "../../../src/proxy/balance/least-connections.js";
import { MapHash } from "../../../src/proxy/balance/map-hash.js";
import { RandomChoices } from "../../../src/proxy/balance/random-choices.js";
import { SmoothWeighted } from "../../../src/proxy/balance/smooth-weighted.js";
import { int32, key, manyKeys, weights } from "./arbitraries.js";

const idle = { current: () => 0 };
const nameHashes = ["web01", "web02", "web03", "web04", "web05", "web06", "web07", "web08"].map(hashText);
const turns = (servers: number) => new SmoothWeighted(servers);

const everyAlgorithm: Readonly<Record<string, (servers: number) => Algorithm>> = {
  roundrobin: turns,
  leastconn: (servers) => new LeastConnections(servers, idle),
  random: () => new RandomChoices(2, idle, randomFrom(1)),
  first: () => new First(),
  "map-based": (servers) => new MapHash(turns(servers)),
  consistent: (servers) => new ConsistentHash(nameHashes.slice(0, servers), turns(servers)),
};

for (const [name, create] of Object.entries(everyAlgorithm)) {
  t.test(`${name} chooses only servers that may be chosen, with and without a key`, async () => {
    fc.assert(
      fc.property(weights, fc.array(fc.oneof(key, fc.constant(noKey)), { minLength: 1 }), (list, keys) => {
        const algorithm = create(list.length);
        return keys.every((k) => list[algorithm.choose(int32(list), k)] > 0);
      }),
    );
  });

  t.test(`${name} chooses nobody where nobody may be chosen`, async (t) => {
    for (const list of [[], [0], [0, 0, 0]]) {
      t.equal(create(list.length).choose(int32(list), 7), -1);
      t.equal(create(list.length).choose(int32(list), noKey), -1);
    }
  });
}

t.test("roundrobin gives each server exactly its weight in every round", async () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 4 }), (list, rounds) => {
      const algorithm = turns(list.length);
      const counts = list.map(() => 0);
      const total = list.reduce((sum, weight) => sum + weight, 0);
      for (let i = 0; i < total * rounds; i++) counts[algorithm.choose(int32(list))]++;
      return counts.every((count, i) => count === list[i] * rounds);
    }),
  );
});

t.test(
  "roundrobin is smooth: no server is ever off its share by more turns than there are servers",
  async () => {
    fc.assert(
      fc.property(weights, (list) => {
        const algorithm = turns(list.length);
        const total = list.reduce((sum, weight) => sum + weight, 0);
        const counts = list.map(() => 0);
        for (let i = 1; i <= total; i++) {
          counts[algorithm.choose(int32(list))]++;
          // Its fair share so far, and how far a server may be off it.
          if (counts.some((count, j) => Math.abs(count - (i * list[j]) / total) > list.length)) return false;
        }
        return true;
      }),
    );
  },
);

t.test("roundrobin spreads 5, 1, 1 as nginx does", async (t) => {
  const algorithm = turns(3);
  const chosen = Array.from({ length: 7 }, () => "abc"[algorithm.choose(int32([5, 1, 1]))]).join("");
  t.equal(chosen, "aabacaa");
});

t.test(
  "roundrobin follows weights that change, and a server that comes back gets no pile of turns",
  async (t) => {
    const algorithm = turns(2);
    for (let i = 0; i < 1000; i++) algorithm.choose(int32([1, 0]));
    const chosen = Array.from({ length: 8 }, () => algorithm.choose(int32([1, 1])));
    t.equal(chosen.filter((server) => server === 1).length, 4);
  },
);

t.test("roundrobin begins at another server in each thread", async (t) => {
  const first = (offset: number) => new SmoothWeighted(3, offset).choose(int32([1, 1, 1]));
  t.same([0, 1, 2, 3].map(first), [0, 1, 2, 0]);
});

t.test("leastconn chooses a server that no other undercuts for its weight", async () => {
  fc.assert(
    fc.property(weights, fc.array(fc.nat(20), { minLength: 8, maxLength: 8 }), (list, loads) => {
      const algorithm = new LeastConnections(list.length, { current: (server) => loads[server] });
      const cost = (i: number) => (loads[i] === 0 ? 0 : (loads[i] + 1) / list[i]);
      const chosen = algorithm.choose(int32(list));
      return list.every((weight, i) => weight === 0 || cost(chosen) <= cost(i));
    }),
  );
});

t.test("leastconn lets equal servers take turns", async (t) => {
  const algorithm = new LeastConnections(3, idle);
  t.same(
    [1, 2, 3, 4].map(() => algorithm.choose(int32([1, 1, 1]))),
    [0, 1, 2, 0],
  );
});

t.test("leastconn keeps exchanges that never end in proportion to the weights", async (t) => {
  const list = [4, 2, 1];
  const loads = [0, 0, 0];
  const algorithm = new LeastConnections(3, { current: (server) => loads[server] });
  for (let i = 0; i < 700; i++) loads[algorithm.choose(int32(list))]++;
  t.ok(Math.abs(loads[0] - 400) <= 3 && Math.abs(loads[1] - 200) <= 3, `${loads}`);
});

t.test("random with two draws ends nearer to even than with one", async (t) => {
  const spread = (draws: number) => {
    const loads = [0, 0, 0, 0];
    const random = new RandomChoices(draws, { current: (server) => loads[server] }, randomFrom(7));
    for (let i = 0; i < 4000; i++) loads[random.choose(int32([1, 1, 1, 1]))]++;
    return Math.max(...loads) - Math.min(...loads);
  };
  t.ok(spread(2) < 10, `${spread(2)}`);
  t.ok(spread(1) > spread(2), `${spread(1)}`);
});

t.test("random draws by weight", async (t) => {
  const counts = [0, 0];
  const random = new RandomChoices(1, idle, randomFrom(3));
  for (let i = 0; i < 8000; i++) counts[random.choose(int32([3, 1]))]++;
  t.ok(Math.abs(counts[0] - 6000) < 200, `${counts}`);
});

t.test("first takes the first of the configuration", async (t) => {
  t.equal(new First().choose(int32([0, 3, 9])), 1);
});

for (const name of ["map-based", "consistent"]) {
  const create = everyAlgorithm[name];

  t.test(`${name}: a key goes to the same server each time, whoever asked before`, async () => {
    fc.assert(
      fc.property(weights, key, fc.array(key), (list, k, others) => {
        const algorithm = create(list.length);
        const before = algorithm.choose(int32(list), k);
        for (const other of others) algorithm.choose(int32(list), other);
        return algorithm.choose(int32(list), k) === before;
      }),
    );
  });

  t.test(`${name}: shares are as the weights`, async (t) => {
    const counts = [0, 0, 0];
    const algorithm = create(3);
    for (const k of manyKeys(40_000)) counts[algorithm.choose(int32([1, 2, 5]), k)]++;
    for (const [i, share] of [5000, 10_000, 25_000].entries()) {
      t.ok(Math.abs(counts[i] - share) < 600, `${counts}`);
    }
  });

  t.test(`${name}: requests without a key go round`, async (t) => {
    const algorithm = create(2);
    t.same(
      [1, 2, 3].map(() => algorithm.choose(int32([1, 1]), noKey)),
      [0, 1, 0],
    );
  });
}

t.test("consistent: a server that goes takes only its own keys with it", async () => {
  fc.assert(
    fc.property(weights, fc.nat(7), key, (list, gone, k) => {
      const left = list.map((weight, i) => (i === gone ? 0 : weight));
      if (left.every((weight) => weight === 0)) return true;
      const algorithm = create8(list.length);
      const before = algorithm.choose(int32(list), k);
      return before === gone || algorithm.choose(int32(left), k) === before;
    }),
  );
});

t.test("consistent: a weight that grows only draws keys to its server", async () => {
  fc.assert(
    fc.property(weights, fc.nat(7), fc.integer({ min: 1, max: 9 }), key, (list, grown, by, k) => {
      const after = list.map((weight, i) => (i === grown ? weight + by : weight));
      const algorithm = create8(list.length);
      const before = algorithm.choose(int32(list), k);
      const now = algorithm.choose(int32(after), k);
      return now === before || now === grown;
    }),
  );
});

t.test(
  "consistent: both nodes send a key to the same server, in whatever order their files name them",
  async () => {
    const order = [2, 0, 1];
    const here = new ConsistentHash(nameHashes.slice(0, 3), turns(3));
    const there = new ConsistentHash(
      order.map((i) => nameHashes[i]),
      turns(3),
    );
    fc.assert(
      fc.property(key, (k) => here.choose(int32([1, 1, 1]), k) === order[there.choose(int32([1, 1, 1]), k)]),
    );
  },
);

function create8(servers: number): ConsistentHash {
  return new ConsistentHash(nameHashes.slice(0, servers), turns(servers));
}
