import { createServer } from "node:net";
import t from "tap";
import type { Client } from "./reference/client.js";
import { get, HOLD, ok } from "./reference/origin.js";
import { theme, type World } from "./reference/theme.js";

/** An agent that says what it is sent, so that each peer's is told what to say by `agent-send`; `_` stands for a space. */
const agent = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (bytes) => socket.end(`${bytes.toString("latin1").replaceAll("_", " ")}\n`));
});
const port = await new Promise<number>((resolve) =>
  agent.listen(0, "127.0.0.1", () => {
    const address = agent.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  }),
);
t.teardown(() => agent.close());

const asked = {
  haproxy: `agent-check agent-port ${port} agent-inter 100ms agent-send hello`,
  tandem: { agent_check: { port, inter: "100ms", timeout: "5s", send: "hello" } },
} as const;
/** A busy machine is no deaf agent. */
const slowCheck = ["timeout check 5s"];
const quick = { inter: 100, rise: 2, fall: 3 };

const columns = [
  "status",
  "uweight",
  "slim",
  "agent_status",
  "agent_code",
  "agent_desc",
  "agent_health",
] as const;

/** The row while no question is open: HAProxy forgets what the agent has said when it asks again. */
async function rowBetween(world: World, name: string) {
  for (let tries = 0; tries < 500; tries++) {
    const row = (await world.stat()).get(name);
    if (row?.get("agent_status")?.startsWith("* ") !== true) return row;
  }
  throw new Error(`${world.peer}: the agent of ${name} is asked without a pause`);
}

/** Each answer of the agent of server a, until a column shows it; then what the row says of it. */
async function hear(
  client: Client,
  world: World,
  proxy: string,
  steps: readonly (readonly [says: string, column: string, value: string])[],
): Promise<void> {
  for (const [says, column, value] of steps) {
    await client.command(`set server ${proxy}/a agent-send ${says}`);
    client.seen.pop();
    await world.untilCell("a", column, value);
    const row = await rowBetween(world, `${proxy}/a`);
    const shown = columns.map((name) => row?.get(name)?.replace("* ", "") ?? "");
    client.note(`${says}: ${shown.join(" | ")} | ${row?.get("last_agt") ?? ""}`);
  }
}

const checked = { check: quick, weight: 10 };
const patient = { check: { ...quick, timeout: "5s" } };

