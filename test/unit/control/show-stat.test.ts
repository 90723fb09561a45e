import { readFileSync } from "node:fs";
import fc from "fast-check";
import t from "tap";
import { formatCsv, formatJson, formatTyped } from "../../../src/control/show-stat.js";
import { statColumns } from "../../../src/control/stat-columns.js";
import { statRows } from "../../../src/control/stat-rows.js";
import { Cell } from "../../../src/proxy/stats/layout.js";
import type { StatsTable } from "../../../src/proxy/stats/table.js";
import { readCsv } from "./csv-reader.js";
import { demoProxy, makeProxy, makeView } from "./view.js";

/** What HAProxy 2.6.12 answered with `fixtures/haproxy-2.6.cfg`: web01 is checked there, web02 is not. */
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
const theirs = readCsv(fixture("haproxy-2.6-show-stat.csv"));

const busy = (table: StatsTable) => {
  const [first, second] = table.blocks;
  const rows = [table.frontendRow(0), table.serverRow(0, 0), table.serverRow(0, 1), table.backendRow(0)];
  rows.forEach((row, i) => {
    first[row + Cell.sessionsTotal] = 10 + i;
    second[row + Cell.sessionsTotal] = 100;
    first[row + Cell.bytesIn] = 1_000;
    second[row + Cell.bytesIn] = 2_000;
    second[row + Cell.bytesOut] = 5_000_000_000;
    first[row + Cell.responses2xx] = 9;
    first[row + Cell.responses5xx] = 1;
    first[row + Cell.requestsTotal] = 10;
    second[row + Cell.lastSessionMs] = 8_995_000;
    first[row + Cell.redispatches] = 3;
    first[row + Cell.timedRequests] = 2;
    first[row + Cell.totalTimeSum] = 30;
  });
};

t.test("the header is HAProxy's, column for column", async (t) => {
  const [line] = formatCsv(statRows(makeView())).split("\n");
  t.equal(line, fixture("haproxy-2.6-show-stat.csv").split("\n")[0]);
});

t.test("each kind of row fills the very cells that HAProxy fills", async (t) => {
  const ours = readCsv(formatCsv(statRows(makeView())));
  const filled = (rows: string[][], name: string) => {
    const row = rows.find(([proxy, server]) => proxy === "http" && server === name);
    return statColumns.map(([column], i) => `${column} ${row?.[i] === "" ? "empty" : "filled"}`);
  };
  for (const name of ["FRONTEND", "web02", "BACKEND"]) t.same(filled(ours, name), filled(theirs, name), name);
});

t.test("words and constants are HAProxy's", async (t) => {
  const ours = readCsv(formatCsv(statRows(makeView())));
  const columns: readonly string[] = statColumns.map(([name]) => name);
  const constant = ["pxname", "svname", "status", "weight", "act", "bck", "pid", "iid", "sid", "type"];
  constant.push("mode", "algo", "uweight", "rate_lim", "-");
  for (const name of ["FRONTEND", "web02", "BACKEND"]) {
    const pick = (rows: string[][]) => {
      const row = rows.find(([proxy, server]) => proxy === "http" && server === name);
      return constant.map((column) => `${column}=${row?.[columns.indexOf(column)]}`);
    };
    t.same(pick(ours), pick(theirs), name);
  }
});

t.test("rows are FRONTEND, servers, BACKEND, proxy by proxy, and column 10 is bytes out", async (t) => {
  const other = makeProxy("api", []);
  const rows = readCsv(formatCsv(statRows(makeView([demoProxy, other], busy)))).slice(1);
  t.same(
    rows.map((row) => `${row[0]},${row[1]}`),
    ["http,FRONTEND", "http,web01", "http,web02", "http,BACKEND", "api,FRONTEND", "api,BACKEND"],
  );
  t.same(
    rows.map((row) => row[9]),
    ["5000000000", "5000000000", "5000000000", "5000000000", "0", "0"],
  );
});

