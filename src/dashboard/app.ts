import type {
  DashboardEvent,
  DashboardHistory,
  DashboardState,
  InstanceSummary,
  NodeSummary,
  ProxySummary,
  ServerSummary,
} from "../control/dashboard/shape.js";
import { Charts } from "./charts.js";
import {
  byId,
  describeAge,
  describeClock,
  describeCount,
  describePercentiles,
  element,
  fact,
} from "./elements.js";
import { findingCards, partnerSections } from "./partner-servers.js";

/** As `dashboardFormat` where this state is made: of another one nothing here can be believed. */
const format = 3;

let charts: Charts | null = null;
/** A field that somebody is typing in is not taken away from him. */
let isEditing = false;

function isState(value: unknown): value is DashboardState {
  return typeof value === "object" && value !== null && "format" in value && value.format === format;
}

function isHistory(value: unknown): value is DashboardHistory {
  return typeof value === "object" && value !== null && "series" in value && "samples" in value;
}

async function loadHistory(): Promise<void> {
  const answer = await fetch("/api/dashboard/history");
  const history: unknown = await answer.json();
  if (isHistory(history)) charts = new Charts(byId("charts"), history);
}

function listen(): void {
  const stream = new EventSource("/api/dashboard/events");
  const live = byId("live");
  stream.addEventListener("message", ({ data }) => {
    const state: unknown = JSON.parse(data);
    if (!isState(state)) {
      location.reload();
      return;
    }
    live.textContent = `live, ${describeClock(state.nowEpochMs)}`;
    live.className = "dim";
    show(state);
  });
  // The browser tries again by itself.
  stream.addEventListener("error", () => {
    live.textContent = "this node does not answer; trying again";
    live.className = "bad";
  });
}

function show(state: DashboardState): void {
  const [self] = state.nodes;
  const states = state.instances.map((instance) => instance.state);
  byId("title").textContent = self?.name ?? "Tandem";
  document.title = [self?.name ?? "Tandem", ...states].join(" · ");
  byId("nodes").replaceChildren(...state.nodes.map(nodeCard));
  byId("instances").replaceChildren(...state.instances.map((instance) => instanceCard(instance, state)));
  if (!isEditing)
    byId("proxies").replaceChildren(...state.proxies.flatMap((proxy) => proxyTable(proxy, state)));
  byId("findings").replaceChildren(...findingCards(state.findings));
  byId("partners").replaceChildren(...state.partners.flatMap(partnerSections));
  byId("events").replaceChildren(...eventList(state.events));
  const series = state.proxies.filter(({ requestsPerSecond }) => requestsPerSecond !== null);
  // Another configuration has other lines.
  if (charts !== null && series.map(({ name }) => name).join() !== charts.series.join()) {
    charts = null;
    void loadHistory();
  }
  charts?.add(state.sample);
}

function nodeCard({ name, how, isSilent, routers, load, isSelf }: NodeSummary): HTMLElement {
  const badges = routers.map(({ instance, state, priority }) =>
    element(
      "span",
      "row",
      element("span", `badge ${state}`, state),
      element("span", "dim", `${instance}, priority ${priority}`),
    ),
  );
  return element(
    "div",
    `card pad${isSilent ? " silent" : ""}`,
    element(
      "div",
      "row",
      element("h3", "", name),
      element("span", "dim", isSelf ? `this node, ${how}` : how),
    ),
    element("div", "row", ...badges),
    load === null
      ? null
      : element(
          "dl",
          "",
          fact("Requests/s", describeCount(load.requestsPerSecond)),
          fact("Connections", describeCount(load.connections)),
          fact("Servers up", `${load.serversUp} of ${load.serversTotal}`),
        ),
  );
}

function instanceCard(instance: InstanceSummary, { nowEpochMs, readOnly }: DashboardState): HTMLElement {
  const { name, addresses, state, sinceEpochMs, reason, master, ifStopped, isDrained, splitBrain, advice } =
    instance;
  const button = element("button", "end", isDrained ? "Serve again" : "Drain this node");
  button.disabled = readOnly !== null;
  button.title = readOnly ?? (isDrained ? "It may become master again" : "The partner becomes master");
  button.addEventListener("click", () => void post("/api/drain", { drained: !isDrained }, button));
  const age = describeAge(nowEpochMs - sinceEpochMs);
  return element(
    "div",
    "card pad instance",
    element(
      "div",
      "row",
      element("span", "vip", addresses.join(", ")),
      element("span", `badge ${state}`, state),
      element("span", "dim", `${name}, for ${age} (since ${describeClock(sinceEpochMs)}): ${reason}`),
      button,
    ),
    splitBrain === null ? null : element("p", "bad", `Split brain: ${splitBrain}`),
    element("p", "", `Master: ${master}`),
    element("p", "dim", `If this node stopped: ${ifStopped}`),
    ...advice.map((sentence) => element("p", "warn", sentence)),
  );
}

