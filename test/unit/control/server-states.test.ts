import { readFileSync } from "node:fs";
import t from "tap";
import type { ServerConfig } from "../../../src/config/server-config.js";
import { runCommand } from "../../../src/control/commands.js";
import type { NodeView } from "../../../src/control/node-view.js";
import { showServersState } from "../../../src/control/show-servers-state.js";
import { formatCsv } from "../../../src/control/show-stat.js";
import { statColumns } from "../../../src/control/stat-columns.js";
import { statRows } from "../../../src/control/stat-rows.js";
import type { CheckStatus } from "../../../src/proxy/health/check-status.js";
import { handleServer, type ServerInput } from "../../../src/proxy/health/server-state.js";
import type { ServerTable } from "../../../src/proxy/health/server-table.js";
import { checkEvery } from "../health/check-config.js";
import { readCsv } from "./csv-reader.js";
import { makeProxy, makeView, noActions, nowMonotonicMs } from "./view.js";

/**
 * What HAProxy 2.6.12 answered for these servers five seconds after its start: `ok` had come out of maintenance and warmed
 * up for a second, the next four had failed their first check, `nochk` and `bak` had just been told to drain.
 */
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
const theirs = readCsv(fixture("haproxy-2.6-show-stat-health.csv"));

const check = checkEvery(300, { port: 0 });
const checked = (name: string, port: number, words: Partial<ServerConfig> = {}): ServerConfig => ({
  name,
  host: "127.0.0.1",
  port,
  check: { ...check, port },
  ...words,
});

const proxy = makeProxy("http", [
  checked("ok", 18781, { weight: 10, slowStartMs: 10_000 }),
  checked("sts", 18782),
  checked("con", 18799),
  checked("tout", 18784),
  checked("rsp", 18785),
  { name: "nochk", host: "127.0.0.1", port: 18781 },
  checked("bak", 18781, { backup: true }),
  checked("dis", 18781, { disabled: true }),
]);

function result(status: CheckStatus, code: number | null, durationMs: number): ServerInput {
  return { kind: "checked", result: { status, code, durationMs, detail: "" } };
}

/** The same history, on the clock of the view. */
function history(table: ServerTable): void {
  const apply = (name: string, agoMs: number, ...inputs: ServerInput[]) => {
    const server = proxy.servers.findIndex((candidate) => candidate.name === name);
    const nowMs = nowMonotonicMs - agoMs;
    for (const input of inputs) {
      const { state } = handleServer(table.read(0, server), input, proxy.servers[server], nowMs);
      table.write(0, server, state, nowMs);
    }
    // What the process's start has to do with it: nothing is older here than five seconds.
    const state = table.read(0, server);
    table.write(0, server, { ...state, downtimeMs: state.downtimeMs % 3_600_000 }, nowMonotonicMs);
    table.settleBackend(0, nowMs);
  };
  apply("sts", 5000, result("L7STS", 503, 0));
  apply("con", 5000, result("L4CON", null, 0));
  apply("tout", 5000, result("L7TOUT", null, 301));
  apply("rsp", 5000, result("L7RSP", null, 0));
  const good = result("L7OK", 200, 2);
  apply("ok", 2000, { kind: "admin", state: "maint" });
  apply("ok", 1200, { kind: "admin", state: "ready" }, good);
  apply("bak", 500, result("L7OK", 200, 0), { kind: "admin", state: "drain" });
  apply("nochk", 500, { kind: "admin", state: "drain" });
}

const details: readonly string[] = ["", "Service Unavailable", "Connection refused"];

function view(): NodeView {
  const made = makeView([proxy], undefined, {}, history);
  return {
    ...made,
    backends: made.backends.map((backend) => ({
      ...backend,
      servers: backend.servers.map((server, i) => ({
        ...server,
        check: server.check && { ...server.check, detail: details[i] ?? "" },
      })),
    })),
  };
}

const columns: readonly string[] = statColumns.map(([name]) => name);

function cells(rows: string[][], server: string, names: readonly string[]): string[] {
  const row = rows.find(([, name]) => name === server);
  return names.map((name) => `${name}=${row?.[columns.indexOf(name)]}`);
}