theme(
  "agents",
  {
    proxies: {
      web: {
        haproxy: slowCheck,
        servers: { a: { ...checked, ...asked, tandem: { ...asked.tandem, ...patient } }, b: {} },
      },
      alone: { haproxy: slowCheck, servers: { a: { ...asked, weight: 10 } } },
      limited: { haproxy: slowCheck, servers: { a: { ...asked } }, timeouts: { queue: 30_000 } },
      unasked: { servers: { a: {} } },
    },
  },
  [
    {
      name: "each word of an agent counts, and the row of its server tells of it",
      proxy: "web",
      spread: "checks",
      client: (client, world) =>
        hear(client, world, "web", [
          ["up", "last_agt", "via agent : up"],
          ["50%", "uweight", "5"],
          ["300%,up", "uweight", "30"],
          ["up,9999%_#_fine", "uweight", "256"],
          ["down_#_sick_today", "status", "DOWN (agent)"],
          ["ready", "agent_status", "CHECKED"],
          ["UP,100%", "status", "UP"],
          ["fail#x", "last_agt", "agent reports an error : fail#x"],
          ["fail_#x", "status", "DOWN (agent)"],
          ["up", "status", "UP"],
          ["stopped", "status", "DOWN (agent)"],
          ["bogus", "last_agt", "agent reports an error : bogus"],
          ["up_bogus", "last_agt", "via agent : up (bogus)"],
          ["drain", "status", "DRAIN (agent)"],
          ["up", "agent_status", "L7OK"],
          ["ready,75%", "status", "UP"],
          ["maint", "status", "MAINT"],
          ["down", "agent_health", "0"],
          ["ready,up", "status", "UP"],
          ["50", "last_agt", "agent reports an error : 50"],
          ["-5%", "last_agt", "agent reports an error : -5%"],
          ["maxconn:x", "last_agt", "agent warns : maxconn string empty or preceded by garbage"],
          ["maxconn:7,up", "slim", "7"],
          ["100%,maxconn:0,up", "slim", ""],
        ]),
      sees: [
        "up: UP | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        "50%: UP | 5 |  | CHECKED |  | No status change | 1 | ",
        "300%,up: UP | 30 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        "up,9999%_#_fine: UP | 256 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up (fine)",
        "down_#_sick_today: DOWN (agent) | 256 |  | L7STS | 0 | Layer7 wrong status | 0 | via agent : down (sick today)",
        "ready: DOWN (agent) | 256 |  | CHECKED |  | No status change | 0 | ",
        "UP,100%: UP | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : UP",
        "fail#x: UP | 10 |  | CHECKED |  | No status change | 1 | agent reports an error : fail#x",
        "fail_#x: DOWN (agent) | 10 |  | L7STS | 0 | Layer7 wrong status | 0 | via agent : fail (x)",
        "up: UP | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        "stopped: DOWN (agent) | 10 |  | L7STS | 0 | Layer7 wrong status | 0 | via agent : stopped",
        "bogus: DOWN (agent) | 10 |  | CHECKED |  | No status change | 0 | agent reports an error : bogus",
        "up_bogus: UP | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up (bogus)",
        "drain: DRAIN (agent) | 10 |  | CHECKED |  | No status change | 1 | ",
        "up: DRAIN (agent) | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        "ready,75%: UP | 7 |  | CHECKED |  | No status change | 1 | ",
        "maint: MAINT | 7 |  | CHECKED |  | No status change | 1 | ",
        "down: MAINT | 7 |  | L7STS | 0 | Layer7 wrong status | 0 | via agent : down",
        "ready,up: UP | 7 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        "50: UP | 7 |  | CHECKED |  | No status change | 1 | agent reports an error : 50",
        "-5%: UP | 7 |  | CHECKED |  | No status change | 1 | agent reports an error : -5%",
        "maxconn:x: UP | 7 |  | CHECKED |  | No status change | 1 | agent warns : maxconn string empty or preceded by garbage",
        "maxconn:7,up: UP | 7 | 7 | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        "100%,maxconn:0,up: UP | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
      ],
      log: [],
    },
    {
      name: "a server without checks goes by its agent alone",
      proxy: "alone",
      servers: { reply: ({ server }) => [ok(server)] },
      client: async (client, world) => {
        await hear(client, world, "alone", [["up", "last_agt", "via agent : up"]]);
        await client.ask(get("/"));
        await hear(client, world, "alone", [["down", "status", "DOWN (agent)"]]);
        await client.ask(get("/"));
        await hear(client, world, "alone", [["up", "status", "no check"]]);
        await client.ask(get("/"));
      },
      sees: [
        "up: no check | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        '200 "a"',
        "down: DOWN (agent) | 10 |  | L7STS | 0 | Layer7 wrong status | 0 | via agent : down",
        "503 of the proxy",
        "up: no check | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        '200 "a"',
      ],
      log: ["200 ----", "503 SC--", "200 ----"],
      tandem: { because: "no-server", cells: { "BACKEND econ": ["1", ""] } },
    },
    {
      name: "an agent that cannot be reached changes nothing",
      proxy: "alone",
      servers: { reply: ({ server }) => [ok(server)] },
      client: async (client, world) => {
        await client.command("set server alone/a agent-port 1");
        await world.untilCell("a", "last_agt", "Connection refused");
        await hear(client, world, "alone", [["up", "agent_status", "L4CON"]]);
        await client.ask(get("/"));
        await client.command(`set server alone/a agent-addr 127.0.0.1 port ${port}`);
        await world.untilCell("a", "last_agt", "via agent : up");
        client.seen[client.seen.length - 1] = "set back";
      },
      sees: [
        "set server alone/a agent-port 1 → ",
        "up: no check | 10 |  | L4CON |  | Layer4 connection problem | 1 | Connection refused",
        '200 "a"',
        "set back",
      ],
      log: ["200 ----"],
    },
    {
      name: "an operator may overrule an agent, and stop listening to it",
      proxy: "alone",
      client: async (client, world) => {
        await hear(client, world, "alone", [["50%", "uweight", "5"]]);
        const status = async () => {
          const row = (await world.stat()).get("alone/a");
          client.note(`${row?.get("status")}, ${row?.get("agent_health")}, ${row?.get("agent_desc")}`);
        };
        await client.command("set server alone/a agent down");
        await status();
        await client.command("disable agent alone/a");
        await client.command("set server alone/a agent up");
        await client.command("set server alone/a agent-send down");
        await client.command("set weight alone/a 7");
        await client.command("get weight alone/a");
        await client.command("enable agent alone/a");
        await world.untilCell("a", "uweight", "5");
        await client.command("set server alone/a agent up");
        await status();
        await hear(client, world, "alone", [["up,100%", "uweight", "10"]]);
      },
      sees: [
        "50%: no check | 5 |  | CHECKED |  | No status change | 1 | ",
        "set server alone/a agent down → ",
        "DOWN (agent), 0, No status change",
        "disable agent alone/a → ",
        "set server alone/a agent up → agent checks are not enabled on this server.",
        "set server alone/a agent-send down → agent checks are not enabled on this server.",
        "set weight alone/a 7 → ",
        "get weight alone/a → 7 (initial 10)",
        "enable agent alone/a → ",
        "set server alone/a agent up → ",
        "no check, 1, No status change",
        "up,100%: no check | 10 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
      ],
      log: [],
      tandem: { because: "disabled-agent", cells: { "BACKEND chkdown": ["1", "2"] } },
    },
    {
      name: "what cannot be done with an agent is told",
      proxy: "unasked",
      client: async (client) => {
        for (const command of [
          "set server unasked/a agent up",
          "set server unasked/a agent-send x",
          "set server unasked/a agent-port 5",
          "set server unasked/a agent-addr 127.0.0.1",
          "enable agent unasked/a",
          "disable agent unasked/a",
          "enable agent unasked/z",
          "set server alone/a agent sideways",
          "set server alone/a agent-port",
          "set server alone/a agent-port 99999",
          "set server alone/a agent-addr",
        ])
          await client.command(command);
      },
      sees: [
        "set server unasked/a agent up → agent checks are not enabled on this server.",
        "set server unasked/a agent-send x → agent checks are not enabled on this server.",
        "set server unasked/a agent-port 5 → agent checks are not enabled on this server",
        "set server unasked/a agent-addr 127.0.0.1 → agent checks are not enabled on this server",
        "enable agent unasked/a → Agent was not configured on this server, cannot enable.",
        "disable agent unasked/a → ",
        "enable agent unasked/z → No such server.",
        "set server alone/a agent sideways → 'set server <srv> agent' expects 'up' or 'down'.",
        "set server alone/a agent-port → set server <b>/<s> agent-port requires a port.",
        "set server alone/a agent-port 99999 → provided port is invalid",
        "set server alone/a agent-addr → set server <b>/<s> agent-addr requires an address and optionally a port.",
      ],
      log: [],
    },
    {
      name: "an agent's maxconn holds requests back",
      proxy: "limited",
      servers: { reply: ({ server }) => [HOLD, ok(server)] },
      client: async (client, world) => {
        await hear(client, world, "limited", [["maxconn:1,up", "slim", "1"]]);
        for (let i = 0; i < 3; i++) {
          await client.connect();
          await client.send(get(`/${i}`));
        }
        await world.untilCell("BACKEND", "qcur", "2");
        world.letGo();
        for (let i = 1; i <= 3; i++) {
          client.use(i);
          await client.answer();
        }
        const row = (await world.stat()).get("limited/a");
        client.note(`smax ${row?.get("smax")}`);
        await hear(client, world, "limited", [["maxconn:0,up", "slim", ""]]);
      },
      sees: [
        "maxconn:1,up: no check | 1 | 1 | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
        '200 "a"',
        '200 "a"',
        '200 "a"',
        "smax 1",
        "maxconn:0,up: no check | 1 |  | L7OK | 0 | Layer7 check passed | 1 | via agent : up",
      ],
      log: ["200 ----", "200 ----", "200 ----"],
      tandem: { because: "queued", cells: { "a lbtot": ["1", "3"], "BACKEND lbtot": ["1", "3"] } },
    },
  ],
);