t.test("a known table gives a known answer", async (t) => {
  const [, frontend, web01, , backend] = formatCsv(statRows(makeView([demoProxy], busy))).split("\n");
  t.equal(
    frontend,
    "http,FRONTEND,,,0,0,2000,110,3000,5000000000,0,0,0,,,,,OPEN,,,,,,,,,1,2,0,,,,0,0,0,0,,,,0,9,0,0,1,0,,0,0,10,,,0,0,0,0,,,,,,,,,,,,,,,,,,,,,http,,0,0,0,0,0,0,0,,,0,0,,,,,,,0,,,,,,,,,-,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,10,3000,5000000000,0,0,",
  );
  t.equal(
    web01,
    "http,web01,0,0,0,0,,111,3000,5000000000,,0,,0,0,0,3,no check,1,1,0,,,3600,,,1,2,1,,0,,2,0,,0,,,,0,9,0,0,1,0,,,,10,0,0,,,,,5,,,0,0,0,15,,,,,,,,,,,,192.168.33.68:80,,http,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,0,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,",
  );
  t.equal(
    backend,
    "http,BACKEND,0,0,0,0,200,113,3000,5000000000,0,0,,0,0,0,3,UP,2,2,0,,0,3600,0,,1,2,0,,0,,1,0,,0,,,,0,9,0,0,1,0,,,,10,0,0,0,0,0,0,5,,,0,0,0,15,,,,,,,,,,,,,,http,roundrobin,,,,,,,0,0,0,0,0,,,0,0,0,0,0,,,,,2,0,0,0,-,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,223,5000000000,3000,0,0,",
  );
});

t.test("a server that never had a session says −1, as HAProxy does", async (t) => {
  const row = statRows(makeView()).find(({ kind }) => kind === "Server");
  t.equal(row?.cells.lastsess, -1);
});

t.test(
  "any name comes back whole through a CSV reader, and every row has the same number of fields",
  async () => {
    const name = fc.string({
      minLength: 1,
      unit: fc.constantFrom("a", "b", ",", '"', "'", " ", "é", ";", "#"),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.array(name, { maxLength: 3 })), { maxLength: 3 }), (list) => {
        const proxies = list.map(([proxy, servers]) =>
          makeProxy(
            proxy,
            servers.map((server) => ({ name: server, host: "10.0.0.1", port: 80 })),
          ),
        );
        const rows = readCsv(formatCsv(statRows(makeView(proxies))));
        const expected = list.flatMap(([proxy, servers]) =>
          ["FRONTEND", ...servers, "BACKEND"].map((server) => [proxy, server]),
        );
        const names = rows.slice(1).map((row) => row.slice(0, 2));
        return (
          JSON.stringify(names) === JSON.stringify(expected) &&
          rows.every((row) => row.length === statColumns.length + 1)
        );
      }),
    );
  },
);

t.test("the typed form has HAProxy's fields, positions, tags and types", async (t) => {
  const fields = (text: string, prefix: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.split(":").slice(0, 3).join(":"));
  const ours = formatTyped(statRows(makeView()));
  for (const prefix of ["F.2.0.", "S.2.2.", "B.2.0."]) {
    t.same(fields(ours, prefix), fields(fixture("haproxy-2.6-show-stat-typed.txt"), prefix), prefix);
  }
});

t.test("the JSON form is HAProxy's list of lists of fields", async (t) => {
  const rows: unknown = JSON.parse(formatJson(statRows(makeView([demoProxy], busy))));
  t.match(rows, [
    [
      {
        objType: "Frontend",
        proxyId: 2,
        id: 0,
        field: { pos: 0, name: "pxname" },
        processNum: 1,
        tags: { origin: "Key", nature: "Name", scope: "Service" },
        value: { type: "str", value: "http" },
      },
    ],
    [{ objType: "Server", id: 1 }],
    [{ objType: "Server", id: 2 }],
    [{ objType: "Backend", id: 0 }],
  ]);
});
