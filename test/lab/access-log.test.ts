import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { sleep, waitFor } from "../../lab/clock.js";
import { run } from "../../lab/command.js";
import { freePorts } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";

/**
 * The same traffic through HAProxy and through Tandem: both log to a syslog socket of this test, and the lines must agree
 * in every field but the client's port, the date, the times (−1 or not is compared) and the bytes: HAProxy counts those
 * of its inner form of a message, Tandem those that the client got.
 */

/** Ms: every time-out of both. */
const timeoutMs = 800;

type Script = (open: () => Promise<Socket>) => Promise<void>;

interface Case {
  readonly name: string;
  readonly proxy: "web" | "refused" | "none" | "moved" | "tcp";
  readonly script: Script;
  /** What HAProxy 2.6 was seen to write after the date, times and bytes as signs: a change of either side shows. */
  readonly line: string;
  /** Where Tandem's is another one, it says why. */
  readonly ours?: { readonly line: string; readonly because: string };
}

const get = (path: string, ...fields: string[]): string =>
  `${[`GET ${path} HTTP/1.1`, "Host: site", ...fields].join("\r\n")}\r\n\r\n`;

/** Sends, and goes when the answer is there or does not come. */
const ask =
  (...pieces: string[]): Script =>
  async (open) => {
    const socket = await open();
    const over = new Promise((resolve) => {
      socket.once("data", resolve);
      socket.once("close", resolve);
    });
    for (const piece of pieces) {
      socket.write(piece, "latin1");
      await sleep(60);
    }
    await Promise.race([over, sleep(2 * timeoutMs)]);
    await sleep(100);
    socket.destroy();
  };

const upload = (first: string): string =>
  `POST /ok HTTP/1.1\r\nHost: site\r\nContent-Length: 10\r\n\r\n${first}`;

