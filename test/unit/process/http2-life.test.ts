import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { makeCertificate } from "../../../lab/certificate.js";
import { sleep, waitFor } from "../../../lab/clock.js";
import { freePort } from "../../../lab/free-port.js";
import { command } from "./running-daemon.js";

/** Some of the answers take so long. */
const slowMs = 150;

/** A daemon with HTTP/2 in front of a server of this process. */
async function start(t: Test) {
  let served = 0;
  const server = createServer((request, response) => {
    served++;
    request.resume().on("end", () => {
      if (request.url === "/slow") setTimeout(() => response.end("slow"), slowMs);
      else response.end("fast");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = t.testdir();
  const { certificate, key } = makeCertificate(folder, "site");
  const pem = join(folder, "site.pem");
  writeFileSync(pem, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  const port = await freePort();
  const path = join(folder, "lb.yaml");
  const write = (maxHeadBytes: number): void =>
    writeFileSync(
      path,
      JSON.stringify({
        threads: 2,
        admin: false,
        stats_socket: false,
        proxies: {
          web: {
            bind: { address: `127.0.0.1:${port}`, tls: { crt: pem, alpn: ["h2", "http/1.1"] } },
            servers: { a: `127.0.0.1:${(server.address() as AddressInfo).port}` },
            max_head_bytes: maxHeadBytes,
          },
        },
      }),
    );
  write(16_384);
  const child = spawn(process.execPath, [command, "run", "--no-vrrp", "--config", path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  t.teardown(async () => {
    child.kill("SIGKILL");
    await exited;
    server.closeAllConnections();
    server.close();
  });
  const messages: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => messages.push(JSON.parse(line).msg));
  const said = (text: string, times: number) =>
    waitFor(text, 30_000, async () => messages.filter((one) => one === text).length >= times, 20);
  await said("serving", 1);
  return { port, write, child, said, exited, served: () => served };
}

/** Clients that ask over one connection each, and open another one when they are told that it ends. */
class Load {
  readonly failed: string[] = [];
  answers = 0;
  refused = 0;
  connections = 0;
  private goesOn = true;
  private readonly running: Promise<void>[];

  constructor(
    private readonly port: number,
    clients: number,
  ) {
    this.running = Array.from({ length: clients }, () => this.client());
  }

  async stop(): Promise<void> {
    this.goesOn = false;
    await Promise.all(this.running);
  }

  private async client(): Promise<void> {
    while (this.goesOn) {
      const session = connect(`https://127.0.0.1:${this.port}`, { rejectUnauthorized: false });
      let connected = false;
      session.on("error", (error) => {
        // The process has ended, and with it what waited in its backlog.
        if (connected) this.failed.push(String(error));
      });
      let isEnding = false;
      session.on("goaway", () => {
        isEnding = true;
      });
      connected = await Promise.race([
        once(session, "connect").then(() => true),
        once(session, "close").then(() => false),
      ]).catch(() => false);
      if (!connected) return;
      this.connections++;
      const mayAsk = () => this.goesOn && !isEnding && !session.closed && !session.destroyed;
      await Promise.all([
        this.ask(session, "/fast", mayAsk),
        this.ask(session, "/slow", mayAsk),
        this.ask(session, "/post", mayAsk),
      ]);
      if (!session.destroyed) session.close();
    }
  }

  private async ask(session: ClientHttp2Session, path: string, mayAsk: () => boolean): Promise<void> {
    while (mayAsk()) {
      const method = path === "/post" ? "POST" : "GET";
      const stream = session.request({ ":path": path, ":method": method });
      let status = 0;
      let body = "";
      stream.on("error", () => {});
      stream.on("response", (headers) => {
        status = Number(headers[":status"]);
      });
      stream.setEncoding("latin1");
      stream.on("data", (text: string) => {
        body += text;
      });
      if (method === "POST") stream.end("x".repeat(2_000));
      await new Promise((resolve) => stream.on("close", resolve));
      // RFC 9113 §8.7: nobody has looked at it, as when GOAWAY crosses it; a client asks again elsewhere.
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) this.refused++;
      else if (status === 200 && stream.rstCode === 0 && (body === "fast" || body === "slow")) this.answers++;
      else this.failed.push(`${path}: ${status}, ${body}, code ${stream.rstCode}`);
      await sleep(2);
    }
  }
}

t.test("HTTP/2: no request fails in reloads, nor at the end: clients get GOAWAY and go", async (t) => {
  const { port, write, child, said, exited, served } = await start(t);
  const load = new Load(port, 6);
  const answers = (count: number) =>
    waitFor(`${count} answers`, 60_000, () => load.answers >= count || load.failed.length > 0);
  for (let i = 1; i <= 2; i++) {
    await answers(60 * i);
    write(16_384 + i);
    child.kill("SIGHUP");
    await said("reloaded", i);
  }
  await answers(180);
  const before = load.answers;
  t.ok(load.connections > 6, `clients have come again: ${load.connections} connections`);
  child.kill("SIGTERM");
  const [code] = await exited;
  t.equal(code, 0);
  await load.stop();
  t.ok(before > 100, `${before} answers`);
  t.same(load.failed, []);
  t.equal(served(), load.answers, "whatever reached the server was answered");
  t.ok(load.refused < 100, `${load.refused} were to be asked again elsewhere`);
});
