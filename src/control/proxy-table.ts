import type { ProxyConfig } from "../config/config.js";
import { hasBackend, hasFrontend } from "../config/proxy-sides.js";
import type { RowRates } from "../proxy/stats/rates.js";
import type { RowSnapshot } from "../proxy/stats/snapshot.js";
import { describeBytes, describeCount, describeDuration, describeEndpoint } from "./format.js";
import { type Html, html } from "./html.js";
import type { NodeView } from "./node-view.js";
import { type Acting, renderForm, renderMark } from "./page-form.js";
import type { CheckView, ServerView } from "./server-view.js";
import { firstProxyId } from "./stat-rows.js";

/** One proxy on the stats page: its frontend, its servers, its backend, in the columns that HAProxy shows. */
export function renderProxy(
  view: NodeView,
  proxy: ProxyConfig,
  proxyIndex: number,
  acting: Acting | null = null,
): Html {
  const counters = view.snapshot.proxies[proxyIndex];
  const rates = view.rates.proxies[proxyIndex];
  const backend = view.backends[proxyIndex];
  const listen = proxy.listen.map(({ address, port }) => describeEndpoint(address, port)).join(", ");
  const acts = proxy.servers.length > 0 ? acting : null;
  const table = html`<div class="card scroll"><table>
<thead>
<tr class="groups"><th colspan="2"></th><th class="g" colspan="3">Sessions</th><th class="g" colspan="2">Requests/s</th>
<th class="g" colspan="2">Bytes</th><th class="g" colspan="3">Errors</th><th class="g" colspan="2">Warnings</th>
<th class="g" colspan="6">Responses</th><th class="g" colspan="3">Times, ms</th><th class="g" colspan="2">Connections</th>
<th class="g"></th></tr>
<tr><th class="left">Name</th><th class="left">Status</th>
<th class="g">Now</th><th>Max</th><th>Total</th>
<th class="g">Now</th><th>Max</th>
<th class="g">In</th><th>Out</th>
<th class="g">Req</th><th>Conn</th><th>Resp</th>
<th class="g">Retr</th><th>Redis</th>
<th class="g">1xx</th><th>2xx</th><th>3xx</th><th>4xx</th><th>5xx</th><th>Other</th>
<th class="g">Connect</th><th>Response</th><th>Total</th>
<th class="g">Idle</th><th>Reused</th>
<th class="g">Last used</th></tr>
</thead>
<tbody>
${hasFrontend(proxy) ? tableRow(view, "FRONTEND", status("OPEN", "ok"), "side", counters.frontend, rates.frontend) : ""}
${proxy.servers.map((server, j) => {
  const address = describeEndpoint(backend.servers[j].host, backend.servers[j].port);
  const backup = server.backup === true ? " backup" : "";
  const mark = acts === null ? null : renderMark(server.name);
  const name = html`${mark}${server.name} <span class="dim">${address}${backup}</span>`;
  return tableRow(
    view,
    name,
    serverStatus(backend.servers[j]),
    "server",
    counters.servers[j],
    rates.servers[j],
  );
})}
${hasBackend(proxy) ? tableRow(view, "BACKEND", backend.isUp ? status("UP", "ok") : status("DOWN", "bad"), "side", counters.backend, rates.backend) : ""}
</tbody>
</table></div>
`;
  return html`<h2>${proxy.name} <span class="dim">${listen}</span></h2>
${acts === null ? table : renderForm(acts, firstProxyId + proxyIndex, table)}`;
}

function tableRow(
  view: NodeView,
  name: string | Html,
  status: Html,
  kind: "side" | "server",
  row: RowSnapshot,
  rates: RowRates,
): Html {
  const lastUsed =
    row.lastSessionMs === 0 ? "–" : `${describeDuration(view.nowMonotonicMs - row.lastSessionMs)} ago`;
  return html`<tr class="${kind}"><th>${name}</th>
${status}
${count(row.sessionsCurrent, "g")}${count(row.sessionsMax)}${count(row.sessionsTotal)}
${count(rates.requests.perSecond, "g")}${count(rates.requests.max)}
<td class="g">${describeBytes(row.bytesIn)}</td><td>${describeBytes(row.bytesOut)}</td>
${count(row.requestErrors, "g", "warn")}${count(row.connectErrors, "", "bad")}${count(row.responseErrors, "", "bad")}
${count(row.retries, "g", "warn")}${count(row.redispatches, "", "warn")}
${count(row.responses1xx, "g")}${count(row.responses2xx)}${count(row.responses3xx)}${count(
  row.responses4xx,
  "",
  "warn",
)}${count(row.responses5xx, "", "bad")}${count(row.responsesOther)}
${count(row.connectTimeAverage, "g")}${count(row.responseTimeAverage)}${count(row.totalTimeAverage)}
${count(row.idleConnections, "g")}${count(row.reuses)}
<td class="g">${lastUsed}</td></tr>`;
}

function serverStatus({ status: word, isStopped, isUsable, admin, check }: ServerView): Html {
  const detail = check === null || admin === "maint" ? "" : checkSummary(check);
  if (admin !== "ready") return status(word, "warn", detail);
  if (isStopped) return status(word, "bad", detail);
  return status(word, check === null ? "dim" : isUsable && word === "UP" ? "ok" : "warn", detail);
}

/** `L7STS/503 in 3ms, Service Unavailable`, as HAProxy's page has it. */
function checkSummary({ status: word, code, durationMs, detail }: CheckView): string {
  const time = durationMs === null ? "" : ` in ${durationMs}ms`;
  return `${word}${code === null ? "" : `/${code}`}${time}${detail === "" ? "" : `, ${detail}`}`;
}

function status(word: string, colour: "ok" | "warn" | "bad" | "dim", detail = ""): Html {
  return detail === ""
    ? html`<td class="left ${colour}">${word}</td>`
    : html`<td class="left ${colour}" title="${detail}">${word}</td>`;
}

/** A number's cell: 0 is faint, and what should be 0 is coloured when it is not. */
function count(value: number, edge: "" | "g" = "", alarm: "" | "warn" | "bad" = ""): Html {
  const rounded = Math.round(value);
  const classes = [edge, rounded === 0 ? "zero" : alarm].filter((name) => name !== "").join(" ");
  return classes === ""
    ? html`<td>${describeCount(rounded)}</td>`
    : html`<td class="${classes}">${describeCount(rounded)}</td>`;
}