const cases: readonly Case[] = [
  {
    name: "a request",
    proxy: "web",
    script: ask(get("/ok")),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "GET /ok HTTP/1.1"',
  },
  {
    name: "a HEAD",
    proxy: "web",
    script: ask("HEAD /ok HTTP/1.1\r\nHost: site\r\n\r\n"),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "HEAD /ok HTTP/1.1"',
  },
  {
    name: "HTTP/1.0",
    proxy: "web",
    script: ask("GET /ok HTTP/1.0\r\n\r\n"),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "GET /ok HTTP/1.0"',
  },
  {
    name: "absolute form",
    proxy: "web",
    script: ask("GET http://site/ok HTTP/1.1\r\nHost: site\r\n\r\n"),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "GET http://site/ok HTTP/1.1"',
  },
  {
    name: "a quote in the target",
    proxy: "web",
    script: ask(get('/ok"x\\y')),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "GET /ok#22x\\y HTTP/1.1"',
  },
  {
    name: "a head in pieces",
    proxy: "web",
    script: ask("GET /ok HT", "TP/1.1\r\nHost: site\r\n\r\n"),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "GET /ok HTTP/1.1"',
  },
  {
    name: "an error of the server's own",
    proxy: "web",
    script: ask(get("/404")),
    line: 'web web/web1 +/+/+/+/+ 404 + - - ---- 1/1/0/0/0 0/0 "GET /404 HTTP/1.1"',
  },
  {
    name: "a body that ends with the connection",
    proxy: "web",
    script: ask(get("/until")),
    line: 'web web/web1 +/+/+/+/+ 200 + - - ---- 1/1/0/0/0 0/0 "GET /until HTTP/1.1"',
  },
  {
    name: "a tunnel",
    proxy: "web",
    script: ask(get("/101", "Connection: Upgrade", "Upgrade: x")),
    line: 'web web/web1 +/+/+/+/+ 101 + - - ---- 1/1/0/0/0 0/0 "GET /101 HTTP/1.1"',
  },
  {
    name: "a server that closes without a word",
    proxy: "web",
    script: ask(get("/empty")),
    line: 'web web/web1 +/+/+/-1/+ 502 + - - SH-- 1/1/0/0/0 0/0 "GET /empty HTTP/1.1"',
  },
  {
    name: "a server that resets",
    proxy: "web",
    script: ask(get("/reset")),
    line: 'web web/web1 +/+/+/-1/+ 502 + - - SH-- 1/1/0/0/0 0/0 "GET /reset HTTP/1.1"',
  },
  {
    name: "an answer that is no HTTP",
    proxy: "web",
    script: ask(get("/bad")),
    line: 'web web/web1 +/+/+/-1/+ 502 + - - PH-- 1/1/0/0/0 0/0 "GET /bad HTTP/1.1"',
  },
  {
    name: "a response's head that breaks off",
    proxy: "web",
    script: ask(get("/half")),
    line: 'web web/web1 +/+/+/-1/+ 502 + - - SH-- 1/1/0/0/0 0/0 "GET /half HTTP/1.1"',
  },
  {
    name: "a body that breaks off",
    proxy: "web",
    script: ask(get("/cut")),
    line: 'web web/web1 +/+/+/+/+ 200 + - - SD-- 1/1/0/0/0 0/0 "GET /cut HTTP/1.1"',
  },
  {
    name: "a server that never answers",
    proxy: "web",
    script: ask(get("/hang")),
    line: 'web web/web1 +/+/+/-1/+ 504 + - - sH-- 1/1/0/0/0 0/0 "GET /hang HTTP/1.1"',
  },
  {
    name: "a server that stops in a body",
    proxy: "web",
    script: async (open) => {
      const socket = await open();
      socket.write(get("/stall"));
      await sleep(2 * timeoutMs);
      socket.destroy();
    },
    line: 'web web/web1 +/+/+/+/+ 200 + - - sD-- 1/1/0/0/0 0/0 "GET /stall HTTP/1.1"',
  },
  {
    name: "a client that breaks off a body",
    proxy: "web",
    script: async (open) => {
      const socket = await open();
      socket.write(get("/flow"));
      await new Promise((resolve) => socket.once("data", resolve));
      socket.resetAndDestroy();
    },
    line: 'web web/web1 +/+/+/+/+ 200 + - - CD-- 1/1/0/0/0 0/0 "GET /flow HTTP/1.1"',
  },
  {
    name: "a client that breaks off while it waits",
    proxy: "web",
    script: async (open) => {
      const socket = await open();
      socket.write(get("/hang"));
      await sleep(100);
      socket.resetAndDestroy();
    },
    line: 'web web/web1 +/+/+/-1/+ 504 + - - sH-- 1/1/0/0/0 0/0 "GET /hang HTTP/1.1"',
    ours: {
      line: 'web web/web1 +/+/+/-1/+ -1 0 - - CH-- 1/1/0/0/0 0/0 "GET /hang HTTP/1.1"',
      because: "a reset is heard at once, and the server is not kept busy for nobody",
    },
  },
  {
    name: "a client that does not read",
    proxy: "web",
    script: async (open) => {
      const socket = await open();
      socket.pause();
      socket.write(get("/big"));
      await sleep(3 * timeoutMs);
      socket.destroy();
    },
    line: 'web web/web1 +/+/+/+/+ 200 + - - cD-- 1/1/0/0/0 0/0 "GET /big HTTP/1.1"',
  },
  {
    name: "a request that is none",
    proxy: "web",
    script: ask("GE\x01 / HTTP/1.1\r\n\r\n"),
    line: 'web web/<NOSRV> -1/-1/-1/-1/+ 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  },
  {
    name: "a client that says nothing and goes",
    proxy: "web",
    script: async (open) => {
      (await open()).end();
    },
    line: 'web web/<NOSRV> -1/-1/-1/-1/+ 400 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  },
  {
    name: "a client that says nothing",
    proxy: "web",
    script: ask(),
    line: 'web web/<NOSRV> -1/-1/-1/-1/+ 408 0 - - cR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  },
  {
    name: "a client that stops in its head",
    proxy: "web",
    script: ask("GET / HT"),
    line: 'web web/<NOSRV> -1/-1/-1/-1/+ 408 0 - - cR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  },
  {
    name: "a client that goes in its head",
    proxy: "web",
    script: async (open) => {
      const socket = await open();
      socket.write("GET / HT");
      await sleep(50);
      socket.end();
      await sleep(50);
    },
    line: 'web web/<NOSRV> -1/-1/-1/-1/+ 400 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  },
  {
    name: "a client that breaks off its body",
    proxy: "web",
    script: async (open) => {
      const socket = await open();
      socket.write(upload("abc"));
      await sleep(100);
      socket.resetAndDestroy();
    },
    line: 'web web/web1 +/+/+/-1/+ -1 0 - - CD-- 1/1/0/0/0 0/0 "POST /ok HTTP/1.1"',
  },
  {
    name: "a client that stops in its body",
    proxy: "web",
    script: ask(upload("abc")),
    line: 'web web/web1 +/+/+/-1/+ 504 + - - sH-- 1/1/0/0/0 0/0 "POST /ok HTTP/1.1"',
    ours: {
      line: 'web web/web1 +/+/+/-1/+ 408 + - - cD-- 1/1/0/0/0 0/0 "POST /ok HTTP/1.1"',
      because: "it is the client that did not go on, and it is told so",
    },
  },
  {
    name: "no server that is up",
    proxy: "none",
    script: ask(get("/ok")),
    line: 'none none/<NOSRV> +/-1/-1/-1/+ 503 + - - SC-- 1/1/0/0/0 0/0 "GET /ok HTTP/1.1"',
  },
  {
    name: "a server that refuses",
    proxy: "refused",
    script: ask(get("/ok")),
    line: 'refused refused/web1 +/+/-1/-1/+ 503 + - - SC-- 1/1/0/0/0 0/0 "GET /ok HTTP/1.1"',
  },
  {
    name: "a request that moves on",
    proxy: "moved",
    script: ask(get("/ok")),
    line: 'moved moved/web2 +/+/+/+/+ 200 + - - ---- 1/1/0/0/+1 0/0 "GET /ok HTTP/1.1"',
  },
  {
    name: "a session of mode tcp",
    proxy: "tcp",
    script: ask(get("/ok")),
    line: "tcp tcp/web1 +/+/+ + -- 1/1/0/0/0 0/0",
  },
  {
    name: "a session in which nobody says anything more",
    proxy: "tcp",
    script: async (open) => {
      const socket = await open();
      socket.write(get("/hang"));
      await sleep(2 * timeoutMs);
      socket.destroy();
    },
    line: "tcp tcp/web1 +/+/+ 0 cD 1/1/0/0/0 0/0",
  },
];

t.test("access log lines are HAProxy's", async (t) => {
  const lab = await start();
  t.teardown(() => lab.stop());
  for (const { name, proxy, script, line, ours } of cases) {
    const [theirs, own] = await Promise.all([lab.haproxy.log(proxy, script), lab.tandem.log(proxy, script)]);
    t.same(theirs, [line], `HAProxy: ${name}`);
    t.same(own, [ours?.line ?? line], `${name}${ours === undefined ? "" : `, where ${ours.because}`}`);
  }
  t.test("lb explain tells of those that failed, whose lines are in the access log alone", async (t) => {
    const story = await lab.explain();
    const told = (path: string, words: RegExp): boolean =>
      t.match(story, new RegExp(`^ .* web/web1: GET ${path} HTTP/1.1 got ${words.source}$`, "m"));
    told("/empty", /502 after \d+ ms, SH--: the server broke off before its answer began/);
    told("/reset", /502 after \d+ ms, SH--: the server broke off before its answer began/);
    told("/bad", /502 after \d+ ms, PH--: this node refused the server's answer/);
    told("/hang", /504 after \d+ ms, sH--: the server was silent for too long before its answer began/);
    told("/cut", /200 after \d+ ms, SD--: the server broke off in the middle/);
    t.match(
      story,
      /refused\/web1: GET \/ok HTTP\/1.1 got 503 after \d+ ms, SC--: no server could be reached/,
    );
    t.notMatch(story, /GET \/404 /, "an answer is no failure");
  });
  t.test("a file gets HAProxy's lines too, and goes on after it was moved away", async (t) => {
    await waitFor("the file", 30_000, () => readFileSync(lab.file, "utf8").includes("/404"), 50);
    const lines = readFileSync(lab.file, "utf8").trimEnd().split("\n");
    t.match(
      lines.find((line) => line.includes("GET /ok HTTP/1.1")),
      /^127\.0\.0\.1:\d+ \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] web web\/web1 0\/0\/\d+\/\d+\/\d+ 200 /,
    );
    rmSync(lab.file);
    await waitFor(
      "a new file",
      30_000,
      async () => {
        await lab.tandem.log("web", ask(get("/ok")));
        try {
          return readFileSync(lab.file, "utf8").includes("GET /ok");
        } catch {
          return false;
        }
      },
      100,
    );
  });
});

/** Times and bytes as signs; client and date go once they have the right form. */
function signs(datagram: string): string {
  const match =
    /^<134>\w{3} [ \d]\d \d\d:\d\d:\d\d (?:haproxy|lb)\[\d+\]: 127\.0\.0\.1:\d+ \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] (\S+ \S+) (\S+)( -?\d+)? (\d+) (\D.*)$/.exec(
      datagram.trimEnd(),
    );
  if (match === null) return `unknown form: ${datagram}`;
  const [, names, times, status, bytes, rest] = match;
  const signed = times.split("/").map((time) => (time === "-1" ? time : "+"));
  return `${names} ${signed.join("/")} ${status === undefined ? "" : `${status.trim()} `}${bytes === "0" ? "0" : "+"} ${rest}`;
}

class Judge {
  private readonly seen: string[] = [];

  constructor(
    private readonly child: ChildProcess,
    private readonly ports: Readonly<Record<Case["proxy"], number>>,
    private readonly socket: Datagrams,
    private readonly statsSocket: string,
  ) {
    socket.on("message", (message) => this.seen.push(signs(message.toString("latin1"))));
  }

  /** The lines that a script's traffic makes. */
  async log(proxy: Case["proxy"], script: Script): Promise<string[]> {
    // The line before this one may have come while its client was there: how many are is part of a line.
    await waitFor("its last client to be gone", 20_000, async () => (await this.clients()) === 0, 20);
    this.seen.length = 0;
    await script(() => open(this.ports[proxy]));
    await waitFor("a line", 30_000, () => this.seen.length > 0, 20);
    return [...this.seen];
  }

  private clients(): Promise<number> {
    return new Promise((resolve, reject) => {
      let text = "";
      const stats = connect(this.statsSocket, () => stats.write("show info\n"));
      stats.on("data", (chunk) => {
        text += chunk;
      });
      stats.on("error", reject);
      stats.on("close", () => resolve(Number(/^CurrConns: (\d+)$/m.exec(text)?.[1])));
    });
  }

  async ready(): Promise<void> {
    await waitFor("the port", 30_000, async () => {
      const socket = await open(this.ports.web).catch(() => null);
      socket?.destroy();
      return socket !== null;
    });
    // The connection that found it ready has its line as well.
    await waitFor("the first line", 30_000, () => this.seen.length > 0, 20);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode === null && this.child.kill()) await Promise.race([ended, sleep(10_000)]);
    this.child.kill("SIGKILL");
    this.socket.close();
  }
}

async function start() {
  const folder = mkdtempSync(join(tmpdir(), "lb-log-"));
  const file = join(folder, "access.log");
  const web = await startServer();
  const serverPort = (web.address() as AddressInfo).port;
  const [nobody, ...ports] = await freePorts(11);
  const portsFrom = (from: number) => ({
    web: ports[from],
    refused: ports[from + 1],
    none: ports[from + 2],
    moved: ports[from + 3],
    tcp: ports[from + 4],
  });
  const [haproxyPorts, tandemPorts] = [portsFrom(0), portsFrom(5)];
  const [haproxyLog, tandemLog] = await Promise.all([datagrams(), datagrams()]);

  const times = ["connect", "client", "server", "http-request", "queue"];
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global
  stats socket ${join(folder, "haproxy.sock")}
  log 127.0.0.1:${haproxyLog.address().port} local0
defaults
  mode http
  log global
  option httplog
  option redispatch 1
  retries 0
  timeout http-keep-alive 10s
${times.map((word) => `  timeout ${word} ${timeoutMs}ms\n`).join("")}
listen web
  bind 127.0.0.1:${haproxyPorts.web}
  server web1 127.0.0.1:${serverPort}
listen refused
  bind 127.0.0.1:${haproxyPorts.refused}
  server web1 127.0.0.1:${nobody}
listen none
  bind 127.0.0.1:${haproxyPorts.none}
  server web1 127.0.0.1:${serverPort} disabled
listen moved
  bind 127.0.0.1:${haproxyPorts.moved}
  balance first
  retries 1
  server web1 127.0.0.1:${nobody}
  server web2 127.0.0.1:${serverPort}
listen tcp
  bind 127.0.0.1:${haproxyPorts.tcp}
  mode tcp
  option tcplog
  timeout server 10s
  server web1 127.0.0.1:${serverPort}
`,
  );
  const proxy = (name: keyof typeof tandemPorts, servers: string, more = "") => `  ${name}:
    bind: 127.0.0.1:${tandemPorts[name]}
    balance: first
    servers: { ${servers} }
    log: { to: [${["127.0.0.1:", tandemLog.address().port].join("")}${more}], format: httplog }
    timeout: { connect: ${timeoutMs}, client: ${timeoutMs}, server: ${timeoutMs}, http-request: ${timeoutMs}, http-keep-alive: 10s }
`;
  writeFileSync(
    join(folder, "lb.yaml"),
    `threads: 2
admin: false
stats_socket: ${join(folder, "lb.sock")}
proxies:
${proxy("web", `web1: "127.0.0.1:${serverPort}"`, `, "file:${file}"`)}${proxy("refused", `web1: "127.0.0.1:${nobody}"`)}${proxy(
  "none",
  `web1: { address: "127.0.0.1:${serverPort}", disabled: true }`,
)}${proxy("moved", `web1: "127.0.0.1:${nobody}", web2: "127.0.0.1:${serverPort}"`)}  tcp:
    mode: tcp
    bind: 127.0.0.1:${tandemPorts.tcp}
    servers: { web1: "127.0.0.1:${serverPort}" }
    log: { to: "127.0.0.1:${tandemLog.address().port}", format: tcplog }
    timeout: { connect: ${timeoutMs}, tunnel: ${timeoutMs} }
`,
  );
  const haproxy = new Judge(
    spawn("haproxy", ["-db", "-f", join(folder, "haproxy.cfg")], { stdio: "ignore" }),
    haproxyPorts,
    haproxyLog,
    join(folder, "haproxy.sock"),
  );
  const tandem = new Judge(
    spawn(process.execPath, [join(projectRoot, "bin/lb.js"), "--config", join(folder, "lb.yaml")], {
      stdio: "ignore",
    }),
    tandemPorts,
    tandemLog,
    join(folder, "lb.sock"),
  );
  const stop = async (): Promise<void> => {
    await Promise.all([haproxy.stop(), tandem.stop()]);
    web.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all([haproxy.ready(), tandem.ready()]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { haproxy, tandem, file, stop, explain: () => explain(join(folder, "lb.sock")) };
}

async function explain(socket: string): Promise<string> {
  return run(process.execPath, [
    join(projectRoot, "bin/lb.js"),
    "explain",
    "--since",
    "10m",
    "--stats-socket",
    socket,
  ]);
}

/** Does what the path says. */
async function startServer(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const path = /^\w+ (?:http:\/\/[^/]*)?(\S+) /.exec(text)?.[1];
      const headEnd = text.indexOf("\r\n\r\n");
      if (path === undefined || headEnd < 0) return;
      const bodyBytes = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < headEnd + 4 + bodyBytes) return;
      const isHead = text.startsWith("HEAD");
      text = "";
      const half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";
      if (path.startsWith("/ok"))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${isHead ? "" : "hello"}`);
      else if (path === "/404") socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      else if (path === "/until") socket.end("HTTP/1.1 200 OK\r\n\r\nhello");
      else if (path === "/empty") socket.end();
      else if (path === "/reset") socket.resetAndDestroy();
      else if (path === "/bad") socket.end("SSH-2.0-x\r\n\r\n");
      else if (path === "/half") socket.write("HTTP/1.1 200 O", () => setTimeout(() => socket.end(), 50));
      else if (path === "/cut") socket.write(half, () => setTimeout(() => socket.end(), 50));
      else if (path === "/stall") socket.write(half);
      else if (path === "/big") {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
        socket.write(Buffer.alloc(50_000_000));
      } else if (path === "/flow") {
        socket.write(half);
        const timer = setInterval(() => socket.write("x"), 20);
        socket.on("close", () => clearInterval(timer));
      } else if (path === "/101") {
        socket.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
        setTimeout(() => socket.end("bye"), 50);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function datagrams(): Promise<Datagrams> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
    socket.resume();
  });
}
