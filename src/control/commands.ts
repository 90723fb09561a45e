import type { SocketLevel } from "../config/config.js";
import type { Inquiry } from "../process/inquiry.js";
import type { ControlRequest } from "../process/messages.js";
import type { Question } from "../process/reload-answer.js";
import { type AgentActions, agentCommands } from "./agent-commands.js";
import { frontendCommands, type LimitActions } from "./frontend-commands.js";
import type { Told } from "./inquirer.js";
import { mayDo, permissionDenied } from "./level.js";
import type { NodeView } from "./node-view.js";
import { operatorCommands } from "./operator-commands.js";
import { type ServerActions, serverCommands } from "./server-commands.js";
import { sessionCommands } from "./session-commands.js";
import { formatInfo, formatInfoJson, formatInfoTyped, infoFields } from "./show-info.js";
import { showSchemaJson } from "./show-schema.js";
import { filterRows, formatCsv, formatJson, formatTyped, type StatFilter } from "./show-stat.js";
import { formatVrrp, formatVrrpJson } from "./show-vrrp.js";
import { firstProxyId, type StatRow, statRows } from "./stat-rows.js";

/** What a command does to the connection that it came on. */
export type CommandAnswer =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "toggle-prompt" }
  /** From now on this connection is closed after so long without a command. */
  | { readonly kind: "idle-timeout"; readonly ms: number }
  /** Something that the main thread does. */
  | { readonly kind: "request"; readonly request: ControlRequest; readonly text: string }
  /** Something that the main thread knows; `describe` makes the answer of what it says. */
  | { readonly kind: "ask"; readonly question: Question; describe(text: string): string }
  /** Something that the data threads know or do; `describe` makes the answer of what they tell, as it comes. */
  | {
      readonly kind: "inquire";
      readonly inquiry: Inquiry;
      describe(told: AsyncIterable<Told>): AsyncIterable<string>;
    }
  /** From now on this connection may do less. */
  | { readonly kind: "level"; readonly level: SocketLevel }
  | { readonly kind: "quit" };

export interface Command {
  /** The words that call it. */
  readonly words: readonly string[];
  /** How help shows it. */
  readonly usage: string;
  readonly summary: string;
  /** Who may: left out, everybody. */
  readonly level?: SocketLevel;
  /** `args` are the words behind its own; `view` reads the node now, `actions` change it. */
  readonly run: (
    args: readonly string[],
    view: () => NodeView,
    actions: SocketActions,
    level: SocketLevel,
  ) => CommandAnswer;
}

/** What the stats socket may change by itself. */
export interface SocketActions extends ServerActions, AgentActions, LimitActions {
  /** The greatest values, or with `all` every counter. */
  clearCounters(all: boolean): void;
  /** Somebody looks at both nodes: the partners are to tell of their servers. */
  look(): void;
  /** Lines of `show cli sockets`. */
  sockets(): string;
}