t.test("every state of a server has HAProxy's words and numbers in show stat", async (t) => {
  const ours = readCsv(formatCsv(statRows(view())));
  const names = ["status", "weight", "act", "bck", "chkfail", "chkdown", "lastchg", "throttle"];
  names.push("check_status", "check_code", "check_duration", "last_chk", "check_desc");
  names.push("check_rise", "check_fall", "check_health", "uweight", "hanafail");
  for (const { name } of proxy.servers) {
    // A server that is disabled from the start is older here.
    const compared = name === "dis" ? names.filter((column) => column !== "lastchg") : names;
    // HAProxy writes a 0 where nothing is observed in a row that was just put together, and nothing else.
    t.same(cells(ours, name, compared), cells(theirs, name, compared), name);
  }
  t.same(
    cells(ours, "BACKEND", ["status", "weight", "act", "bck", "chkdown"]),
    cells(theirs, "BACKEND", ["status", "weight", "act", "bck", "chkdown"]),
  );
});

t.test("each kind of server fills the very cells that HAProxy fills", async (t) => {
  const ours = readCsv(formatCsv(statRows(view())));
  const filled = (rows: string[][], name: string) =>
    cells(rows, name, columns).map((cell) => cell.replace(/=.+$/, "=filled"));
  for (const { name } of proxy.servers) t.same(filled(ours, name), filled(theirs, name), name);
});

t.test("a check that runs has HAProxy's star in front of the one before", async (t) => {
  const made = makeView([proxy], undefined, {}, (table) => {
    history(table);
    table.noteChecking(0, 3, true);
  });
  const row = statRows(made).find(({ cells: { svname } }) => svname === "tout");
  t.equal(row?.cells.check_status, "* L7TOUT");
  t.match(showServersState(made, null).split("\n")[5], / 12 0 0 7 /);
});

t.test("show servers state is HAProxy's, line for line", async (t) => {
  const ours = showServersState(view(), null).replace(/^(2 http 8 .* 5 1 1) \d+/m, "$1 5");
  t.equal(ours, fixture("haproxy-2.6-show-servers-state.txt"));
});

t.test("a server with a name for an address, and a check port of its own, says so", async (t) => {
  const named = makeProxy("http", [
    { name: "a", host: "web.example", port: 80, check: { ...check, port: 8080 } },
  ]);
  t.match(showServersState(makeView([named]), "http"), / a - .* web\.example 80 - 0 8080 - - 0\n$/);
});

function ask(line: string, actions = noActions): string {
  const answer = runCommand(line.split(" "), view, actions);
  return answer.kind === "text" ? answer.text : answer.kind;
}

t.test("commands about servers give HAProxy's answers", async (t) => {
  for (const [line, expected] of [
    ["get weight http/ok", "10 (initial 10)\n"],
    ["get weight http/nope", "No such server.\n"],
    ["get weight nope/ok", "No such backend.\n"],
    ["get weight http", "Require 'backend/server'.\n"],
    ["get weight", "Require 'backend/server'.\n"],
    ["set weight http/ok 257", "Absolute weight can only be between 0 and 256 inclusive.\n"],
    ["set weight http/ok -1", "Absolute weight can only be between 0 and 256 inclusive.\n"],
    ["set weight http/ok abc", "Empty weight string empty or preceded by garbage\n"],
    ["set weight http/ok", "Require <weight> or <weight%>.\n"],
    ["set weight http/ok 50", ""],
    ["set server http/ok state blah", "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n"],
    ["set server http/ok state", "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n"],
    ["set server http/ok weight", "Require <weight> or <weight%>.\n"],
    [
      "set server http/ok",
      "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-port | health | state | weight\n",
    ],
    ["set server http", "Require 'backend/server'.\n"],
    ["set server nope/ok state ready", "No such backend.\n"],
    ["disable server http/xx", "No such server.\n"],
    ["enable server", "Require 'backend/server'.\n"],
    ["show servers state nope", "Can't find backend.\n"],
  ])
    t.equal(ask(line), expected, line);
});

t.test("what a command asks for reaches the server that it names", async (t) => {
  const done: string[] = [];
  const actions = {
    ...noActions,
    setState: (...args: unknown[]) => done.push(args.join(" ")),
    setWeight: (...args: unknown[]) => done.push(args.join(" ")),
    setHealth: (...args: unknown[]) => done.push(args.join(" ")),
  };
  for (const line of [
    "set server http/nochk state drain",
    "set server http/nochk state maint",
    "set server http/nochk state ready",
    "disable server http/sts",
    "enable server http/sts",
    "set weight http/ok 50%",
    "set weight http/ok 9999%",
    "set server http/ok weight 0",
    "set server http/ok health down",
  ])
    t.equal(ask(line, actions), "", line);
  t.same(done, [
    "0 5 drain",
    "0 5 maint",
    "0 5 ready",
    "0 1 maint",
    "0 1 ready",
    "0 0 5",
    "0 0 256",
    "0 0 0",
    "0 0 down",
  ]);
});