function proxyTable(
  { name, listen, servers, requestsPerSecond, latency }: ProxySummary,
  state: DashboardState,
): HTMLElement[] {
  const rate = requestsPerSecond === null ? "" : `, ${describeCount(requestsPerSecond)} requests/s`;
  const times = latency === null ? "" : `, p50 / p99 ${describePercentiles(latency)} ms`;
  const heading = element("h2", "", name, " ", element("span", "dim", `${listen.join(", ")}${rate}${times}`));
  if (servers.length === 0) return [heading];
  const titles = [
    "Status",
    "Requests/s",
    "Sessions",
    "Response, ms",
    "p50 / p99, ms",
    "Errors",
    "Weight",
    "",
  ];
  const head = element(
    "tr",
    "",
    element("th", "left", "Server"),
    ...titles.map((title) => element("th", "", title)),
  );
  head.children[1]?.classList.add("left");
  const rows = servers.map((server) => serverRow(name, server, state.readOnly));
  return [
    heading,
    element(
      "div",
      "card scroll",
      element("table", "", element("thead", "", head), element("tbody", "", ...rows)),
    ),
  ];
}

function serverRow(proxy: string, server: ServerSummary, readOnly: string | null): HTMLElement {
  const { name, address, status, tone, detail, admin, weight } = server;
  const url = `/api/servers/${encodeURIComponent(proxy)}/${encodeURIComponent(name)}`;
  const statusCell = element("td", `left ${tone}`, status);
  statusCell.title = detail;
  const field = element("input", "");
  field.type = "number";
  field.min = "0";
  field.max = "256";
  field.value = String(weight);
  field.disabled = readOnly !== null;
  field.ariaLabel = `weight of ${name}`;
  field.addEventListener("focus", () => {
    isEditing = true;
  });
  field.addEventListener("blur", () => {
    isEditing = false;
  });
  field.addEventListener("change", () => {
    field.blur();
    void post(url, { weight: Number(field.value) }, field);
  });
  const act = (label: string, to: ServerSummary["admin"]): HTMLElement | null => {
    if (to === admin) return null;
    const button = element("button", "", label);
    button.disabled = readOnly !== null;
    button.title = readOnly ?? "";
    button.addEventListener("click", () => void post(url, { state: to }, button));
    return button;
  };
  return element(
    "tr",
    "",
    element("th", "", name, " ", element("span", "dim", address)),
    statusCell,
    element("td", "", describeCount(server.requestsPerSecond)),
    element("td", "", describeCount(server.sessions)),
    element("td", "", String(server.responseMs)),
    element("td", "", describePercentiles(server.latency)),
    element("td", server.errors > 0 ? "warn" : "", describeCount(server.errors)),
    element("td", "", field),
    element(
      "td",
      "",
      element("span", "row", act("Ready", "ready"), act("Drain", "drain"), act("Maintenance", "maint")),
    ),
  );
}

function eventList(events: readonly DashboardEvent[]): HTMLElement[] {
  const items = events.toReversed().map(({ epochMs, tone, text }) => {
    const time = element("time", "", describeClock(epochMs));
    time.dateTime = new Date(epochMs).toISOString();
    return element("li", tone, time, text);
  });
  const empty = element("p", "card pad dim", "Nothing yet.");
  return [element("h2", "", "What happened"), items.length === 0 ? empty : element("ol", "card", ...items)];
}

/** Says on the control itself what went wrong. */
async function post(url: string, body: object, control: HTMLButtonElement | HTMLInputElement): Promise<void> {
  control.disabled = true;
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (answer?.ok === true) {
    const state: unknown = await answer.json();
    if (isState(state)) show(state);
    return;
  }
  control.disabled = false;
  control.title = answer === null ? "this node does not answer" : await answer.text();
  control.classList.add("bad");
}

await loadHistory();
listen();
