import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "../../../lab/certificate.js";
import { waitFor } from "../../../lab/clock.js";
import { freePorts } from "../../../lab/free-port.js";
import { projectRoot } from "../../../lab/project-root.js";
import { type LogLine, parseLogLine } from "./log-line.js";
import { Origins } from "./origin.js";
import { haproxyConfig, type Places, type ProxySpec, tandemConfig } from "./proxy-spec.js";
import { parseStat, type Stat } from "./stat.js";

export const peerNames = ["haproxy", "direct", "portable"] as const;
/** HAProxy, or Tandem over one of its engines. */
export type PeerName = (typeof peerNames)[number];

export interface PeerOptions {
  readonly proxies: Readonly<Record<string, ProxySpec>>;
  /** Names of the servers behind them. */
  readonly servers: readonly string[];
  /** More lines for HAProxy's `defaults`. */
  readonly haproxyDefaults?: readonly string[] | undefined;
  /** More words at the top of lb.yaml. */
  readonly tandem?: Readonly<Record<string, unknown>> | undefined;
}

/** A balancer under judgement, with servers, a log and a stats socket of its own. */
export class Peer {
  readonly logs: LogLine[] = [];

  private constructor(
    readonly name: PeerName,
    readonly origins: Origins,
    readonly ports: Readonly<Record<string, number>>,
    readonly statsSocket: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
    private readonly datagrams: Datagrams,
  ) {
    datagrams.on("message", (message) => {
      const line = parseLogLine(message.toString("latin1"));
      if (line !== null) this.logs.push(line);
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** A port that was free may be another program's by the time it is bound: then once more, with others. */
  static async start(name: PeerName, options: PeerOptions): Promise<Peer> {
    for (let tries = 1; ; tries++)
      try {
        return await Peer.startOnce(name, options);
      } catch (error) {
        if (tries === 3 || !/in.use|cannot (bind|listen)/i.test(String(error))) throw error;
      }
  }

  private static async startOnce(name: PeerName, options: PeerOptions): Promise<Peer> {
    const folder = mkdtempSync(join(tmpdir(), `lb-judged-${name}-`));
    const origins = await Origins.start(options.servers);
    const names = Object.keys(options.proxies);
    const [nobody, ...free] = await freePorts(names.length + 1);
    const datagrams = createSocket("udp4");
    await new Promise<void>((resolve) => datagrams.bind(0, "127.0.0.1", resolve));
    const places: Places = {
      ports: Object.fromEntries(names.map((proxy, i) => [proxy, free[i]])),
      server: (server) => {
        if (server === "nobody") return nobody;
        return /^\d+$/.test(server) ? Number(server) : origins.port(server);
      },
      logPort: datagrams.address().port,
      statsSocket: join(folder, "stats.sock"),
      certificate: writeCertificate(folder, options),
    };
    const command =
      name === "haproxy" ? haproxy(folder, options, places) : tandem(name, folder, options, places);
    const log = openSync(join(folder, "output"), "w");
    // It dies with this process, whatever happens to that.
    const child = spawn("setpriv", ["--pdeathsig", "SIGKILL", ...command], { stdio: ["ignore", log, log] });
    const peer = new Peer(name, origins, places.ports, places.statsSocket, folder, child, datagrams);
    try {
      await waitFor(`${name}'s stats socket`, 30_000, async () => {
        if (child.exitCode !== null) throw new Error(`${name} exited`);
        return (await peer.ask("show info").catch(() => "")) !== "";
      });
      // Not by connecting: that would be logged and counted.
      for (const port of Object.values(places.ports))
        await waitFor(`${name}'s port ${port}`, 30_000, () => isListening(port));
    } catch (error) {
      const output = peer.output();
      await peer.stop();
      throw new Error(`${error instanceof Error ? error.message : error}\n${output}`);
    }
    return peer;
  }

  /** What it wrote to stdout and stderr. */
  output(): string {
    return readFileSync(join(this.folder, "output"), "utf8").slice(-3000);
  }

  /** One line of commands on the stats socket, and everything that comes back. */
  ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(this.statsSocket, () => socket.write(`${command}\n`));
      socket.setEncoding("utf8");
      socket.on("data", (text) => {
        answer += text;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(answer));
    });
  }

  async stat(): Promise<Stat> {
    return parseStat(await this.ask("show stat"));
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode === null && this.child.kill()) {
      await this.origins.stop();
      const late = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
      await gone;
      clearTimeout(late);
    } else await this.origins.stop();
    this.datagrams.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function haproxy(folder: string, options: PeerOptions, places: Places): string[] {
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, haproxyConfig(options.proxies, places, options.haproxyDefaults));
  return ["haproxy", "-db", "-f", file];
}

function tandem(engine: string, folder: string, options: PeerOptions, places: Places): string[] {
  const file = join(folder, "lb.yaml");
  writeFileSync(file, tandemConfig(options.proxies, places, engine, options.tandem));
  return [process.execPath, join(projectRoot, "bin", "lb.js"), "--no-vrrp", "--config", file];
}

/** One file for both, as HAProxy has it; "" where nobody needs it. */
function writeCertificate(folder: string, { proxies }: PeerOptions): string {
  if (!Object.values(proxies).some(({ tls }) => tls)) return "";
  const { certificate, key } = makeCertificate(folder, "site");
  const file = join(folder, "site.pem");
  writeFileSync(file, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  return file;
}

function isListening(port: number): boolean {
  const place = new RegExp(`0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ 0A `);
  return place.test(readFileSync("/proc/net/tcp", "latin1"));
}
