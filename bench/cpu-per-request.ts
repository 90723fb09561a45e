/**
 * CPU time per request of the portable engine beside HAProxy with one thread: the same nginx behind both, the same load,
 * in turns within one run. Only the ratio travels: the machine and its neighbours set the absolute figures.
 *
 *     npm run bench -- [--rounds 3] [--seconds 3] [--json]
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../lab/project-root.js";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}
interface Case {
  readonly name: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly headers: readonly string[];
}
interface Sample {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
}

const cases: readonly Case[] = [
  { name: "612 B, c=64", path: "/612", bodyBytes: 612, connections: 64, headers: [] },
  { name: "612 B, c=256", path: "/612", bodyBytes: 612, connections: 256, headers: [] },
  { name: "64 KiB, c=64", path: "/64k", bodyBytes: 65_536, connections: 64, headers: [] },
  {
    name: "612 B, close, c=32",
    path: "/612",
    bodyBytes: 612,
    connections: 32,
    headers: ["Connection: close"],
  },
];

const started: ChildProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), "lb-bench-"));

/** Starts a program on one core; its output goes to a file, shown when something fails. */
function start(core: number, name: string, command: string, args: readonly string[]): ChildProcess {
  const child = spawn("taskset", ["-c", String(core), command, ...args], { cwd: folder, stdio: "ignore" });
  child.on("error", (error) => {
    throw new Error(`${name} did not start: ${error.message}`);
  });
  started.push(child);
  return child;
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Run time of all threads of a process, µs. */
function cpuUs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]) / 1e3;
  }
  return sum;
}

function measure(target: Target, load: Case): Sample {
  const before = cpuUs(target.pid);
  const output = execFileSync(
    "taskset",
    [
      ...["-c", "1", "wrk", "-t1", `-c${load.connections}`, `-d${seconds}s`],
      ...load.headers.flatMap((header) => ["-H", header]),
      `http://127.0.0.1:${target.port}${load.path}`,
    ],
    { encoding: "latin1" },
  );
  const cpu = cpuUs(target.pid) - before;
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  const bytes = /, ([\d.]+)(KB|MB|GB) read/.exec(output);
  const unit = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[bytes?.[2] ?? ""] ?? 0;
  const failed = /(Non-2xx[^\n]*|Socket errors: (?!connect 0, read 0, write 0, timeout 0)[^\n]*)/.exec(
    output,
  )?.[1];
  // With `Connection: close` wrk counts each end of a connection as a read error.
  if (failed !== undefined && !load.headers.includes("Connection: close"))
    throw new Error(`${target.name}: ${failed}`);
  if (Number(bytes?.[1]) * unit < requests * load.bodyBytes * 0.95)
    throw new Error(`${target.name}, ${load.name}: answers are too short\n${output}`);
  return { cpuUsPerRequest: cpu / requests, requestsPerSecond: requests / seconds };
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function compare(): Promise<void> {
  mkdirSync(join(folder, "www"));
  writeFileSync(join(folder, "www/612"), Buffer.alloc(612, 97));
  writeFileSync(join(folder, "www/64k"), Buffer.alloc(65_536, 97));
  writeFileSync(
    join(folder, "nginx.conf"),
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.err; user root;
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_timeout 600; keepalive_requests 100000000;
  open_file_cache max=100 inactive=600s; open_file_cache_valid 600s;
  server { listen 127.0.0.1:18081 backlog=4096; listen 127.0.0.1:18082 backlog=4096; root ${folder}/www; } }`,
  );
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  no log
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:19001 backlog 4096
  default_backend b
backend b
  balance roundrobin
  server a 127.0.0.1:18081
  server c 127.0.0.1:18082
`,
  );
  const lb = join(projectRoot, "bin/lb.js");
  start(1, "nginx", "nginx", ["-c", join(folder, "nginx.conf")]);
  const haproxy = start(0, "haproxy", "haproxy", ["-db", "-f", join(folder, "haproxy.cfg")]);
  const tandem = start(0, "lb", process.execPath, [
    ...[lb, "--no-vrrp", "--threads", "1", "--engine", "portable", "--listen", "127.0.0.1:19002"],
    ...["--backend", "127.0.0.1:18081", "--backend", "127.0.0.1:18082"],
    ...["--admin", "127.0.0.1:19003", "--stats-socket", join(folder, "stats.sock")],
  ]);
  for (const port of [18081, 18082, 19001, 19002]) await listening(port);
  const targets: readonly Target[] = [
    { name: "haproxy", port: 19001, pid: haproxy.pid ?? 0 },
    { name: "portable", port: 19002, pid: tandem.pid ?? 0 },
  ];
  for (const load of cases) {
    // The first turns of each target warm caches and the compiler, and are thrown away.
    for (const target of [...targets, ...targets]) measure(target, load);
    const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const target of targets) samples.get(target.name)?.push(measure(target, load));
    }
    const figure = (name: string, of: (sample: Sample) => number): number =>
      median((samples.get(name) ?? []).map(of));
    const row = Object.fromEntries(
      targets.map(({ name }) => [
        name,
        {
          cpuUs: figure(name, (sample) => sample.cpuUsPerRequest),
          requestsPerSecond: figure(name, (sample) => sample.requestsPerSecond),
        },
      ]),
    );
    const ratio = row.portable.cpuUs / row.haproxy.cpuUs;
    if (values.json) {
      console.log(JSON.stringify({ case: load.name, ...row, ratio }));
    } else {
      const shown = targets.map(
        ({ name }) =>
          `${name} ${row[name].cpuUs.toFixed(1)} µs (${row[name].requestsPerSecond.toFixed(0)}/s)`,
      );
      console.log(`${load.name.padEnd(20)} ${shown.join("   ")}   ratio ${ratio.toFixed(2)}`);
    }
  }
}

/** Runs the comparison and cleans up after itself, also when it fails. */
export async function benchmark(): Promise<void> {
  try {
    await compare();
  } finally {
    for (const child of started) child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}
