import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Exit, HostProcess, OutputLine } from "./host-process.js";
import type { Host, Network } from "./network.js";
import { projectRoot } from "./project-root.js";

/** One line of Tandem's JSON log. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** Tandem running on one of the lab's hosts. */
export class Tandem {
  readonly host: Host;
  readonly process: HostProcess;
  /** Path of its stats socket; the file system is shared, so it is reached from everywhere. */
  readonly statsSocket: string;

  constructor(host: Host, process: HostProcess, statsSocket: string) {
    this.host = host;
    this.process = process;
    this.statsSocket = statsSocket;
  }

  get log(): LogEntry[] {
    return this.process.lines.map((line) => this.parse(line)).filter((entry) => entry !== null);
  }

  /** Log lines of VRRP transitions: `from`, `to`, `reason`. */
  transitions(): LogEntry[] {
    return this.log.filter(isTransition);
  }

  /** Waits until it has entered that state; it may have done so already. */
  async waitForTransition(to: string, timeoutMs: number): Promise<LogEntry> {
    const line = await this.process.waitForLine(
      (text) => this.parse({ text, atMs: 0 })?.to === to,
      timeoutMs,
    );
    return this.parse(line) ?? {};
  }

  /** A line of its output as a log entry, or null. */
  parse(line: OutputLine): LogEntry | null {
    if (!line.text.startsWith("{")) return null;
    try {
      return JSON.parse(line.text) as LogEntry;
    } catch {
      return null;
    }
  }

  /** Asks the stats socket one line, and gives all of the answer. */
  ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.statsSocket);
      let answer = "";
      socket.setEncoding("utf8");
      socket.setTimeout(20_000, () => socket.destroy(new Error("the stats socket did not answer")));
      socket.on("connect", () => socket.write(`${command}\n`));
      socket.on("data", (chunk) => {
        answer += chunk;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(answer));
    });
  }

  /** A row of `show stat` by proxy and service name, its cells by column name. */
  async statRow(proxy: string, service: string): Promise<Record<string, string>> {
    const [header, ...rows] = (await this.ask("show stat")).split("\n");
    const names = header.replace(/^# /, "").split(",");
    const row = rows.find((line) => line.startsWith(`${proxy},${service},`));
    if (row === undefined) throw new Error(`show stat has no row ${proxy},${service}`);
    const cells = row.split(",");
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""]));
  }

  /** How many descriptors it has open. */
  descriptors(): number {
    return readdirSync(`/proc/${this.process.pid}/fd`).length;
  }

  /** SIGTERM, and what it exits with. */
  stop(timeoutMs = 30_000): Promise<Exit> {
    return this.process.stop("SIGTERM", timeoutMs);
  }

  kill(): Promise<Exit> {
    return this.process.stop("SIGKILL");
  }
}

/** Starts `node bin/lb.js` with these flags; a stats socket of its own is given. */
export function startTandem(network: Network, host: Host, ...flags: string[]): Tandem {
  return startTandemBy([], network, host, ...flags);
}

/** The same by way of a command that starts it, such as setpriv with its options. */
export function startTandemBy(
  wrapper: readonly string[],
  network: Network,
  host: Host,
  ...flags: string[]
): Tandem {
  const statsSocket = join(tandemHome(network, host), "stats.sock");
  const script = join(projectRoot, "bin", "lb.js");
  const [command, ...parameters] = [
    ...wrapper,
    process.execPath,
    script,
    "--stats-socket",
    statsSocket,
    ...flags,
  ];
  return new Tandem(host, host.spawn("tandem", command, ...parameters), statsSocket);
}

/** Writes a configuration file for `--config`; gives its path. */
export function writeConfiguration(network: Network, host: Host, yaml: string): string {
  const file = join(tandemHome(network, host), "lb.yaml");
  writeFileSync(file, yaml);
  return file;
}

function tandemHome(network: Network, host: Host): string {
  const home = join(network.scratch, host.name);
  mkdirSync(home, { recursive: true });
  return home;
}

export function isTransition(entry: LogEntry): boolean {
  return typeof entry.from === "string" && typeof entry.to === "string";
}
