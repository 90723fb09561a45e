import type { Client } from "./reference/client.js";
import { get, HOLD, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const own = { reply: ({ server }: { server: string }) => [ok(server)] };

/** Asks for each path and notes how many answers each server gave. */
async function shares(client: Client, requests: readonly string[]): Promise<void> {
  const counts = new Map<string, number>();
  for (const request of requests) {
    const { body } = await client.ask(request);
    counts.set(body, (counts.get(body) ?? 0) + 1);
  }
  client.seen.length = 0;
  client.note(
    [...counts]
      .sort()
      .map(([server, count]) => `${server} ${count}`)
      .join(", "),
  );
}

/** Asks for each three times: a key belongs to one server, and the keys to more than one. */
async function stable(client: Client, requests: readonly string[]): Promise<void> {
  const found = new Map<string, Set<string>>();
  for (let round = 0; round < 3; round++)
    for (const request of requests) {
      const { body } = await client.ask(request);
      found.set(request, (found.get(request) ?? new Set()).add(body));
    }
  const servers = new Set([...found.values()].flatMap((one) => [...one]));
  client.seen.length = 0;
  client.note(
    `${[...found.values()].every(({ size }) => size === 1) ? "each key at one server" : "keys move"}`,
  );
  client.note(servers.size > 1 ? "more than one server" : "one server");
}

const many = (count: number, request: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => request(i));

const three = { a: {}, b: {}, c: {} };
const lines = (count: number): string[] => Array.from({ length: count }, () => "200 ----");

theme(
  "balancing",
  {
    proxies: {
      turns: { servers: three },
      weighted: { servers: { a: { weight: 3 }, b: { weight: 2 }, c: { weight: 1 } } },
      zero: { servers: { a: { weight: 0 }, b: {}, c: {} } },
      least: { balance: "leastconn", servers: three },
      first: { balance: "first", servers: three },
      uri: { balance: "uri", servers: three },
      depth: { balance: "uri depth 1", servers: three },
      header: { balance: "hdr(X-User)", servers: three },
      source: { balance: "source", servers: three },
      random: { balance: "random", servers: three },
      ring: { balance: "uri", hashType: "consistent", servers: three },
    },
  },
  [
    {
      name: "roundrobin takes turns",
      proxy: "turns",
      servers: own,
      client: async (client) => {
        for (let i = 0; i < 7; i++) await client.ask(get(`/${i}`));
      },
      sees: ["a", "b", "c", "a", "b", "c", "a"].map((server) => `200 "${server}"`),
      log: lines(7),
    },
    {
      name: "roundrobin takes turns over connections as well",
      proxy: "turns",
      servers: own,
      client: async (client) => {
        for (let i = 0; i < 4; i++) {
          await client.connect();
          await client.ask(get(`/${i}`));
        }
      },
      sees: ["b", "c", "a", "b"].map((server) => `200 "${server}"`),
      log: lines(4),
    },
    {
      name: "weights are shares",
      anyOrder: true,
      proxy: "weighted",
      servers: own,
      client: (client) =>
        shares(
          client,
          many(24, () => get("/")),
        ),
      sees: ["a 12, b 8, c 4"],
      log: lines(24),
    },
    {
      name: "a server of weight 0 gets nothing",
      proxy: "zero",
      servers: own,
      client: (client) =>
        shares(
          client,
          many(6, (i) => get(`/${i}`)),
        ),
      sees: ["b 3, c 3"],
      log: lines(6),
    },
    {
      name: "leastconn goes where the fewest are",
      proxy: "least",
      servers: { reply: ({ target, server }) => [target.startsWith("/hold") ? HOLD : 0, ok(server)] },
      client: async (client, world) => {
        for (let i = 1; i <= 2; i++) {
          await client.connect();
          await client.send(get(`/hold${i}`));
          await world.untilAsked(i);
        }
        await client.connect();
        for (let i = 0; i < 3; i++) await client.ask(get(`/${i}`));
        world.letGo();
        client.use(1);
        await client.answer();
        client.use(2);
        await client.answer();
      },
      sees: ["c", "c", "c", "a", "b"].map((server) => `200 "${server}"`),
      log: lines(5),
    },
    {
      name: "first stays with the first",
      proxy: "first",
      servers: own,
      client: (client) =>
        shares(
          client,
          many(5, (i) => get(`/${i}`)),
        ),
      sees: ["a 5"],
      log: lines(5),
    },
    {
      name: "uri keeps a path at its server",
      spread: "hash",
      proxy: "uri",
      servers: own,
      client: (client) =>
        stable(
          client,
          many(16, (i) => get(`/page/${i}`)),
        ),
      sees: ["each key at one server", "more than one server"],
      log: lines(48),
    },
    {
      name: "uri depth 1 looks at the first directory",
      spread: "hash",
      proxy: "depth",
      servers: own,
      client: (client) =>
        stable(
          client,
          many(6, (i) => get(`/same/${i}`)),
        ),
      sees: ["each key at one server", "one server"],
      log: lines(18),
    },
    {
      name: "uri leaves the query out",
      spread: "hash",
      proxy: "uri",
      servers: own,
      client: (client) =>
        stable(
          client,
          many(6, (i) => get(`/same?${i}`)),
        ),
      sees: ["each key at one server", "one server"],
      log: lines(18),
    },
    {
      name: "hdr keeps a value at its server",
      spread: "hash",
      proxy: "header",
      servers: own,
      client: (client) =>
        stable(
          client,
          many(16, (i) => get("/", `X-User: user${i}`)),
        ),
      sees: ["each key at one server", "more than one server"],
      log: lines(48),
    },
    {
      name: "hdr without the field takes turns",
      proxy: "header",
      servers: own,
      client: (client) =>
        shares(
          client,
          many(6, (i) => get(`/${i}`)),
        ),
      sees: ["a 2, b 2, c 2"],
      log: lines(6),
    },
    {
      name: "source keeps a client at its server",
      spread: "hash",
      proxy: "source",
      servers: own,
      client: async (client) => {
        const found = new Set<string>();
        for (let i = 0; i < 5; i++) {
          await client.connect();
          found.add((await client.ask(get(`/${i}`))).body);
        }
        client.seen.length = 0;
        client.note(`${found.size} server`);
      },
      sees: ["1 server"],
      log: lines(5),
    },
    {
      name: "source spreads clients",
      spread: "hash",
      proxy: "source",
      servers: own,
      client: async (client) => {
        const found = new Set<string>();
        for (let i = 1; i <= 24; i++) {
          await client.connect(`127.0.${i}.${i}`);
          found.add((await client.ask(get(`/${i}`))).body);
        }
        client.seen.length = 0;
        client.note(`${found.size} servers`);
      },
      sees: ["3 servers"],
      log: lines(24),
    },
    {
      name: "random reaches every server",
      spread: "chance",
      proxy: "random",
      servers: own,
      client: async (client) => {
        const found = new Set<string>();
        for (let i = 0; i < 40; i++) found.add((await client.ask(get(`/${i}`))).body);
        client.seen.length = 0;
        client.note(`${found.size} servers`);
      },
      sees: ["3 servers"],
      log: lines(40),
      tandem: { because: "named-algorithm", cells: { "BACKEND algo": ["unknown", "random"] } },
    },
    {
      name: "a consistent hash keeps most keys where they are when a server leaves",
      spread: "hash",
      proxy: "ring",
      servers: own,
      client: async (client, world) => {
        const requests = many(40, (i) => get(`/key/${i}`));
        const before: string[] = [];
        for (const request of requests) before.push((await client.ask(request)).body);
        await client.quietly("disable server ring/c");
        await world.untilCell("c", "status", "MAINT");
        let moved = 0;
        for (const [i, request] of requests.entries()) {
          const { body } = await client.ask(request);
          if (body !== before[i] && before[i] !== "c") moved += 1;
        }
        await client.quietly("enable server ring/c");
        client.seen.length = 0;
        client.note(`${moved} moved without need`);
      },
      sees: ["0 moved without need"],
      log: lines(80),
    },
  ],
);