const ownCommands: readonly Command[] = [
  {
    words: ["clear", "counters"],
    level: "operator",
    usage: "clear counters [all]",
    summary: "clear max statistics counters (or all counters)",
    run: (args, _view, actions, level) => {
      const all = args[0] === "all";
      if (all && !mayDo(level, "admin")) return text(permissionDenied);
      actions.clearCounters(all);
      return text("");
    },
  },
  {
    words: ["drain"],
    level: "admin",
    usage: "drain",
    summary: "hand mastership over and stay backup until undrain",
    run: (_args, view) => drainRequest("drain", view()),
  },
  {
    words: ["operator"],
    usage: "operator",
    summary: "lower the level of the current CLI session to operator",
    level: "operator",
    run: () => ({ kind: "level", level: "operator" }),
  },
  {
    words: ["user"],
    usage: "user",
    summary: "lower the level of the current CLI session to user",
    run: () => ({ kind: "level", level: "user" }),
  },
  {
    words: ["show", "cli", "level"],
    usage: "show cli level",
    summary: "display the level of the current CLI session",
    run: (_args, _view, _actions, level) => text(`${level}\n`),
  },
  {
    words: ["show", "cli", "sockets"],
    usage: "show cli sockets",
    summary: "dump list of cli sockets",
    run: (_args, _view, { sockets }) => text(`# socket lvl processes\n${sockets()}`),
  },
  {
    words: ["set", "timeout"],
    usage: "set timeout [cli] <delay>",
    summary: "change a timeout setting",
    run: setIdleTimeout,
  },
  {
    words: ["show", "info"],
    usage: "show info [desc|json|typed|float]*",
    summary: "report information about the running process",
    run: (args, view) => text(showInfo(args, view())),
  },
  {
    words: ["show", "stat"],
    usage: "show stat [<proxy> <type> <server>] [desc|json|no-maint|typed|up]*",
    summary: "report counters for each proxy and server",
    run: (args, view, _actions, level) => text(showStat(args, view(), level)),
  },
  {
    words: ["show", "schema", "json"],
    usage: "show schema json",
    summary: "report schema used for stats",
    run: () => text(showSchemaJson()),
  },
  {
    words: ["show", "vrrp"],
    usage: "show vrrp [json]",
    summary: "report who is master and why, and the partner's servers",
    run: (args, view, { look }) => {
      look();
      return text(args.includes("json") ? formatVrrpJson(view()) : formatVrrp(view()));
    },
  },
  {
    words: ["show", "version"],
    usage: "show version",
    summary: "show version of the current process",
    run: (_args, view) => text(`${view().version}\n`),
  },
  {
    words: ["undrain"],
    level: "admin",
    usage: "undrain",
    summary: "end drain: this node may be master again",
    run: (_args, view) => drainRequest("undrain", view()),
  },
  {
    words: ["help"],
    usage: "help [<command>]",
    summary: "list matching or all commands",
    run: (args) => text(help(args)),
  },
  {
    words: ["prompt"],
    usage: "prompt",
    summary: "toggle interactive mode with prompt",
    run: () => ({ kind: "toggle-prompt" }),
  },
  {
    words: ["quit"],
    usage: "quit",
    summary: "disconnect",
    run: () => ({ kind: "quit" }),
  },
];

/** The commands of the stats socket, in the order of help. A new one is a new line above, or in a list of its own. */
export const commands: readonly Command[] = [
  ...ownCommands,
  ...operatorCommands,
  ...agentCommands,
  ...frontendCommands,
  ...serverCommands,
  ...sessionCommands,
].sort((a, b) => rank(a) - rank(b) || (a.usage < b.usage ? -1 : 1));

/** HAProxy's help ends with what is about the socket itself. */
function rank({ words: [first] }: Command): number {
  return ["help", "prompt", "quit"].indexOf(first) + 1;
}

/** Runs the command that `words` name, or answers that there is none. */
export function runCommand(
  words: readonly string[],
  view: () => NodeView,
  actions: SocketActions,
  level: SocketLevel = "admin",
): CommandAnswer {
  const command = commands.find((candidate) => candidate.words.every((word, i) => words[i] === word));
  if (command === undefined) return text(unknownCommand(words));
  if (!mayDo(level, command.level ?? "user")) return text(permissionDenied);
  return command.run(words.slice(command.words.length), view, actions, level);
}

function drainRequest(request: ControlRequest, view: NodeView): CommandAnswer {
  if (!view.vrrpConfigured) return text("VRRP is not configured here: there is nothing to hand over.\n");
  const answers = {
    drain: "draining: another node takes over where one can; show vrrp tells how it went\n",
    undrain: "no longer drained: the priority of the configuration counts again\n",
  };
  return { kind: "request", request, text: answers[request] };
}

function showInfo(args: readonly string[], view: NodeView): string {
  const fields = infoFields(view, args.includes("float"));
  if (args.includes("json")) return formatInfoJson(fields);
  const described = args.includes("desc");
  return args.includes("typed") ? formatInfoTyped(fields, described) : formatInfo(fields, described);
}

