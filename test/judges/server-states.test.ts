import { readFileSync } from "node:fs";
import type { Client } from "./reference/client.js";
import { get, HOLD, ok } from "./reference/origin.js";
import { theme } from "./reference/theme.js";

/** As HAProxy 2.6 was seen to write it. */
const csvHeader = readFileSync(
  new URL("../unit/control/fixtures/haproxy-2.6-show-stat.csv", import.meta.url),
  "utf8",
).split("\n")[0];

const own = { reply: ({ server }: { server: string }) => [ok(server)] };

async function shares(client: Client, count: number): Promise<void> {
  const counts = new Map<string, number>();
  const seen = client.seen.length;
  for (let i = 0; i < count; i++) {
    const { body } = await client.ask(get("/"));
    counts.set(body, (counts.get(body) ?? 0) + 1);
  }
  client.seen.length = seen;
  client.note(
    [...counts]
      .sort()
      .map(([server, n]) => `${server} ${n}`)
      .join(", "),
  );
}

const lines = (count: number): string[] => Array.from({ length: count }, () => "200 ----");

/** Commands whose answers alone are compared. */
const answers = (name: string, commands: readonly string[], sees: readonly string[]) => ({
  name,
  proxy: "web",
  client: async (client: Client) => {
    for (const command of commands) await client.command(command);
  },
  sees: commands.map((command, i) => `${command} → ${sees[i]}`),
  log: [],
});

