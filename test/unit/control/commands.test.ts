import t from "tap";
import { runCommand } from "../../../src/control/commands.js";
import type { ServerTable } from "../../../src/proxy/health/server-table.js";
import { defaultCheck as check } from "../health/check-config.js";
import { readCsv } from "./csv-reader.js";
import { demoProxy, makeProxy, makeView, noActions, nowMonotonicMs } from "./view.js";

const view = () => makeView([demoProxy, makeProxy("api", [{ name: "a1", host: "fd00::1", port: 8080 }])]);
const ask = (line: string) => {
  const answer = runCommand(line.split(" "), view, noActions);
  return answer.kind === "text" ? answer.text : answer;
};
const rows = (line: string) =>
  readCsv(String(ask(line)))
    .slice(1)
    .map(([proxy, server]) => `${proxy},${server}`);

t.test("show stat answers for every proxy", async (t) => {
  t.same(rows("show stat"), [
    "http,FRONTEND",
    "http,web01",
    "http,web02",
    "http,BACKEND",
    "api,FRONTEND",
    "api,a1",
    "api,BACKEND",
  ]);
});

t.test("show stat filters by proxy, type and server as HAProxy does", async (t) => {
  t.same(rows("show stat -1 4 -1"), ["http,web01", "http,web02", "api,a1"]);
  t.same(rows("show stat 2 1 -1"), ["http,FRONTEND"]);
  t.same(rows("show stat api -1 -1"), ["api,FRONTEND", "api,a1", "api,BACKEND"]);
  t.same(rows("show stat 2 7 2"), ["http,FRONTEND", "http,web02", "http,BACKEND"]);
  t.same(rows("show stat 2 7 0"), ["http,FRONTEND", "http,BACKEND"]);
  t.same(rows("show stat 99 7 -1"), []);
});

t.test("show stat leaves out servers in maintenance or down on demand", async (t) => {
  const states = (table: ServerTable) => {
    table.write(0, 0, { ...table.read(0, 0), admin: "maint" }, nowMonotonicMs);
    table.write(0, 2, { ...table.read(0, 2), health: 0 }, nowMonotonicMs);
  };
  const server = (name: string) => ({ name, host: "192.0.2.1", port: 80 });
  const proxy = makeProxy("web", [server("a"), server("b"), { ...server("c"), check }]);
  const shown = (line: string) => {
    const answer = runCommand(line.split(" "), () => makeView([proxy], undefined, {}, states), noActions);
    return readCsv(answer.kind === "text" ? answer.text : "").map(([, name]) => name);
  };
  t.same(shown("show stat"), ["svname", "FRONTEND", "a", "b", "c", "BACKEND"]);
  t.same(shown("show stat no-maint"), ["svname", "FRONTEND", "b", "c", "BACKEND"]);
  t.same(shown("show stat up"), ["svname", "FRONTEND", "b", "BACKEND"]);
  t.same(shown("show stat web 4 -1 up"), ["svname", "b"]);
});

t.test("an incomplete filter is none, and an unknown proxy is said to be so", async (t) => {
  t.equal(rows("show stat 2 7").length, 7);
  t.equal(ask("show stat nobody -1 -1"), "No such proxy.\n");
});

t.test("show stat and show info come as typed lines and as JSON on demand", async (t) => {
  t.match(ask("show stat 2 1 -1 typed"), /^F\.2\.0\.0\.pxname\.1:KNS:str:http\n/);
  t.match(JSON.parse(String(ask("show stat json"))), [[{ objType: "Frontend" }]]);
  t.match(ask("show info typed"), /^0\.Name\.1:POS:str:Tandem\n/);
  t.match(JSON.parse(String(ask("show info json"))), [{ field: { name: "Name" } }]);
});

t.test("an IPv6 server's address is written in brackets", async (t) => {
  t.match(ask("show stat -1 4 -1"), /,\[fd00::1\]:8080,/);
});

t.test("an unknown command lists what may have been meant, or all there is", async (t) => {
  t.match(
    ask("show nothing"),
    /^Unknown command, but maybe one of the following ones is a better match:\n {2}show backend/,
  );
  t.match(ask("foo"), /^Unknown command\. Please enter one of the following commands only:\n/);
  t.match(ask("foo"), /^ {2}quit {36}: disconnect$/m);
});

t.test("help lists all commands, or those that begin alike", async (t) => {
  t.match(ask("help"), /^The following commands are valid at this level:\n/);
  t.notMatch(ask("help show"), /disconnect/);
  t.match(ask("help show"), /show stat/);
});

t.test("set timeout cli takes seconds or a unit, and refuses what is no time", async (t) => {
  t.same(ask("set timeout cli 60"), { kind: "idle-timeout", ms: 60_000 });
  t.same(ask("set timeout cli 2m"), { kind: "idle-timeout", ms: 120_000 });
  t.same(ask("set timeout cli 999d"), { kind: "idle-timeout", ms: 86_400_000 });
  t.equal(ask("set timeout cli 0"), "Invalid timeout value.\n");
  t.equal(ask("set timeout cli 5x"), "Invalid timeout value.\n");
  t.equal(ask("set timeout cli"), "Expects an integer value.\n");
  t.equal(ask("set timeout http 5"), "'set timeout' only supports 'cli'.\n");
});
