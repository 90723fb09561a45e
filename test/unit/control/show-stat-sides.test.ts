import { readFileSync } from "node:fs";
import t from "tap";
import type { ProxyConfig } from "../../../src/config/config.js";
import { formatCsv } from "../../../src/control/show-stat.js";
import { statColumns } from "../../../src/control/stat-columns.js";
import { statRows } from "../../../src/control/stat-rows.js";
import { Cell } from "../../../src/proxy/stats/layout.js";
import { plainCookie } from "../../http/sections.js";
import { readCsv } from "./csv-reader.js";
import { makeProxy, makeView } from "./view.js";

/** What HAProxy 2.6.12 answered with `fixtures/haproxy-2.6-sides.cfg`: a listen of mode tcp, two frontends and a backend. */
const theirs = readCsv(
  readFileSync(new URL("./fixtures/haproxy-2.6-show-stat-sides.csv", import.meta.url), "utf8"),
);
const columns: readonly string[] = statColumns.map(([name]) => name);

const web02 = { name: "web02", host: "127.0.0.1", port: 18_445 };
const web01 = { name: "web01", host: "127.0.0.1", port: 18_444 };
const proxies: readonly ProxyConfig[] = [
  { ...makeProxy("tls", [web01, web02]), mode: "tcp" },
  { ...makeProxy("web", []), side: "frontend", defaultBackend: "app" },
  { ...makeProxy("api", []), side: "frontend", defaultBackend: "app" },
  { ...makeProxy("app", [web02]), side: "backend", listen: [] },
];

t.test(
  "a frontend has one row, a backend its servers and one, in HAProxy's order and with its numbers",
  async (t) => {
    const ours = readCsv(formatCsv(statRows(makeView(proxies))));
    const constant = ["pxname", "svname", "iid", "sid", "type", "mode", "algo", "slim"];
    const picked = (rows: string[][]) =>
      rows
        .slice(1)
        .map((row) => constant.map((column) => `${column}=${row[columns.indexOf(column)]}`).join(" "));
    t.same(picked(ours), picked(theirs));
  },
);

t.test("rows of mode tcp, and of each side alone, fill the very cells that HAProxy fills", async (t) => {
  const ours = readCsv(formatCsv(statRows(makeView(proxies))));
  for (const [i, row] of theirs.entries()) {
    // web01 is checked there.
    if (i === 0 || row[1] === "web01") continue;
    const filled = (cells: readonly string[]) =>
      statColumns.map(([column], at) => `${column} ${cells[at] === "" ? "empty" : "filled"}`);
    t.same(filled(ours[i]), filled(row), `${row[0]},${row[1]}`);
  }
});

t.test("sessions and bytes of mode tcp are counted, and nothing of HTTP", async (t) => {
  const view = makeView(proxies, (table) => {
    const [block] = table.blocks;
    block[table.frontendRow(0) + Cell.sessionsCurrent] = 3;
    block[table.frontendRow(0) + Cell.bytesIn] = 1_000;
    block[table.backendRow(0) + Cell.connectErrors] = 2;
  });
  const [frontend] = statRows(view);
  t.match(frontend.cells, { mode: "tcp", scur: 3, bin: 1_000, h1_open_connections: 0, h1_bytes_in: 0 });
  const backend = statRows(view).find(({ kind, proxyId }) => kind === "Backend" && proxyId === 2);
  t.match(backend?.cells, { mode: "tcp", econ: 2 });
});

t.test(
  "a server's limit, its line and its cookie are HAProxy's columns, and smax never passes the limit",
  async (t) => {
    const server = { ...web01, maxconn: 3, maxqueue: 5, cookie: "w1" };
    const cookie = { ...plainCookie, indirect: true };
    const view = makeView([{ ...makeProxy("web", [server, web02]), cookie }], (table) => {
      for (const block of table.blocks) {
        block[table.serverRow(0, 0) + Cell.sessionsMax] = 2;
        block[table.serverRow(0, 0) + Cell.queueCurrent] = 1;
        block[table.serverRow(0, 1) + Cell.sessionsMax] = 2;
        block[table.backendRow(0) + Cell.queueMax] = 4;
      }
    });
    const [, first, second, backend] = statRows(view);
    t.match(first.cells, { slim: 3, qlimit: 5, cookie: "w1", smax: 3, qcur: 2 });
    t.match(second.cells, { smax: 4, slim: undefined, qlimit: undefined, cookie: undefined });
    t.match(backend.cells, { cookie: "SRV", qcur: 0, qmax: 8 });
  },
);
