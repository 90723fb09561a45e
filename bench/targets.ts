import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { makeCertificate } from "../lab/certificate.js";
import { waitFor } from "../lab/clock.js";
import { projectRoot } from "../lab/project-root.js";
import { backendPorts } from "./backends.js";
import { Program } from "./programs.js";

/** A proxy that can be measured. */
export interface TargetKind {
  /** What `--targets` calls it. */
  readonly name: string;
  /** With its version, for people. */
  readonly title: string;
  /** Moves large bodies with splice(2): measured where that matters. */
  readonly splicesOnly: boolean;
  /** Measured where clients speak TLS. */
  readonly endsTls: boolean;
  start(place: Place): Promise<Target>;
}

export interface Place {
  readonly folder: string;
  readonly cores: string;
  readonly port: number;
  readonly threads: number;
  /** Its clients speak TLS. */
  readonly tls: boolean;
}

export interface Target {
  readonly kind: TargetKind;
  readonly program: Program;
  readonly port: number;
  readonly tls: boolean;
}

/** A certificate with its key in one file, as HAProxy wants it. */
function pemIn(folder: string): string {
  const file = join(folder, "bench.pem");
  if (existsSync(file)) return file;
  const { certificate, key } = makeCertificate(folder, "bench");
  writeFileSync(file, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  return file;
}

/** A target cannot run here; the others go on. */
export class TargetMissing extends Error {}

/** Everything that can be measured here, HAProxy first: the others are set against it. */
export function targetKinds(): TargetKind[] {
  const kinds = [
    haproxyKind("haproxy", "haproxy", false),
    haproxyKind("haproxy-splice", "haproxy", true),
    nginxKind(),
    tandemKind("portable", "portable"),
    tandemKind("direct", "direct"),
    tandemKind("pipelining", "direct", "    pipelining: 8\n"),
  ];
  const newer = process.env.HAPROXY_BIN;
  if (newer !== undefined && newer !== "")
    kinds.splice(
      2,
      0,
      haproxyKind("haproxy-new", newer, false),
      haproxyKind("haproxy-new-splice", newer, true),
    );
  return kinds;
}

function haproxyKind(name: string, binary: string, splice: boolean): TargetKind {
  const version = /version (\S+)/.exec(execFileSync(binary, ["-v"], { encoding: "utf8" }))?.[1] ?? "?";
  // Neither Debian's revision nor a commit says anything here.
  const short = version.replace(/-(\d+\+deb.*|[0-9a-f]{7,})$/, "");
  const title = `HAProxy ${short}${splice ? ", splice" : ""}`;
  const kind: TargetKind = {
    name,
    title,
    splicesOnly: splice,
    endsTls: !splice,
    start: async ({ folder, cores, port, threads, tls }) => {
      const file = join(folder, `${name}-${port}.cfg`);
      writeFileSync(
        file,
        `global
  nbthread ${threads}
  maxconn 15000
  no strict-limits
  stats socket ${folder}/${name}-${port}.sock
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-request 10s
  timeout http-keep-alive 600s
  no log
  option forwardfor
  http-reuse always
${splice ? "  option splice-request\n  option splice-response\n" : ""}frontend http
  bind 127.0.0.1:${port} backlog 4096${tls ? ` ssl crt ${pemIn(folder)} alpn h2,http/1.1` : ""}
  default_backend web
backend web
  balance roundrobin
${backendPorts.map((backend, i) => `  server web${i + 1} 127.0.0.1:${backend}`).join("\n")}
`,
      );
      const program = new Program(`${name}-${port}`, cores, folder, binary, ["-db", "-f", file]);
      await program.listening(port);
      return { kind, program, port, tls };
    },
  };
  return kind;
}

function nginxKind(): TargetKind {
  // nginx tells its version on standard error.
  const said = execFileSync("sh", ["-c", "nginx -v 2>&1"], { encoding: "utf8" });
  const kind: TargetKind = {
    name: "nginx",
    title: `nginx ${/nginx\/(\S+)/.exec(said)?.[1] ?? "?"}`,
    splicesOnly: false,
    endsTls: true,
    start: async ({ folder, cores, port, threads, tls }) => {
      // Its workers are processes; one of them runs without a master, so that all of it is one process.
      if (threads > 1) throw new TargetMissing("nginx has processes and no threads");
      const file = join(folder, `nginx-${port}.conf`);
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${folder}/nginx-${name};`)
        .join(" ");
      writeFileSync(
        file,
        `daemon off; master_process off; user root; worker_processes 1; worker_rlimit_nofile 40000;
pid ${folder}/nginx-${port}.pid; error_log ${folder}/nginx-${port}.err;
events { worker_connections 19000; }
http {
  access_log off; keepalive_timeout 600; keepalive_requests 100000000; client_max_body_size 0; ${temporary}
  upstream web {
    ${backendPorts.map((backend) => `server 127.0.0.1:${backend};`).join(" ")}
    keepalive 512; keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096${tls ? " ssl http2" : ""};
    ${tls ? `ssl_certificate ${pemIn(folder)}; ssl_certificate_key ${pemIn(folder)}; ssl_protocols TLSv1.2 TLSv1.3;` : ""}
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }
  }
}
`,
      );
      const program = new Program(`nginx-${port}`, cores, folder, "nginx", [
        "-c",
        file,
        "-e",
        `${folder}/nginx-${port}.err`,
      ]);
      await program.listening(port);
      return { kind, program, port, tls };
    },
  };
  return kind;
}

/** `words`: further lines of the proxy in its configuration. */
function tandemKind(name: string, engine: "portable" | "direct", words = ""): TargetKind {
  const kind: TargetKind = {
    name,
    title: `Tandem, ${name}`,
    splicesOnly: false,
    // Node's TLS lies over the portable engine, whichever one carries the rest.
    endsTls: engine === "portable",
    start: async ({ folder, cores, port, threads, tls }) => {
      const statsSocket = join(folder, `${name}-${port}.sock`);
      const config = join(folder, `${name}-${port}.yaml`);
      writeFileSync(
        config,
        `threads: ${threads}
maxconn: 15000
engine: ${engine}
proxies:
  http:
    bind: [{ address: "127.0.0.1:${port}"${tls ? `, tls: { crt: ${pemIn(folder)}, alpn: [h2, http/1.1] }` : ""} }]
    servers: { ${backendPorts.map((backend, i) => `web${i + 1}: "127.0.0.1:${backend}"`).join(", ")} }
    timeout: { connect: 5s, client: 600s, server: 600s, http-request: 10s, http-keep-alive: 600s }
${words}admin:
  bind: 127.0.0.1:${port + 1000}
  stats: { user: bench, password: not-the-default }
`,
      );
      const flags = ["--no-vrrp", "--config", config, "--stats-socket", statsSocket];
      const lb = join(projectRoot, "bin", "lb.js");
      const program = new Program(`${name}-${port}`, cores, folder, process.execPath, [lb, ...flags]);
      try {
        await program.listening(port);
      } catch (error) {
        await program.stop();
        if (/engine/.test(program.log())) throw new TargetMissing(program.log().trim());
        throw error;
      }
      const running = await runningEngine(statsSocket);
      if (running !== engine) {
        await program.stop();
        throw new TargetMissing(`asked for the engine ${engine}, but ${running} runs:\n${program.log()}`);
      }
      return { kind, program, port, tls };
    },
  };
  return kind;
}

/** What `show info` says of the engine, once the control thread is there. */
async function runningEngine(statsSocket: string): Promise<string> {
  return await waitFor("the stats socket", 30_000, async () => {
    const answer = await askStatsSocket(statsSocket, "show info").catch(() => "");
    return /^Engine: (\w+)$/m.exec(answer)?.[1];
  });
}

/** One command on a stats socket, ours or HAProxy's. */
export function askStatsSocket(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(path, () => socket.write(`${command}\n`));
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
