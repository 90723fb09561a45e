import { spawn } from "node:child_process";
import { join } from "node:path";
import t from "tap";
import { sleep, waitFor } from "../../lab/clock.js";
import { tryRun } from "../../lab/command.js";
import { freePort } from "../../lab/free-port.js";
import { Pages } from "./reference/pages.js";
import { Peer, type PeerName } from "./reference/peer.js";

/** Programs that people run against HAProxy, against Tandem. */
async function start(name: PeerName, pages: Pages): Promise<Peer> {
  const server = { at: String(pages.port) };
  return await Peer.start(name, {
    servers: ["echo"],
    proxies: {
      web: { servers: { a: server, b: server }, log: { dontlogNormal: true } },
      echo: { servers: { echo: {} } },
      proxied: { servers: { echo: {} }, acceptProxy: true },
      secure: { servers: { a: server, b: server }, tls: true, log: { dontlogNormal: true } },
      secureEcho: { servers: { echo: {} }, tls: true },
    },
  });
}

t.test("programs that people run against HAProxy", async (t) => {
  const pages = await Pages.start("page");
  t.teardown(() => pages.kill());
  const tandem = await start("direct", pages);
  t.teardown(() => tandem.stop());
  const haproxy = await start("haproxy", pages);
  t.teardown(() => haproxy.stop());
  tandem.origins.begin({ reply: ({ method, body }) => [answer(`${method} ${body.length}`)] });
  haproxy.origins.begin({ reply: ({ method, body }) => [answer(`${method} ${body.length}`)] });

  await t.test("h2load over HTTP/1.1: none failed", async (t) => {
    const { stdout } = await tryRun("h2load", [
      ...["--h1", "-n", "4000", "-c", "20", "-t", "1", `http://127.0.0.1:${tandem.ports.web}/`],
    ]);
    t.match(
      stdout,
      /requests: 4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout/,
    );
    t.match(stdout, /status codes: 4000 2xx, 0 3xx, 0 4xx, 0 5xx/);
  });

  await t.test("h2load over HTTP/2: none failed", async (t) => {
    const url = `https://127.0.0.1:${tandem.ports.secure}/`;
    const { stdout } = await tryRun("h2load", ["-n", "6000", "-c", "10", "-m", "50", "-t", "1", url]);
    t.match(stdout, /Application protocol: h2\n/);
    t.match(
      stdout,
      /requests: 6000 total, 6000 started, 6000 done, 6000 succeeded, 0 failed, 0 errored, 0 timeout/,
    );
    t.match(stdout, /status codes: 6000 2xx, 0 3xx, 0 4xx, 0 5xx/);
    const row = (await tandem.stat()).get("secure/FRONTEND");
    t.equal(row?.get("req_tot"), "6000");
    t.equal(row?.get("stot"), "10", "a session for each connection");
    t.equal(row?.get("h2_total_connections"), "10");
  });

  for (const peer of [haproxy, tandem])
    await t.test(`nghttp: tables, windows, padding, trailers of its choice (${peer.name})`, async (t) => {
      const url = `https://127.0.0.1:${peer.ports.secureEcho}/`;
      const body = join(t.testdir({ body: "x".repeat(50_000) }), "body");
      const ask = async (...words: string[]) => (await tryRun("nghttp", ["-t", "10", ...words, url])).stdout;
      t.equal(await ask(), "GET 0");
      t.equal(await ask("-m", "5"), "GET 0".repeat(5));
      t.equal(await ask("-c", "0", "-m", "4"), "GET 0".repeat(4), "no table for answers");
      t.equal(await ask("-c", "100", "-c", "4096", "-m", "4"), "GET 0".repeat(4), "a table that changes");
      t.equal(await ask("-w", "1"), "GET 0", "a window of one byte");
      t.equal(await ask("-d", body), "POST 50000");
      // HAProxy 2.6 ends such a connection.
      if (peer === tandem) t.equal(await ask("-d", body, "-b", "200"), "POST 50000", "padded");
      t.equal(await ask("-d", body, "--trailer", "x-sum: 1"), "POST 50000");
      t.equal(await ask("-d", body, "--expect-continue"), "POST 50000");
    });

  await t.test("wrk: no error", async (t) => {
    const { stdout } = await tryRun("wrk", ["-t1", "-c32", "-d2s", `http://127.0.0.1:${tandem.ports.web}/`]);
    t.match(stdout, /\d+ requests in/);
    t.notMatch(stdout, /Socket errors|Non-2xx/);
  });

  for (const peer of [haproxy, tandem])
    await t.test(`curl: every way of asking is answered (${peer.name})`, async (t) => {
      const url = `http://127.0.0.1:${peer.ports.echo}/`;
      const ask = async (...words: string[]) =>
        (await tryRun("curl", ["-sS", "-m", "10", ...words, url])).stdout;
      t.equal(await ask(), "GET 0");
      t.equal(await ask("--http1.0"), "GET 0");
      t.equal(await ask("-d", "x=1"), "POST 3");
      t.equal(await ask("-X", "DELETE"), "DELETE 0");
      t.equal(await ask("-H", "Transfer-Encoding: chunked", "-d", "chunked"), "POST 7");
      t.equal(await ask("-H", "Expect: 100-continue", "-d", "x".repeat(2_000)), "POST 2000");
      t.equal(await ask("--http2"), "GET 0", "an upgrade to HTTP/2 that is not taken");
      t.match(await ask("-I"), /^HTTP\/1\.1 200 OK\r\n/);
      const proxied = `http://127.0.0.1:${peer.ports.proxied}/`;
      const { stdout } = await tryRun("curl", ["-sS", "-m", "10", "--haproxy-protocol", proxied]);
      t.equal(stdout, "GET 0", "behind a PROXY header");
      const twice = ["-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", url];
      t.equal(await ask(...twice), "1 0 ", "the second request goes over the first one's connection");
    });

  for (const peer of [haproxy, tandem])
    await t.test(`curl over HTTP/2: every way of asking is answered (${peer.name})`, async (t) => {
      const url = `https://127.0.0.1:${peer.ports.secureEcho}/`;
      const ask = async (...words: string[]) =>
        (await tryRun("curl", ["-sSk", "-m", "10", "--http2", ...words, url])).stdout;
      t.equal(await ask("-w", " %{http_version}"), "GET 0 2");
      t.equal(await ask("--http1.1", "-w", " %{http_version}"), "GET 0 1.1");
      t.equal(await ask("-d", "x=1"), "POST 3");
      t.equal(await ask("-X", "DELETE"), "DELETE 0");
      t.equal(await ask("-H", "Expect: 100-continue", "-d", "x".repeat(20_000)), "POST 20000");
      t.match(await ask("-I"), /^HTTP\/2 200 \r\n/);
      const twice = ["-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", url];
      t.equal(await ask(...twice), "1 0 ", "the second request goes over the first one's connection");
    });

  await t.test("prometheus-haproxy-exporter finds the series that it finds in HAProxy", async (t) => {
    const [theirs, own] = await Promise.all([scrape(haproxy), scrape(tandem)]);
    t.equal(own.get("haproxy_up"), "1");
    t.equal(own.get("haproxy_exporter_csv_parse_failures_total"), "0");
    t.equal(own.get('haproxy_server_up{backend="web",server="a"}'), "1");
    t.ok(Number(own.get('haproxy_frontend_http_requests_total{frontend="web"}')) > 4_000);
    t.same(
      [...theirs.keys()].filter((series) => series.startsWith("haproxy_") && !own.has(series)),
      [],
    );
    t.ok([...own.keys()].filter((series) => series.startsWith("haproxy_")).length > 100);
  });

  await t.test("hatop shows the proxies, disables a server and enables it", async (t) => {
    const screen = new Terminal(tandem.statsSocket);
    t.teardown(() => screen.close());
    await screen.shows("web", "echo", "FRONTEND", "BACKEND", "OPEN");
    t.pass("it shows the proxies");
    const status = async () => (await tandem.stat()).get("web/a")?.get("status");
    // From the frontend's row to the first server's.
    await screen.press("\x1bOB");
    await screen.press("\x1bOB");
    await screen.pressUntil("\x1b[21~", async () => (await status()) === "MAINT", "F10 disables it");
    t.pass("F10 disables the server");
    await screen.pressUntil("\x1b[20~", async () => (await status()) === "no check", "F9 enables it");
    t.pass("F9 enables it");
  });
});

