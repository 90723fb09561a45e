import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, waitFor } from "../../lab/clock.js";
import { freePort } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";

/** `pipelining`: the direct engine with that option. */
export type BalancerName = "portable" | "direct" | "pipelining" | "haproxy";

/** A proxy under test on loopback, in front of two servers. */
export interface Balancer {
  readonly name: BalancerName;
  readonly port: number;
  readonly pid: number;
  readonly exited: boolean;
  log(): string;
  /** A command on its stats socket. */
  ask(command: string): Promise<string>;
  stop(): Promise<void>;
}

/** The engine is not in this version, or cannot run on this machine. */
export class EngineMissing extends Error {}

/** @param serverPorts on 127.0.0.1. Throws EngineMissing, or Error with the program's last lines. */
export async function startBalancer(
  name: BalancerName,
  serverPorts: readonly number[],
  threads: number,
): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), `lb-stress-${name}-`));
  const port = await freePort();
  const socket = join(folder, "stats.sock");
  const command =
    name === "haproxy"
      ? haproxyCommand(folder, socket, port, serverPorts, threads)
      : tandemCommand(engineOf(name), folder, socket, port, serverPorts, threads, name === "pipelining");
  const balancer = new RunningBalancer(name, port, folder, socket, command);
  try {
    await waitFor(`${name} on port ${port}`, 30_000, async () => {
      if (balancer.exited) throw new Error(`${name} exited:\n${balancer.log()}`);
      return await accepts(port);
    });
    if (name !== "haproxy") await checkEngine(balancer, engineOf(name));
  } catch (error) {
    const log = balancer.log();
    await balancer.stop();
    if (/the engine direct is not in this version/.test(log)) throw new EngineMissing(log.trim());
    throw error;
  }
  return balancer;
}

const engineOf = (name: BalancerName): string => (name === "pipelining" ? "direct" : name);

async function checkEngine(balancer: Balancer, wanted: string): Promise<void> {
  const info = await waitFor("the stats socket", 30_000, () => balancer.ask("show info").catch(() => null));
  const engine = /^Engine: (\w+)$/m.exec(info)?.[1];
  if (engine !== wanted) throw new EngineMissing(`asked for the engine ${wanted}, but ${engine} runs`);
}

function tandemCommand(
  engine: string,
  folder: string,
  socket: string,
  port: number,
  serverPorts: readonly number[],
  threads: number,
  pipelines: boolean,
): string[] {
  const file = join(folder, "lb.yaml");
  writeFileSync(
    file,
    `threads: ${threads}
engine: ${engine}
stats_socket: ${socket}
proxies:
  http:
    bind: ["127.0.0.1:${port}"]
    servers: { ${serverPorts.map((server, i) => `web${i + 1}: "127.0.0.1:${server}"`).join(", ")} }
    # A machine that is busy with other things must not make a request late.
    timeout: { connect: 60s, http-request: 120s, client: 120s, server: 120s, http-keep-alive: 120s }
${pipelines ? "    pipelining: 8\n" : ""}`,
  );
  return [process.execPath, join(projectRoot, "bin", "lb.js"), "--no-vrrp", "--config", file];
}

function haproxyCommand(
  folder: string,
  socket: string,
  port: number,
  serverPorts: readonly number[],
  threads: number,
): string[] {
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread ${threads}
  maxconn 4000
  stats socket ${socket}
defaults
  mode http
  timeout connect 60s
  timeout client 120s
  timeout server 120s
  timeout http-request 120s
  option forwardfor
  option redispatch
  option splice-auto
frontend http
  bind 127.0.0.1:${port} backlog 4096
  default_backend web
backend web
  balance roundrobin
${serverPorts.map((server, i) => `  server web${i + 1} 127.0.0.1:${server}`).join("\n")}
`,
  );
  return ["haproxy", "-db", "-f", file];
}

class RunningBalancer implements Balancer {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  #exited = false;

  constructor(
    readonly name: BalancerName,
    readonly port: number,
    private readonly folder: string,
    private readonly socket: string,
    command: readonly string[],
  ) {
    this.#logFile = join(folder, "log");
    const log = openSync(this.#logFile, "w");
    // It dies with this process, whatever happens to that.
    this.#child = spawn("setpriv", ["--pdeathsig", "SIGKILL", ...command], { stdio: ["ignore", log, log] });
    for (const event of ["error", "exit"])
      this.#child.once(event, () => {
        this.#exited = true;
      });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get exited(): boolean {
    return this.#exited;
  }

  log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(this.socket, () => socket.write(`${command}\n`));
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => {
        answer += chunk;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(answer));
    });
  }

  async stop(): Promise<void> {
    if (!this.#exited) this.#child.kill("SIGTERM");
    for (let waited = 0; waited < 30_000 && !this.#exited; waited += 50) await sleep(50);
    const hung = !this.#exited;
    if (hung) this.#child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
    if (hung) throw new Error(`${this.name} did not exit within 30 s of SIGTERM`);
  }
}

export interface Descriptors {
  readonly sockets: number;
  readonly pipes: number;
  readonly others: number;
}

/** What a process has open. */
export function descriptorsOf(pid: number): Descriptors {
  const count = { sockets: 0, pipes: 0, others: 0 };
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    let target = "";
    try {
      target = readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      continue;
    }
    if (target.startsWith("socket:")) count.sockets += 1;
    else if (target.startsWith("pipe:")) count.pipes += 1;
    else count.others += 1;
  }
  return count;
}

export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
