import type { AdminState } from "../proxy/health/server-state.js";
import type { Command, CommandAnswer } from "./commands.js";
import type { NodeView } from "./node-view.js";
import { showServersState } from "./show-servers-state.js";

/** What the stats socket may change of a server; what it may not is refused before. */
export interface ServerActions {
  setState(proxy: number, server: number, state: AdminState): void;
  /** 0–256. */
  setWeight(proxy: number, server: number, weight: number): void;
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
    summary: "change a server's state or weight",
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
    words: ["show", "servers", "state"],
    usage: "show servers state [<backend>]",
    summary: "dump volatile server information (all or for a single backend)",
    run: (args, view) => text(serversState(args, view())),
  },
];

/** The server that a command is about. */
interface Place {
  readonly proxy: number;
  readonly server: number;
  readonly view: NodeView["backends"][number]["servers"][number];
  readonly initialWeight: number;
}

function onServer([name]: readonly string[], view: NodeView, run: (place: Place) => string): CommandAnswer {
  const slash = name?.indexOf("/") ?? -1;
  if (name === undefined || slash < 0) return text("Require 'backend/server'.\n");
  const proxy = findIndex(view.proxies, name.slice(0, slash));
  if (proxy < 0) return text("No such backend.\n");
  const { servers } = view.proxies[proxy];
  const server = findIndex(servers, name.slice(slash + 1));
  if (server < 0) return text("No such server.\n");
  return text(
    run({
      proxy,
      server,
      view: view.backends[proxy].servers[server],
      initialWeight: servers[server].weight ?? 1,
    }),
  );
}

function findIndex(items: readonly { readonly name: string }[], name: string): number {
  return items.findIndex((item) => item.name === name);
}

function setServer(place: Place, args: readonly string[], actions: ServerActions): string {
  const [what, value] = args;
  if (what === "weight") return setWeight(place, value, actions);
  if (what !== "state") return "usage: set server <backend>/<server> state | weight\n";
  if (value !== "ready" && value !== "drain" && value !== "maint")
    return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
  return setState(place, value, actions);
}

function setState({ proxy, server }: Place, state: AdminState, actions: ServerActions): string {
  actions.setState(proxy, server, state);
  return done;
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

function serversState([backend]: readonly string[], view: NodeView): string {
  if (backend !== undefined && findIndex(view.proxies, backend) < 0) return "Can't find backend.\n";
  return showServersState(view, backend ?? null);
}

function text(value: string): CommandAnswer {
  return { kind: "text", text: value };
}