const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Every series by name and labels. */
async function scrape(peer: Peer): Promise<Map<string, string>> {
  const port = await freePort();
  const exporter = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "SIGKILL", "prometheus-haproxy-exporter"],
      ...[`--haproxy.scrape-uri=unix:${peer.statsSocket}`, `--web.listen-address=127.0.0.1:${port}`],
    ],
    { stdio: "ignore" },
  );
  try {
    const text = await waitFor("the exporter", 20_000, async () => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
      return response?.ok ? await response.text() : null;
    });
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(" ");
        // Which release it is, is no key.
        const series = line.slice(0, space).replace(/^(haproxy_version_info)\{.*/, "$1");
        return [series, line.slice(space + 1)];
      }),
    );
  } finally {
    exporter.kill("SIGKILL");
  }
}

/** hatop under a pseudo terminal. */
class Terminal {
  private screen = "";
  private readonly child;

  constructor(socket: string) {
    const command = `stty rows 40 cols 160; exec hatop -i 1 -s ${socket}`;
    this.child = spawn("script", ["-qefc", command, "/dev/null"], {
      env: { ...process.env, TERM: "xterm", LANG: "C.UTF-8" },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.child.stdout.on("data", (bytes: Buffer) => {
      this.screen += bytes.toString("latin1");
    });
    this.child.stdin.on("error", () => {});
  }

  /** hatop takes a key at a time, and none while it updates. */
  async press(key: string): Promise<void> {
    this.child.stdin.write(key);
    await sleep(700);
  }

  async shows(...words: string[]): Promise<void> {
    try {
      await waitFor(`hatop shows ${words}`, 20_000, () => words.every((word) => this.screen.includes(word)));
    } catch (error) {
      throw new Error(`${error}: ${JSON.stringify(this.screen.slice(-3000))}`);
    }
  }

  async pressUntil(key: string, holds: () => Promise<boolean>, what: string): Promise<void> {
    for (let tries = 0; tries < 8; tries++) {
      await this.press(key);
      for (let waited = 0; waited < 10; waited++) {
        if (await holds()) return;
        await sleep(200);
      }
    }
    throw new Error(`${what}: not after eight times: ${JSON.stringify(this.screen.slice(-3000))}`);
  }

  close(): void {
    if (this.child.pid !== undefined)
      try {
        process.kill(-this.child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
  }
}
