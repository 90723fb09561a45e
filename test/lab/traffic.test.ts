import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import t, { type Test } from "tap";
import { type Backend, startNginx } from "../../lab/backend.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { type Host, Network } from "../../lab/network.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandem, type Tandem } from "../../lab/tandem.js";

const mebibyte = 1024 * 1024;
const sizes = [0, 1, 16_384, 65_537, mebibyte, 100 * mebibyte];

t.test("real traffic through one balancer to two nginx", async (t) => {
  const lab = await startLab(t);

  for (const size of sizes) {
    t.test(`a download of ${size} bytes arrives byte for byte, with a length and in chunks`, async (t) => {
      const expected = lab.publish(`download-${size}`, size);
      for (const path of [`download-${size}`, `chunked/download-${size}`]) {
        const target = join(lab.network.scratch, "received");
        await lab.curl("-o", target, `${lab.url}/${path}`);
        t.equal(await sha256(target), expected, path);
      }
    });

    t.test(`an upload of ${size} bytes arrives byte for byte, with a length and in chunks`, async (t) => {
      const source = join(lab.network.scratch, "source");
      writeFileSync(source, randomBytes(size));
      const expected = await sha256(source);
      // curl never ends a chunked upload of nothing, to nginx alone as well.
      for (const framing of size === 0 ? ["length"] : ["length", "chunked"]) {
        const name = `upload-${framing}-${size}`;
        const header = framing === "chunked" ? ["-H", "Transfer-Encoding: chunked"] : [];
        await lab.curl(...header, "-T", source, `${lab.url}/${name}`);
        const stored = lab.webs.map((web) => join(web.folder, name)).filter((file) => existsSync(file));
        t.equal(stored.length, 1, "one nginx has it");
        t.equal(await sha256(stored[0]), expected, framing);
      }
    });
  }

  t.test("both nginx get their share", async (t) => {
    const before = lab.requestsServed();
    for (let times = 0; times < 40; times += 1) await lab.curl(`${lab.url}/`);
    const served = (): number[] => lab.requestsServed().map((count, index) => count - before[index]);
    await waitFor("the access logs", 30_000, () => served()[0] + served()[1] >= 40);
    // Each data thread takes turns of its own, and begins where it likes.
    for (const count of served()) t.ok(count >= 16 && count <= 24, `${count} of 40`);
  });

  t.test("readers that are slow hold up the server and not the balancer's memory", async (t) => {
    lab.publish("big", 100 * mebibyte);
    const before = residentBytes(lab.tandem);
    const readers = Array.from({ length: 10 }, () =>
      lab.client.spawn("curl", "curl", "-sS", "--limit-rate", "500K", "-o", "/dev/null", `${lab.url}/big`),
    );
    await sleep(4000);
    const grown = residentBytes(lab.tandem) - before;
    t.ok(grown < 150 * mebibyte, `10 slow readers of 100 MiB: ${(grown / mebibyte).toFixed(1)} MiB more`);
    t.ok(readers.every((reader) => reader.exit === null));
    for (const reader of readers) await reader.stop("SIGKILL");
    await lab.quiet(t);
  });

  t.test("a slow upload arrives byte for byte", async (t) => {
    const source = join(lab.network.scratch, "slow");
    writeFileSync(source, randomBytes(2 * mebibyte));
    await lab.curl("--limit-rate", "700K", "-T", source, `${lab.url}/slow`);
    const stored = lab.webs.map((web) => join(web.folder, "slow")).filter((file) => existsSync(file));
    t.equal(await sha256(stored[0]), await sha256(source));
  });

  t.test("after 10,000 requests, a good part of them broken off, no descriptor is left over", async (t) => {
    lab.publish("big", 4 * mebibyte);
    const settled = async (requests: number, seed: number): Promise<number> => {
      const script = join(projectRoot, "test", "lab", "rude-client.mjs");
      const parameters = [script, "192.168.33.80", String(requests), String(seed)];
      const summary = JSON.parse(await lab.client.run(process.execPath, ...parameters));
      t.equal(summary.asked, requests);
      t.same(summary.wrong, {}, "every request that was not broken off got its answer");
      await lab.quiet(t);
      return lab.tandem.descriptors();
    };
    const first = await settled(2000, 1);
    const second = await settled(8000, 2);
    // Idle connections in the pool come and go with the load of the last moment.
    t.ok(second - first < 100, `${first} descriptors after 2,000 requests, ${second} after 10,000`);
    await lab.curl(`${lab.url}/`);
  });

  t.test("nginx is killed in the middle of it all, and no request of a client fails", async (t) => {
    const script = join(projectRoot, "test", "lab", "rude-client.mjs");
    const asking = lab.client.run(process.execPath, script, "192.168.33.80", "3000", "3", "polite");
    await sleep(300);
    await lab.webs[0].process.stop("SIGKILL");
    const summary = JSON.parse(await asking);
    t.equal(summary.asked, 3000);
    t.same(summary.wrong, {});
  });
});

interface Lab {
  readonly network: Network;
  readonly client: Host;
  readonly webs: readonly Backend[];
  readonly tandem: Tandem;
  readonly url: string;
  /** Puts random bytes on both nginx; gives their SHA-256. */
  publish(name: string, size: number): string;
  curl(...parameters: string[]): Promise<string>;
  requestsServed(): number[];
  /** Waits until no client connection is left. */
  quiet(t: Test): Promise<void>;
}

async function startLab(t: Test): Promise<Lab> {
  const network = await Network.create();
  t.teardown(() => network.close());
  const client = network.host("client");
  const webs = [
    await startNginx(network, network.host("web-box1")),
    await startNginx(network, network.host("web-box2")),
  ];
  const tandem = startTandem(
    network,
    network.host("lb-box1"),
    "--no-vrrp",
    "--threads",
    "2",
    "--listen",
    ":80",
    "--admin",
    "127.0.0.1:8404",
  );
  const url = "http://192.168.33.80";
  const curl = (...parameters: string[]): Promise<string> =>
    client.run("curl", "-sS", "--fail", "--max-time", "60", ...parameters);
  await waitFor(
    "an answer",
    30_000,
    async () => (await client.tryRun("curl", "-sS", "--fail", url)).code === 0,
    100,
  );
  return {
    network,
    client,
    webs,
    tandem,
    url,
    curl,
    publish: (name, size) => {
      const bytes = randomDocument(size);
      for (const web of webs) writeFileSync(join(web.folder, name), bytes);
      return createHash("sha256").update(bytes).digest("hex");
    },
    requestsServed: () => webs.map((web) => readFileSync(web.accessLog, "utf8").split("\n").length - 1),
    quiet: async (t) => {
      const current = async (): Promise<number> => Number((await tandem.statRow("http", "FRONTEND")).scur);
      await waitFor("an end of every client connection", 30_000, async () => (await current()) === 0).catch(
        () => {},
      );
      t.equal(await current(), 0, "no client connection is left");
    },
  };
}

/**
 * Random bytes that nginx's SSI filter, which frames our chunked documents, leaves alone: it takes `<!--` for a
 * beginning, and one in forty files of 100 MiB has that by chance.
 */
function randomDocument(size: number): Buffer {
  const bytes = randomBytes(size);
  for (let at = bytes.indexOf("<"); at >= 0; at = bytes.indexOf("<", at + 1)) bytes[at] = 0;
  return bytes;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function residentBytes(tandem: Tandem): number {
  const status = readFileSync(`/proc/${tandem.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
