import type { ParseArgsConfig } from "node:util";

/**
 * The command line as data: `lb help`, the completions of bash and zsh and the manual page lb(8) are made from it.
 */

export interface CommandUsage {
  readonly name: string;
  /** What stands behind it. */
  readonly synopsis: string;
  /** One line of `lb help`. */
  readonly summary: string;
  /** For the manual page: what it does, whole sentences. */
  readonly text: string;
  /** Its own flags; those of the configuration go with every command that reads it. */
  readonly flags: readonly OptionName[];
  /** What its words may be, one list a place; for completion, and to refuse what is one word too many. */
  readonly words: readonly (readonly string[] | "file" | "server" | "number")[];
}

/** Every flag, for node:util's parseArgs. The texts are read by the configuration, which knows what is right. */
export const options = {
  config: { type: "string" },
  priority: { type: "string" },
  interface: { type: "string" },
  vrid: { type: "string" },
  vip: { type: "string", multiple: true },
  "peer-key": { type: "string" },
  listen: { type: "string", multiple: true },
  backend: { type: "string", multiple: true },
  admin: { type: "string" },
  "stats-socket": { type: "string" },
  engine: { type: "string" },
  threads: { type: "string" },
  "no-vrrp": { type: "boolean" },
  "no-proxy": { type: "boolean" },
  json: { type: "boolean" },
  undo: { type: "boolean" },
  print: { type: "boolean" },
  haproxy: { type: "string", multiple: true },
  keepalived: { type: "string", multiple: true },
  since: { type: "string" },
  pcap: { type: "string" },
  interval: { type: "string" },
  once: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const satisfies NonNullable<ParseArgsConfig["options"]>;

export type OptionName = keyof typeof options;

/** What a flag's value is called, and what it means. */
export const optionTexts: Readonly<
  Record<OptionName, { readonly value: string | null; readonly text: string }>
> = {
  config: { value: "FILE", text: "the configuration file" },
  priority: { value: "N", text: "VRRP priority of this node, 1 to 255; the higher one is master" },
  interface: { value: "IF", text: "the interface of the adverts and the address" },
  vrid: { value: "N", text: "virtual router id, 1 to 255, the same on both nodes" },
  vip: { value: "ADDR/LEN", text: "virtual address; may be repeated" },
  "peer-key": {
    value: "SECRET",
    text: "the peer link's key, the same on both nodes (a file's is not seen in ps: peer_link: key_file:)",
  },
  listen: { value: "[ADDR]:PORT", text: "where the proxy http listens; may be repeated" },
  backend: { value: "[NAME=]HOST:PORT", text: "a server of the proxy http; may be repeated" },
  admin: { value: "ADDR:PORT", text: "the stats page's address, or IF:PORT, or off" },
  "stats-socket": { value: "PATH", text: "HAProxy's stats socket, or off" },
  engine: { value: "ENGINE", text: "how bytes move: auto, direct or portable" },
  threads: { value: "N", text: "data threads, 1 to 64; one per core if left out" },
  "no-vrrp": { value: null, text: "a plain balancer" },
  "no-proxy": { value: null, text: "a plain VRRP daemon" },
  json: { value: null, text: "answer in JSON" },
  undo: { value: null, text: "with drain: this node may be master again" },
  print: { value: null, text: "with check: show the whole configuration, passwords hidden" },
  haproxy: { value: "FILE", text: "with import: a haproxy.cfg; may be repeated" },
  keepalived: { value: "FILE", text: "with import: a keepalived.conf; may be repeated" },
  since: { value: "TIME", text: "with explain: how far back, such as 10m; the whole recording if left out" },
  pcap: { value: "FILE", text: "with explain: write the adverts there, for tshark and Wireshark" },
  interval: { value: "TIME", text: "with watch: from one picture to the next, default 1s" },
  once: { value: null, text: "with watch: one picture, and no control of the terminal" },
  help: { value: null, text: "show the help" },
  version: { value: null, text: "show the version" },
};

/** The flags that lie over the configuration file. */
export const configurationFlags: readonly OptionName[] = [
  "config",
  "priority",
  "interface",
  "vrid",
  "vip",
  "peer-key",
  "listen",
  "backend",
  "admin",
  "stats-socket",
  "engine",
  "threads",
  "no-vrrp",
  "no-proxy",
];

/** What a command that asks the running daemon needs to find it. */
const toFindTheDaemon: readonly OptionName[] = ["config", "stats-socket"];

const serverActions = ["list", "enable", "disable", "drain", "weight"] as const;
export const shells = ["bash", "zsh"] as const;

export const commandUsages = [
  {
    name: "run",
    synopsis: "",
    summary: "run in the foreground, log JSON lines to stdout",
    text: "Runs the daemon in the foreground and logs JSON lines to standard output. Without a command this is meant.",
    flags: configurationFlags,
    words: [],
  },
  {
    name: "check",
    synopsis: "[--print|--json]",
    summary: "read the configuration, say ok or everything that is wrong with it",
    text: "Reads the configuration and says ok, or everything that is wrong with it as file:line:column. Warns of what is allowed and most likely not meant. Touches nothing and needs no privilege.",
    flags: [...configurationFlags, "print", "json"],
    words: [],
  },
  {
    name: "plan",
    synopsis: "[OLD NEW]",
    summary: "say what a reload would do, or what leads from one file to another",
    text: "Asks the running daemon what a reload of its configuration would do, step by step, and changes nothing. With two files it says the same of going from the first to the second, without a daemon.",
    flags: [...toFindTheDaemon, "json"],
    words: ["file", "file"],
  },
  {
    name: "reload",
    synopsis: "",
    summary: "have the daemon read its configuration again, and say how it went",
    text: "Has the running daemon read its configuration again, waits, and says which steps it took. A file with a mistake changes nothing. Exit code 2: the configuration is not valid; 1: it could not be applied, or nobody answers.",
    flags: [...toFindTheDaemon, "json"],
    words: [],
  },
  {
    name: "upgrade",
    synopsis: "",
    summary: "have the program that is installed now take over from the running one",
    text: "Has the running daemon start the program as it is on the disk now, with the same words, and hand everything over to it: the listening sockets, so that no connection is refused, the virtual routers as they stand, so that no partner hears of it, counters and states of servers. The process before finishes what it has begun, for drain_timeout at most. The configuration is reloaded first. Where the new program does not start, or does not take the configuration, the running one goes on. Exit code 2: the configuration is not valid; 1: the new program could not take over, or nobody answers.",
    flags: [...toFindTheDaemon, "json"],
    words: [],
  },
  {
    name: "status",
    synopsis: "",
    summary: "say who is master and why, and what would happen if this node stopped",
    text: "Says who is master and why, which partner was heard, what was dropped, and what would happen if this node stopped now. With a peer link: the partner's servers, a line for each backend, and where both nodes see the same server differently.",
    flags: [...toFindTheDaemon, "json"],
    words: [],
  },
  {
    name: "watch",
    synopsis: "[--interval TIME] [--once]",
    summary: "show both nodes, the servers, rates and transitions, live",
    text: "Shows this node and, by the peer link, its partner, the servers with their health and rates, and the last transitions, again and again until q or Ctrl-C.",
    flags: [...toFindTheDaemon, "interval", "once", "json"],
    words: [],
  },
  {
    name: "explain",
    synopsis: "[--since TIME] [--pcap FILE]",
    summary: "tell the story of the last change of masters",
    text: "Tells, in order and with times, what happened around the last change of masters: adverts, transitions and their reasons, health of servers, failed requests. With --since: everything of that time. The daemon keeps the last quarter of an hour, as far as it fits into its bounds.",
    flags: [...toFindTheDaemon, "since", "pcap", "json"],
    words: [],
  },
  {
    name: "drain",
    synopsis: "[--undo]",
    summary: "hand mastership over and stay backup until --undo or a restart",
    text: "Hands mastership over, waits until that is done, and stays backup until --undo or a restart. Exit code 1: nobody took over.",
    flags: [...toFindTheDaemon, "undo", "json"],
    words: [],
  },
  {
    name: "server",
    synopsis: "list | enable|disable|drain PROXY/SERVER | weight PROXY/SERVER N",
    summary: "show the servers, or change one until it is changed again",
    text: "list shows the servers. disable takes a server out (its health is no longer checked), drain lets it finish and gives it nothing new, enable undoes both; weight sets its share, 0 to 256, or a percentage of the configured one. All of this outlives a reload and not a restart, and holds on this node alone.",
    flags: [...toFindTheDaemon, "json"],
    words: [serverActions, "server", "number"],
  },
  {
    name: "import",
    synopsis: "[--haproxy FILE]… [--keepalived FILE]…",
    summary: "write a configuration from HAProxy's and keepalived's",
    text: "Writes to standard output a configuration that does what the given files did. Every line that was not carried over is named on standard error, and in comments at the top, with the reason.",
    flags: ["haproxy", "keepalived", "json"],
    words: [],
  },
  {
    name: "completion",
    synopsis: "bash|zsh",
    summary: "print the shell's completion of this command",
    text: "Prints the completion of lb for the shell: lb completion bash >/etc/bash_completion.d/lb.",
    flags: [],
    words: [shells],
  },
  {
    name: "version",
    synopsis: "",
    summary: "show the version",
    text: "Shows the version.",
    flags: ["json"],
    words: [],
  },
  {
    name: "help",
    synopsis: "",
    summary: "show this",
    text: "Shows the help.",
    flags: [],
    words: [],
  },
] as const satisfies readonly CommandUsage[];

export type Command = (typeof commandUsages)[number]["name"];
export const commands: readonly Command[] = commandUsages.map(({ name }) => name);

export function usageOf(command: Command): CommandUsage {
  const found = commandUsages.find(({ name }) => name === command);
  return found ?? commandUsages[0];
}

export const usageLine = `usage: lb [${commands.join("|")}] [--config FILE] [flags]; lb help lists them`;

export const introduction =
  "lb makes two machines one dependable HTTP address: VRRP like keepalived's, HTTP balancing like HAProxy's.";

export const configurationText = `The configuration is the file of --config, else of $LB_CONFIG, else /etc/lb/lb.yaml, else a built-in demo
(192.168.33.84 on eth1 in front of 192.168.33.68 and 192.168.33.69). Flags override the file.`;

export const signalsText = `Signals: SIGTERM hands over and stops, a second one stops at once; SIGHUP checks the file and
reloads it, as lb reload does; SIGUSR2 reloads and upgrades, as lb upgrade does; SIGUSR1 writes the state
to the log. Exit codes: 0 ok, 1 fatal, 2 configuration or usage, 4 permission, 6 no configuration,
70 internal error. LB_LOG_LEVEL sets the log's level.`;

export const helpText = `${introduction}

${commandUsages.map(describeCommand).join("\n")}

${configurationText}

${Object.entries(optionTexts)
  .map(([name, { value, text }]) => describeOption(`--${name}${value === null ? "" : ` ${value}`}`, text))
  .join("\n")}

${signalsText}
`;

function describeCommand({ name, synopsis, summary }: CommandUsage, index: number): string {
  const line = `lb ${name === "run" ? "[run] [flags]" : `${name} ${synopsis}`.trim()}`;
  const start = index === 0 ? "usage: " : "       ";
  return line.length > 40
    ? `${start}${line}\n${" ".repeat(50)}${summary}`
    : `${start}${line.padEnd(43)}${summary}`;
}

function describeOption(flag: string, text: string): string {
  return `  ${flag.padEnd(26)}${flag.length >= 26 ? " " : ""}${text}`;
}
