import { describeBytes, describeCount, describeDuration, describeTime } from "./format.js";
import { type Html, html } from "./html.js";
import type { NodeView } from "./node-view.js";
import { type Acting, renderOutcome } from "./page-form.js";
import { pageStyle } from "./page-style.js";
import { renderProxy } from "./proxy-table.js";
import type { Outcome } from "./stats-actions.js";
import { renderVrrp } from "./vrrp-panel.js";

/** How often the page loads itself again. */
const refreshSeconds = 5;

/**
 * The stats page: what this node is, its VRRP instances, a table a proxy. One HTML document without scripts.
 * `path` is the configured path of the page, for the links to its other forms. `acting`: null for a page that only reads.
 * `outcome`: what came of the action before; null: there was none.
 */
export function renderStatsPage(
  view: NodeView,
  path: string,
  refresh: boolean,
  acting: Acting | null = null,
  outcome: Outcome | null = null,
): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh ? html`<meta http-equiv="refresh" content="${refreshSeconds}">\n` : null}<title>${title(view)}</title>
<link rel="icon" href="data:,">
`;
  // The style's hash stands in the content security policy: it must reach the browser as it is.
  return `${page.text}<style>${pageStyle}</style>\n${body(view, path, refresh, acting, outcome).text}</html>\n`;
}

function title(view: NodeView): string {
  const states = view.vrrp.map((instance) => instance.state);
  return [view.node, ...states].join(" · ");
}

function body(
  view: NodeView,
  path: string,
  refresh: boolean,
  acting: Acting | null,
  outcome: Outcome | null,
): Html {
  const link = (option: string, label: string) => html`<a href="${path}${option}">${label}</a>`;
  return html`</head>
<body>
<header>
<h1>${view.node}</h1>
<span class="dim">Tandem ${view.version}, process ${view.pid}</span>
<nav><a href="/dashboard">Dashboard</a>${link(";csv", "CSV")}${link(";json", "JSON")}${
    refresh
      ? link(acting === null ? ";norefresh" : "", "Stop refreshing")
      : link(acting === null ? "" : ";refresh", "Refresh every few seconds")
  }</nav>
</header>
<main>
${outcome === null ? null : renderOutcome(outcome)}${facts(view)}
<h2>VRRP</h2>
${renderVrrp(view)}
${view.proxies.map((proxy, i) => renderProxy(view, proxy, i, acting))}
</main>
<footer>As of ${describeTime(view.nowEpochMs)}${
    refresh ? `, refreshed every ${refreshSeconds} seconds` : ""
  }. Times are averages over the last 1024 requests.</footer>
</body>
`;
}

function facts(view: NodeView): Html {
  const { threads } = view.snapshot;
  const connections = threads.reduce((sum, thread) => sum + thread.connectionsCurrent, 0);
  const idle = threads.length === 0 ? 100 : threads.reduce((n, t) => n + t.idlePercent, 0) / threads.length;
  const items: readonly (readonly [string, string])[] = [
    ["Up", describeDuration(view.nowEpochMs - view.startedEpochMs)],
    ["Engine", view.engine],
    ["Data threads", `${threads.length}, ${Math.round(idle)} % idle`],
    ["Connections", `${describeCount(connections)} of ${describeCount(view.limits.maxconn ?? view.maxconn)}`],
    ["Connection rate", `${describeCount(view.rates.connections.perSecond)}/s`],
    ["Request rate", `${describeCount(view.rates.requests.perSecond)}/s`],
    ["Bytes out", `${describeBytes(view.rates.bytesOut.perSecond)}/s`],
    ["Memory", describeBytes(view.residentBytes)],
  ];
  return html`<dl class="card facts">${items.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}