theme(
  "server states by commands",
  { proxies: { web: { servers: { a: {}, b: {}, c: { weight: 10 } } }, even: { servers: { a: {}, b: {} } } } },
  [
    answers(
      "weights are told",
      ["get weight web/a", "get weight web/c"],
      ["1 (initial 1)", "10 (initial 10)"],
    ),
    answers(
      "what is not there is told",
      [
        "get weight web/z",
        "get weight nowhere/a",
        "set server web/z state ready",
        "disable server x/y",
        "get weight web",
      ],
      [
        "No such server.",
        "No such backend.",
        "No such server.",
        "No such backend.",
        "Require 'backend/server'.",
      ],
    ),
    answers(
      "values that cannot be are told",
      [
        "set server web/a state gone",
        "set weight web/a 257",
        "set weight web/a -1",
        "set weight web/a",
        "set weight web/a x",
      ],
      [
        "'set server <srv> state' expects 'ready', 'drain' and 'maint'.",
        "Absolute weight can only be between 0 and 256 inclusive.",
        "Absolute weight can only be between 0 and 256 inclusive.",
        "Require <weight> or <weight%>.",
        "Empty weight string empty or preceded by garbage",
      ],
    ),
    answers(
      "weights are set and reset",
      ["set weight web/c 50%", "get weight web/c", "set weight web/c 100%", "get weight web/c"],
      ["", "5 (initial 10)", "", "10 (initial 10)"],
    ),
    answers(
      "several commands come in one line",
      ["get weight web/a;get weight web/c"],
      ["1 (initial 1)\n\n10 (initial 10)"],
    ),
    answers(
      "levels may be lowered and not raised",
      ["show cli level", "operator;show cli level", "user;disable server web/a", "operator;get weight web/a"],
      ["admin", "operator", "Permission denied", "1 (initial 1)"],
    ),
    answers(
      "counters are cleared by whom they are not kept from",
      ["operator;clear counters all", "user;clear counters", "operator;clear counters"],
      ["Permission denied", "Permission denied", ""],
    ),
    {
      name: "a disabled server gets nothing until it is enabled",
      anyOrder: true,
      proxy: "even",
      servers: own,
      client: async (client, world) => {
        await client.command("disable server even/a");
        await world.untilCell("a", "status", "MAINT");
        await shares(client, 4);
        await client.command("enable server even/a");
        await world.untilCell("a", "status", "no check");
        await shares(client, 4);
      },
      sees: ["disable server even/a → ", "b 4", "enable server even/a → ", "a 2, b 2"],
      log: lines(8),
    },
    {
      name: "a draining server gets nothing new",
      proxy: "even",
      servers: own,
      client: async (client, world) => {
        await client.command("set server even/b state drain");
        await world.untilCell("b", "status", "DRAIN");
        await shares(client, 4);
        await client.command("set server even/b state ready");
        await world.untilCell("b", "status", "no check");
      },
      sees: ["set server even/b state drain → ", "a 4", "set server even/b state ready → "],
      log: lines(4),
    },
    {
      name: "a draining server finishes what it has",
      proxy: "even",
      servers: { reply: ({ server }) => [HOLD, ok(server)] },
      client: async (client, world) => {
        await client.send(get("/"));
        await world.untilAsked(1);
        await client.quietly("set server even/a state drain");
        await client.quietly("set server even/b state drain");
        world.letGo();
        await client.answer();
        await client.quietly("set server even/a state ready");
        await client.quietly("set server even/b state ready");
      },
      sees: ['200 "a"'],
      log: lines(1),
    },
    {
      name: "with every server in maintenance it is a 503",
      proxy: "even",
      client: async (client, world) => {
        await client.quietly("disable server even/a;disable server even/b");
        await world.untilCell("BACKEND", "status", "DOWN");
        await client.ask(get("/"));
        await client.quietly("enable server even/a;enable server even/b");
        await world.untilCell("BACKEND", "status", "UP");
      },
      sees: ["503 of the proxy"],
      log: ["503 SC--"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "a weight that is set counts at once",
      proxy: "even",
      servers: own,
      client: async (client, world) => {
        await client.command("set server even/a weight 3");
        await world.untilCell("a", "weight", "3");
        await shares(client, 8);
        await client.command("set server even/a weight 1");
        await world.untilCell("a", "weight", "1");
      },
      sees: ["set server even/a weight 3 → ", "a 6, b 2", "set server even/a weight 1 → "],
      log: lines(8),
    },
    {
      name: "a weight of 0 drains",
      proxy: "even",
      servers: own,
      client: async (client, world) => {
        await client.command("set weight even/a 0");
        await world.untilCell("a", "weight", "0");
        await shares(client, 4);
        client.note((await world.stat()).get("even/a")?.get("status") ?? "");
        await client.command("set weight even/a 1");
        await world.untilCell("a", "weight", "1");
      },
      sees: ["set weight even/a 0 → ", "b 4", "no check", "set weight even/a 1 → "],
      log: lines(4),
    },
    {
      name: "show servers state tells of them",
      proxy: "even",
      client: async (client, world) => {
        await client.quietly("disable server even/b");
        await world.untilCell("b", "status", "MAINT");
        const text = await client.quietly("show servers state even");
        const [version, header, ...rows] = text.trim().split("\n");
        client.note(`version ${version}`);
        const columns = header.slice(2).split(" ");
        client.note(columns.length === 25 ? "25 columns" : header);
        // Of what is not checked the health is a number of HAProxy's own.
        const hidden = ["be_id", "srv_time_since_last_change", "srv_check_health", "srv_port"];
        for (const row of rows) {
          const cells = row.split(" ").filter((_, i) => !hidden.includes(columns[i]));
          client.note(cells.join(" "));
        }
        await client.quietly("enable server even/b");
        await world.untilCell("b", "status", "no check");
      },
      sees: [
        "version 1",
        "25 columns",
        "even 1 a 127.0.0.1 2 0 1 1 1 0 0 0 0 0 - - 0 0 - - 0",
        "even 2 b 127.0.0.1 0 1 1 1 1 0 0 0 0 0 - - 0 0 - - 0",
      ],
      log: [],
    },
    {
      name: "the CSV has a row for each side and every server, and HAProxy's columns",
      proxy: "even",
      client: async (client) => {
        const [header, ...rows] = (await client.quietly("show stat")).trim().split("\n");
        client.note(rows.map((row) => row.split(",").slice(0, 2).join("/")).join(" "));
        client.note(header);
      },
      sees: [
        "web/FRONTEND web/a web/b web/c web/BACKEND even/FRONTEND even/a even/b even/BACKEND",
        csvHeader,
      ],
      log: [],
    },
    {
      name: "show stat takes a proxy, a type and a server",
      proxy: "even",
      client: async (client) => {
        for (const filter of ["even 4 -1", "even 1 -1", "even 7 1", "nobody 1 1"]) {
          const rows = (await client.quietly(`show stat ${filter}`)).trim().split("\n");
          client.note(`${filter}: ${rows.map((row) => row.split(",")[1] ?? row).join(" ")}`);
        }
      },
      sees: [
        "even 4 -1: svname a b",
        "even 1 -1: svname FRONTEND",
        "even 7 1: svname FRONTEND a BACKEND",
        "nobody 1 1: No such proxy.",
      ],
      log: [],
    },
  ],
);

theme("counters", { proxies: { solo: { servers: { a: {} } } } }, [
  {
    name: "cleared counters begin anew",
    proxy: "solo",
    servers: own,
    client: async (client, world) => {
      await shares(client, 3);
      // Not in the moment between a client's answer and the last of its counters.
      await world.untilLogged(3);
      await client.command("clear counters all");
      await shares(client, 2);
    },
    sees: ["a 3", "clear counters all → ", "a 2"],
    log: lines(5),
  },
]);
