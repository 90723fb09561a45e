import { get, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const one = { haproxy: "maxconn 1", tandem: { maxconn: 1 } };
const slow = {
  reply: ({ target, server }: { target: string; server: string }) => [250, ok(`${server}${target}`)],
};

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
        await client.pause(50);
        const row = (await world.stat()).get("line/BACKEND");
        client.note(`waiting ${row?.get("qcur")}`);
        client.use(1);
        await client.answer();
        client.use(2);
        await client.answer();
      },
      sees: ["waiting 1", '200 "a/1"', '200 "a/2"'],
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
          await client.pause(30);
        }
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
      servers: { reply: () => [500, ok("x")] },
      client: async (client, world) => {
        await client.connect();
        await client.send(get("/1"));
        await world.untilAsked(1);
        await client.connect();
        await client.ask(get("/2"));
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
        await client.pause(50);
        client.reset();
        client.use(1);
        await client.answer();
        await client.pause(350);
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