function showStat(args: readonly string[], view: NodeView, level: SocketLevel): string {
  let rows: readonly StatRow[] = mayDo(level, "operator")
    ? statRows(view)
    : statRows(view).map(withoutPlaces);
  // HAProxy heeds the filter only when all three parts are there.
  if (args.length >= 3) {
    const filter = parseFilter(args, view);
    if (filter === null) return "No such proxy.\n";
    rows = filterRows(rows, filter);
  }
  if (args.includes("no-maint") || args.includes("up")) rows = rows.filter((row) => !isServer(row, /^MAINT/));
  if (args.includes("up")) rows = rows.filter((row) => !isServer(row, /^DOWN/));
  if (args.includes("json")) return formatJson(rows);
  return args.includes("typed") ? formatTyped(rows, args.includes("desc")) : formatCsv(rows);
}

function isServer({ kind, cells }: StatRow, status: RegExp): boolean {
  return kind === "Server" && status.test(String(cells.status));
}

/** What HAProxy shows from level operator on: where servers are, and how they are chosen. */
function withoutPlaces(row: StatRow): StatRow {
  const { addr: _addr, cookie: _cookie, algo: _algo, ...cells } = row.cells;
  return { ...row, cells };
}

function parseFilter([proxy, types, server]: readonly string[], view: NodeView): StatFilter | null {
  const named = view.proxies.findIndex(({ name }) => name === proxy);
  const number = /^-?\d+$/.test(proxy) ? Number(proxy) : null;
  if (named === -1 && number === null) return null;
  const proxyId = named === -1 ? Number(number) : firstProxyId + named;
  return { proxyId, types: parseNumber(types), serverId: parseNumber(server) };
}

/** C's `atoi`, by which HAProxy reads these: what is no number counts as 0. */
function parseNumber(word: string): number {
  const value = Number.parseInt(word, 10);
  return Number.isNaN(value) ? 0 : value;
}

const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  "": 1_000,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** hatop asks for a minute. A day at most: a forgotten client must not hold its place for ever. */
function setIdleTimeout([setting, delay]: readonly string[]): CommandAnswer {
  if (setting !== "cli") return text("'set timeout' only supports 'cli'.\n");
  if (delay === undefined) return text("Expects an integer value.\n");
  const parts = /^(\d+)(us|ms|s|m|h|d|)$/.exec(delay);
  const ms = parts === null ? 0 : Math.round(Number(parts[1]) * unitMs[parts[2]]);
  if (ms < 1) return text("Invalid timeout value.\n");
  return { kind: "idle-timeout", ms: Math.min(ms, unitMs.d) };
}

function help(words: readonly string[]): string {
  const matching = words.length === 0 ? commands : commands.filter((command) => startsWith(command, words));
  return matching.length === 0
    ? unknownCommand(words)
    : `The following commands are valid at this level:\n${list(matching)}`;
}

/** HAProxy's two answers: the commands that begin alike and the ways out, or all of them. */
function unknownCommand(words: readonly string[]): string {
  const near = commands.filter((command) => words.length > 0 && startsWith(command, words.slice(0, 1)));
  if (near.length === 0) {
    return `Unknown command. Please enter one of the following commands only:\n${list(commands)}`;
  }
  const waysOut = commands.filter(({ words: [first] }) => ["help", "prompt", "quit"].includes(first));
  const better = [...near, ...waysOut.filter((command) => !near.includes(command))];
  return `Unknown command, but maybe one of the following ones is a better match:\n${list(better)}`;
}

function startsWith(command: Command, words: readonly string[]): boolean {
  return words.every((word, i) => command.words[i]?.startsWith(word));
}

function list(shown: readonly Command[]): string {
  return shown.map(({ usage, summary }) => `  ${usage.padEnd(40)}: ${summary}\n`).join("");
}

function text(value: string): CommandAnswer {
  return { kind: "text", text: value };
}
