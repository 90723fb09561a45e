import { hasBackend } from "../config/proxy-sides.js";
import type { AdminState } from "../proxy/health/server-state.js";
import type { ServerTarget } from "../proxy/health/server-target.js";
import { type AgentActions, setAgent } from "./agent-commands.js";
import type { Command } from "./commands.js";
import type { NodeView } from "./node-view.js";
import { findIndex, onServer, type Place, text } from "./server-place.js";
import { type AddressAnswer, setAddress, setCheckPort } from "./set-server-address.js";
import { showServersConn } from "./show-servers-conn.js";
import { showServersState } from "./show-servers-state.js";

/** What the stats socket may change of a server; what it may not is refused before. */
export interface ServerActions {
  setState(proxy: number, server: number, state: AdminState): void;
  /** 0–256. */
  setWeight(proxy: number, server: number, weight: number): void;
  setTarget(proxy: number, server: number, target: ServerTarget): void;
  /** Of a server that has checks. */
  setHealth(proxy: number, server: number, health: "up" | "down"): void;
}

const done = "";

/** Commands about servers, with HAProxy's answers: each text is one that HAProxy 2.6 was seen to give. */
export const serverCommands: readonly Command[] = [
  {
    words: ["disable", "server"],
    level: "admin",
    usage: "disable server (DEPRECATED)",
    summary: "disable a server for maintenance (use 'set server' instead)",
    run: (args, view, actions) => onServer(args, view(), (at) => setState(at, "maint", actions)),
  },
  {
    words: ["enable", "server"],
    level: "admin",
    usage: "enable server  (DEPRECATED)",
    summary: "enable a disabled server (use 'set server' instead)",
    run: (args, view, actions) => onServer(args, view(), (at) => setState(at, "ready", actions)),
  },
  {
    words: ["get", "weight"],
    usage: "get weight <bk>/<srv>",
    summary: "report a server's current weight",
    run: (args, view) =>
      onServer(args, view(), (at) => `${at.view.userWeight} (initial ${at.initialWeight})\n`),
  },
  {
    words: ["set", "server"],
    level: "admin",
    usage: "set server <bk>/<srv> [opts]",
    summary: "change a server's state, weight or address",
    run: (args, view, actions) => onServer(args, view(), (at) => setServer(at, args.slice(1), actions)),
  },
  {
    words: ["set", "weight"],
    level: "admin",
    usage: "set weight <bk>/<srv>  (DEPRECATED)",
    summary: "change a server's weight (use 'set server' instead)",
    run: (args, view, actions) => onServer(args, view(), (at) => setWeight(at, args[1], actions)),
  },
  {
    words: ["show", "backend"],
    usage: "show backend",
    summary: "list backends in the current running config",
    run: (_args, view) => text(showBackends(view())),
  },
  {
    words: ["show", "servers", "conn"],
    usage: "show servers conn [<backend>]",
    summary: "dump server connections status (all or for a single backend)",
    run: (args, view) => text(ofBackend(args, view(), showServersConn)),
  },
  {
    words: ["show", "servers", "state"],
    usage: "show servers state [<backend>]",
    summary: "dump volatile server information (all or for a single backend)",
    run: (args, view) => text(ofBackend(args, view(), showServersState)),
  },
];

function setServer(place: Place, args: readonly string[], actions: ServerActions & AgentActions): string {
  const [what, value, ...more] = args;
  switch (what) {
    case "weight":
      return setWeight(place, value, actions);
    case "state":
      return setStateTo(place, value, actions);
    case "health":
      return setHealth(place, value, actions);
    case "addr":
      return setTarget(place, setAddress, [value, ...more], actions);
    case "check-port":
      return setTarget(place, setCheckPort, [value], actions);
    case "fqdn":
      return "set server <b>/<s> fqdn failed because no resolution is configured.\n";
    case "check-addr":
      return "a check goes where the server's connections go: see 'set server <srv> addr'.\n";
    case "agent":
    case "agent-addr":
    case "agent-port":
    case "agent-send":
      return setAgent(place, args, actions);
    default:
      return "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-port | health | state | weight\n";
  }
}

function setStateTo(place: Place, value: string | undefined, actions: ServerActions): string {
  if (value !== "ready" && value !== "drain" && value !== "maint")
    return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
  return setState(place, value, actions);
}

function setState({ proxy, server }: Place, state: AdminState, actions: ServerActions): string {
  actions.setState(proxy, server, state);
  return done;
}

/** HAProxy's `stopping` is a server that is about to go down by its checks; `drain` says that here. */
function setHealth(
  { proxy, server, config }: Place,
  value: string | undefined,
  actions: ServerActions,
): string {
  if (value !== "up" && value !== "down") return "'set server <srv> health' expects 'up' or 'down'.\n";
  if (config.check === undefined) return "health checks are not enabled on this server.\n";
  actions.setHealth(proxy, server, value);
  return done;
}

function setTarget(
  { proxy, server, view, config }: Place,
  change: typeof setAddress,
  args: readonly (string | undefined)[],
  actions: ServerActions,
): string {
  const { host, port, checkPort } = view;
  const { text, target }: AddressAnswer = change({ configured: config, host, port, checkPort }, args);
  if (target !== null) actions.setTarget(proxy, server, target);
  return text;
}

/** `10`, or `50%` of the weight in the configuration. */
function setWeight(place: Place, value: string | undefined, actions: ServerActions): string {
  if (value === undefined || value === "") return "Require <weight> or <weight%>.\n";
  const parts = /^(-?\d+)(%?)$/.exec(value);
  if (parts === null) return "Empty weight string empty or preceded by garbage\n";
  const number = Number(parts[1]);
  if (parts[2] === "%") {
    if (number < 0) return "Relative weight must be positive.\n";
    const weight = Math.floor((place.initialWeight * number) / 100);
    actions.setWeight(place.proxy, place.server, Math.min(weight, 256));
    return done;
  }
  if (number < 0 || number > 256) return "Absolute weight can only be between 0 and 256 inclusive.\n";
  actions.setWeight(place.proxy, place.server, number);
  return done;
}

function ofBackend(
  [backend]: readonly string[],
  view: NodeView,
  show: (view: NodeView, only: string | null) => string,
): string {
  if (backend !== undefined && findIndex(view.proxies, backend) < 0) return "Can't find backend.\n";
  return show(view, backend ?? null);
}

function showBackends({ proxies }: NodeView): string {
  return `# name\n${proxies.flatMap((proxy) => (hasBackend(proxy) ? [`${proxy.name}\n`] : [])).join("")}`;
}
