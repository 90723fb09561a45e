import { type Behaviour, get, HOLD, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const one = { haproxy: "maxconn 1", tandem: { maxconn: 1 } };
const slow: Behaviour = { reply: ({ target, server }) => [HOLD, ok(`${server}${target}`)] };

theme(
  "queues of servers",
  {
    proxies: {
      line: { servers: { a: one } },
      pair: { servers: { a: one, b: one } },
      late: { servers: { a: one }, timeouts: { queue: 150 } },
      short: { servers: { a: one }, retries: 0, timeouts: { queue: 2_000 } },
    },
  },
  [
    {
      name: "above a server's maxconn a request waits its turn",
      proxy: "line",
      servers: slow,
      client: async (client, world) => {
        await client.connect();
        await client.send(get("/1"));
        await world.untilAsked(1);
        await client.connect();
        await client.send(get("/2"));
        await world.untilCell("BACKEND", "qcur", "1");
        world.letGo();
        client.use(1);
        await client.answer();
        client.use(2);
        await client.answer();
      },
      sees: ['200 "a/1"', '200 "a/2"'],
      log: ["200 ----", "200 ----"],
      tandem: { because: "queued", cells: { "a lbtot": ["1", "2"], "BACKEND lbtot": ["1", "2"] } },
    },
    {
      name: "who came first is served first",
      proxy: "line",
      servers: slow,
      client: async (client, world) => {
        for (let i = 1; i <= 3; i++) {
          await client.connect();
          await client.send(get(`/${i}`));
          if (i === 1) await world.untilAsked(1);
          else await world.untilCell("BACKEND", "qcur", String(i - 1));
        }
        world.letGo();
        for (let i = 1; i <= 3; i++) {
          client.use(i);
          await client.answer();
        }
      },
      sees: ['200 "a/1"', '200 "a/2"', '200 "a/3"'],
      log: ["200 ----", "200 ----", "200 ----"],
      asked: ["a GET /1", "a GET /2", "a GET /3"],
      tandem: { because: "queued", cells: { "a lbtot": ["1", "3"], "BACKEND lbtot": ["1", "3"] } },
    },
    {
      name: "a server that has room is taken at once",
      proxy: "pair",
      servers: slow,
      client: async (client, world) => {
        for (let i = 1; i <= 2; i++) {
          await client.connect();
          await client.send(get(`/${i}`));
          await world.untilAsked(i);
        }
        world.letGo();
        for (let i = 1; i <= 2; i++) {
          client.use(i);
          await client.answer();
        }
      },
      sees: ['200 "a/1"', '200 "b/2"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "who waits too long gets 503",
      proxy: "late",
      servers: { reply: () => [HOLD, ok("x")] },
      client: async (client, world) => {
        await client.connect();
        await client.send(get("/1"));
        await world.untilAsked(1);
        await client.connect();
        await client.ask(get("/2"));
        world.letGo();
        client.use(1);
        await client.answer();
      },
      sees: ["503 of the proxy", '200 "x"'],
      log: ["200 ----", "503 sQ--"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "who leaves while waiting is sent to the server all the same",
      proxy: "short",
      servers: slow,
      client: async (client, world) => {
        await client.connect();
        await client.send(get("/1"));
        await world.untilAsked(1);
        await client.connect();
        await client.send(get("/2"));
        await world.untilCell("BACKEND", "qcur", "1");
        client.reset();
        // Tandem lets it go, HAProxy goes on as if nothing had been.
        if (world.peer !== "haproxy") await world.untilCell("BACKEND", "qcur", "0");
        world.letGo();
        client.use(1);
        await client.answer();
      },
      sees: ['200 "a/1"'],
      log: ["200 CD--", "200 ----"],
      asked: ["a GET /1", "a GET /2"],
      tandem: {
        because: "client-gone",
        log: ["-1 CQ--", "200 ----"],
        asked: ["a GET /1"],
        cells: "follow",
      },
    },
  ],
);
