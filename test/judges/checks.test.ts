import { get, ok, status } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

const quick = { inter: 150, rise: 2, fall: 2 };
/** A busy machine is no dead server. */
const slowCheck = ["timeout check 5s"];
const checked = { check: quick, tandem: { check: { ...quick, timeout: "5s" } } };

theme(
  "checks",
  {
    proxies: {
      pair: { haproxy: slowCheck, servers: { a: checked, b: checked } },
      asked: {
        haproxy: slowCheck,
        httpCheck: { method: "GET", uri: "/health", status: "200" },
        servers: { c: checked },
      },
    },
  },
  [
    {
      name: "a server that stops is down after its fall, and up after its rise",
      proxy: "pair",
      servers: { reply: ({ server }) => [ok(server)] },
      spread: "checks",
      client: async (client, world) => {
        await world.untilCell("a", "check_status", "L4OK");
        await world.refuse("a");
        await world.untilCell("a", "status", "DOWN");
        for (let i = 0; i < 3; i++) await client.ask(get("/"));
        client.note(`backend ${(await world.stat()).get("pair/BACKEND")?.get("status")}`);
        await world.listenAgain("a");
        await world.untilCell("a", "status", "UP");
        const found = new Set<string>();
        for (let i = 0; i < 4; i++) found.add((await client.ask(get("/"))).body);
        client.seen.length = 4;
        client.note(`${found.size} servers`);
      },
      sees: ['200 "b"', '200 "b"', '200 "b"', "backend UP", "2 servers"],
      log: Array.from({ length: 7 }, () => "200 ----"),
    },
    {
      name: "a check by HTTP goes by the status",
      spread: "checks",
      proxy: "asked",
      servers: { reply: ({ target }) => (target === "/health" ? [status("500 Sick")] : [ok("x")]) },
      client: async (client, world) => {
        await world.untilCell("c", "status", "DOWN");
        await client.ask(get("/"));
        const row = (await world.stat()).get("asked/c");
        client.note(`${row?.get("check_status")?.replace("* ", "")} ${row?.get("check_code")}`);
        client.note(`backend ${(await world.stat()).get("asked/BACKEND")?.get("status")}`);
      },
      sees: ["503 of the proxy", "L7STS 500", "backend DOWN"],
      log: ["503 SC--"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "a server whose check succeeds again serves again",
      spread: "checks",
      proxy: "asked",
      servers: { reply: ({ target }) => (target === "/health" ? [ok("well")] : [ok("x")]) },
      client: async (client, world) => {
        await world.untilCell("c", "status", "UP");
        await client.ask(get("/"));
      },
      sees: ['200 "x"'],
      log: ["200 ----"],
    },
  ],
);

theme(
  "observed answers",
  {
    proxies: {
      seen: {
        servers: {
          a: {
            check: {
              inter: 60_000,
              rise: 2,
              fall: 2,
              observe: "layer7",
              errorLimit: 3,
              onError: "mark-down",
            },
          },
          b: {},
        },
        balance: "first",
      },
    },
  },
  [
    {
      name: "a server whose answers are bad is taken out by them",
      proxy: "seen",
      servers: { reply: ({ server }) => (server === "a" ? [status("500 Oops")] : [ok(server)]) },
      client: async (client, world) => {
        for (let i = 0; i < 3; i++) await client.ask(get(`/${i}`));
        await world.untilCell("a", "status", "DOWN");
        await client.ask(get("/then"));
      },
      sees: ["500", "500", "500", '200 "b"'],
      log: ["500 ----", "500 ----", "500 ----", "200 ----"],
      tandem: {
        because: "error-text",
        cells: {
          "a last_chk": [
            "Detected 3 consecutive errors, last one was: Wrong http response",
            "3 errors of requests in a row",
          ],
        },
      },
    },
  ],
);

theme(
  "sessions at servers that are marked",
  {
    proxies: {
      web: {
        retries: 0,
        servers: {
          // HAProxy spreads its first checks over this time, and two more must pass before they undo what a command has said.
          a: {
            check: { inter: 5_000 },
            haproxy: "on-marked-down shutdown-sessions",
            tandem: { on_marked_down: "shutdown-sessions" },
          },
          b: { backup: true },
        },
      },
      raw: {
        mode: "tcp",
        servers: {
          a: {
            check: { inter: 5_000 },
            haproxy: "on-marked-up shutdown-backup-sessions",
            tandem: { on_marked_up: "shutdown-backup-sessions" },
          },
          b: { backup: true },
        },
      },
      down: {
        mode: "tcp",
        servers: {
          a: {
            check: { inter: 5_000 },
            haproxy: "on-marked-down shutdown-sessions",
            tandem: { on_marked_down: "shutdown-sessions" },
          },
        },
      },
    },
  },
  [
    {
      name: "on-marked-down ends what waits for its answer",
      spread: "checks",
      proxy: "web",
      servers: { reply: ({ server }) => (server === "a" ? [20_000, ok("late")] : [ok(server)]) },
      client: async (client, world) => {
        await world.untilCell("a", "check_status", "L4OK");
        await client.send(get("/1"));
        await world.untilAsked(1);
        await client.command("set server web/a health down");
        await client.answer();
        await client.ask(get("/2"));
        await client.command("set server web/a health up");
      },
      sees: [
        "set server web/a health down → ",
        "502 of the proxy",
        '200 "b"',
        "set server web/a health up → ",
      ],
      log: ["502 DH--", "200 ----"],
    },
    {
      name: "on-marked-up ends sessions at the backup server",
      spread: "checks",
      proxy: "raw",
      servers: { greeting: (server) => [server] },
      client: async (client, world) => {
        await world.untilCell("a", "check_status", "L4OK");
        await client.command("set server raw/a health down");
        await client.connect();
        await client.bytes(1);
        await client.command("set server raw/a health up");
        await client.closed();
        await client.connect();
        await client.bytes(1);
        client.reset();
      },
      sees: [
        "set server raw/a health down → ",
        'bytes "b"',
        "set server raw/a health up → ",
        "closed",
        'bytes "a"',
      ],
      log: ["U-", "CD"],
    },
    {
      name: "on-marked-down ends sessions of mode tcp, in maintenance too",
      spread: "checks",
      proxy: "down",
      servers: { greeting: (server) => [server] },
      client: async (client, world) => {
        await world.untilCell("a", "check_status", "L4OK");
        await client.connect();
        await client.bytes(1);
        await client.command("set server down/a state maint");
        await client.closed();
        await client.command("set server down/a state ready");
      },
      sees: ['bytes "a"', "set server down/a state maint → ", "closed", "set server down/a state ready → "],
      log: ["D-"],
    },
  ],
);
