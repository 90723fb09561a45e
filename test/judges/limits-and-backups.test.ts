import { get, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const own = { reply: ({ server }: { server: string }) => [ok(server)] };

theme(
  "limits and backups",
  {
    proxies: {
      one: { servers: { a: {} }, maxconn: 1 },
      backup: { servers: { a: {}, b: { backup: true }, c: { backup: true } } },
      all: { servers: { a: { disabled: true }, b: { backup: true }, c: { backup: true } }, allBackups: true },
      refused: { servers: { dead: { at: "nobody" }, b: { backup: true } }, retries: 1 },
    },
  },
  [
    {
      name: "above maxconn a client waits its turn",
      proxy: "one",
      client: async (client) => {
        await client.connect();
        await client.ask(get("/1"));
        await client.connect();
        await client.send(get("/2"));
        await client.silent(150);
        client.use(1);
        client.fin();
        client.use(2);
        await client.answer();
      },
      sees: ['200 "hello"', "silent", '200 "hello"'],
      log: ["200 ----", "200 ----"],
    },
    {
      name: "backups serve nobody while another server is up",
      proxy: "backup",
      servers: own,
      client: async (client) => {
        for (let i = 0; i < 3; i++) await client.ask(get(`/${i}`));
      },
      sees: ['200 "a"', '200 "a"', '200 "a"'],
      log: ["200 ----", "200 ----", "200 ----"],
    },
    {
      name: "the first backup serves when no other is up",
      proxy: "backup",
      servers: own,
      client: async (client, world) => {
        await client.quietly("disable server backup/a");
        await world.untilCell("a", "status", "MAINT");
        for (let i = 0; i < 3; i++) await client.ask(get(`/${i}`));
        await client.quietly("enable server backup/a");
        await world.untilCell("a", "status", "no check");
      },
      sees: ['200 "b"', '200 "b"', '200 "b"'],
      log: ["200 ----", "200 ----", "200 ----"],
    },
    {
      name: "all backups serve where they are told to",
      proxy: "all",
      servers: own,
      client: async (client) => {
        for (let i = 0; i < 4; i++) await client.ask(get(`/${i}`));
      },
      sees: ['200 "b"', '200 "c"', '200 "b"', '200 "c"'],
      log: ["200 ----", "200 ----", "200 ----", "200 ----"],
    },
    {
      name: "a server that refuses without a check",
      proxy: "refused",
      servers: own,
      client: async (client) => {
        await client.ask(get("/"));
      },
      sees: ["503 of the proxy"],
      log: ["503 SC--"],
      tandem: {
        because: "backup-at-once",
        sees: ['200 "b"'],
        log: ["200 ----"],
        asked: ["b GET /"],
        cells: "follow",
      },
    },
  ],
);
