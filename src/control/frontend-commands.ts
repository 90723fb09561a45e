import { hasFrontend } from "../config/proxy-sides.js";
import type { FrontendState } from "../proxy/operator-limits.js";
import type { Command, CommandAnswer } from "./commands.js";
import type { NodeView } from "./node-view.js";
import { findIndex, onServer, text } from "./server-place.js";

/** What the stats socket may change of frontends, and of how many clients and requests there may be. */
export interface LimitActions {
  setFrontendState(proxy: number, state: FrontendState): void;
  /** 0: no limit of its own. */
  setFrontendMaxconn(proxy: number, maxconn: number): void;
  /** Clients of all proxies together; null: what the configuration says. */
  setMaxconn(maxconn: number | null): void;
  /** Requests at once at a server, 0: no limit. */
  setServerMaxconn(proxy: number, server: number, maxconn: number): void;
}

const done = "";
/** Answered when clients find it so. */
const settled: CommandAnswer = { kind: "ask", question: "entrances", describe: () => done };
const most = 0x7fff_ffff;

/** Commands about frontends and limits, with HAProxy's answers: each text is one that HAProxy 2.6 was seen to give. */
export const frontendCommands: readonly Command[] = [
  {
    words: ["disable", "frontend"],
    level: "admin",
    usage: "disable frontend <frontend>",
    summary: "temporarily disable specific frontend",
    run: ([name], view, actions) =>
      onFrontend(name, view(), (proxy, state) => {
        if (state === "stopped") return "Frontend was previously shut down, cannot disable.\n";
        if (state === "disabled") return "All sockets are already disabled.\n";
        actions.setFrontendState(proxy, "disabled");
        return settled;
      }),
  },
  {
    words: ["enable", "frontend"],
    level: "admin",
    usage: "enable frontend <frontend>",
    summary: "re-enable specific frontend",
    run: ([name], view, actions) =>
      onFrontend(name, view(), (proxy, state) => {
        if (state === "stopped") return "Frontend was previously shut down, cannot enable.\n";
        if (state === "open") return "All sockets are already enabled.\n";
        actions.setFrontendState(proxy, "open");
        return settled;
      }),
  },
  {
    words: ["shutdown", "frontend"],
    level: "admin",
    usage: "shutdown frontend <frontend>",
    summary: "stop a specific frontend",
    run: ([name], view, actions) =>
      onFrontend(name, view(), (proxy, state) => {
        if (state === "stopped") return "Frontend was already shut down.\n";
        actions.setFrontendState(proxy, "stopped");
        return settled;
      }),
  },
  {
    words: ["set", "maxconn", "frontend"],
    level: "admin",
    usage: "set maxconn frontend <frontend> <value>",
    summary: "change a frontend's maxconn setting",
    run: ([name, value], view, actions) =>
      onFrontend(name, view(), (proxy) => {
        const maxconn = wholeNumber(value);
        if (maxconn === null) return "Integer value expected.\n";
        if (maxconn < 0 || maxconn > most) return "Value out of range.\n";
        actions.setFrontendMaxconn(proxy, maxconn);
        return done;
      }),
  },
  {
    words: ["set", "maxconn", "global"],
    level: "admin",
    usage: "set maxconn global <value>",
    summary: "change the per-process maxconn setting",
    run: ([value], view, actions) => {
      const maxconn = wholeNumber(value);
      if (maxconn === null) return text("Expects an integer value.\n");
      if (maxconn < 0 || maxconn > view().maxconn) return text("Value out of range.\n");
      actions.setMaxconn(maxconn === 0 ? null : maxconn);
      return text(done);
    },
  },
  {
    words: ["set", "maxconn", "server"],
    level: "admin",
    usage: "set maxconn server <bk>/<srv>",
    summary: "change a server's maxconn setting",
    run: (args, view, actions) =>
      onServer(args, view(), ({ proxy, server }) => {
        const value = args[1];
        if (value === undefined) return "Require <maxconn>.\n";
        if (!/^-?\d/.test(value)) return "maxconn string empty or preceded by garbage\n";
        const maxconn = wholeNumber(value);
        if (maxconn === null) return "Trailing garbage in maxconn string\n";
        if (maxconn < 0 || maxconn > most) return "Value out of range.\n";
        actions.setServerMaxconn(proxy, server, maxconn);
        return done;
      }),
  },
  {
    words: ["set", "rate-limit"],
    level: "admin",
    usage: "set rate-limit <setting> <value>",
    summary: "tell where rates are limited here",
    run: () =>
      text("no rate of the whole process is limited here: write rate_limit in connection_rules or rules.\n"),
  },
];

function onFrontend(
  name: string | undefined,
  view: NodeView,
  run: (proxy: number, state: FrontendState) => string | CommandAnswer,
): CommandAnswer {
  if (name === undefined) return text("A frontend name is expected.\n");
  const proxy = findIndex(view.proxies, name);
  if (proxy < 0 || !hasFrontend(view.proxies[proxy])) return text("No such frontend.\n");
  const answer = run(proxy, view.limits.frontends[proxy].state);
  return typeof answer === "string" ? text(answer) : answer;
}

/** null: it is none. HAProxy takes what is no number for 0; here it changes nothing. */
function wholeNumber(word: string | undefined): number | null {
  return word !== undefined && /^-?\d{1,15}$/.test(word) ? Number(word) : null;
}
