import t from "tap";
import type { ServerConfig } from "../../../src/config/server-config.js";
import { handleServer, type ServerInput } from "../../../src/proxy/health/server-state.js";
import { ServerTable } from "../../../src/proxy/health/server-table.js";
import { Cell } from "../../../src/proxy/stats/layout.js";
import { unservedProxies } from "../../../src/proxy/stats/reachability.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";
import { defaultCheck as check } from "../health/check-config.js";

const plain: ServerConfig = { name: "plain", host: "10.0.0.1", port: 80 };
const checked: ServerConfig = { name: "checked", host: "10.0.0.2", port: 80, check };

function node(...servers: ServerConfig[]) {
  const proxies = [{ name: "http", servers }];
  const stats = new StatsTable(proxies, 1);
  const states = new ServerTable(proxies, { nowMs: 0 });
  const input = (server: number, one: ServerInput) =>
    states.write(0, server, handleServer(states.read(0, server), one, servers[server], 1).state, 1);
  const fails = (server: number) => {
    stats.blocks[0][stats.serverRow(0, server) + Cell.lastFailedMs] = 5;
  };
  return { input, fails, unserved: () => unservedProxies(stats, states) };
}

const refused: ServerInput = {
  kind: "checked",
  result: { status: "L4CON", code: null, durationMs: 0, detail: "" },
};

t.test("a proxy is unserved when its servers cannot be reached", async (t) => {
  const { fails, unserved } = node(plain, { ...plain, name: "other" });
  fails(0);
  t.same(unserved(), []);
  fails(1);
  t.same(unserved(), ["http"]);
});

t.test("of a server that is checked its checks decide, not the last request", async (t) => {
  const { fails, input, unserved } = node(checked);
  fails(0);
  t.same(unserved(), []);
  input(0, refused);
  t.same(unserved(), ["http"]);
});

t.test("a proxy whose servers are all taken out is unserved", async (t) => {
  const { input, unserved } = node(plain, checked);
  input(0, { kind: "admin", state: "maint" });
  t.same(unserved(), []);
  input(1, { kind: "admin", state: "drain" });
  t.same(unserved(), ["http"]);
});
