import { spawn } from "node:child_process";
import t, { type Test } from "tap";
import { sleep } from "../../lab/clock.js";
import { Clients, percentile, type Seen } from "./reference/clients.js";
import { Pages } from "./reference/pages.js";
import { Peer, type PeerName } from "./reference/peer.js";

/** slowhttptest with 1,000 connections, in its three ways, beside clients that only want a page. */
const attackSeconds = 6;
const attacks: Readonly<Record<string, readonly string[]>> = {
  "slow heads": ["-H", "-x", "24"],
  "slow bodies": ["-B", "-s", "8192", "-x", "10"],
  "slow reads": ["-X", "-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "3"],
};

async function attack(port: number, words: readonly string[]): Promise<string> {
  const child = spawn(
    "slowhttptest",
    [
      ...["-c", "1000", "-r", "500", "-i", "2", "-l", String(attackSeconds), "-p", "3"],
      ...["-u", `http://127.0.0.1:${port}/`, ...words],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  const late = setTimeout(() => child.kill("SIGKILL"), (attackSeconds + 20) * 1_000);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(late);
  return output;
}

async function course(t: Test, name: PeerName): Promise<void> {
  const pages = await Pages.start("page".repeat(4_096));
  t.teardown(() => pages.kill());
  const peer = await Peer.start(name, {
    servers: [],
    proxies: {
      web: {
        servers: { a: { at: String(pages.port) } },
        timeouts: { "http-request": 5_000, client: 5_000 },
        log: { dontlogNormal: true },
      },
    },
  });
  t.teardown(() => peer.stop());
  const measure = async (during: () => Promise<unknown>): Promise<Seen> => {
    const clients = new Clients(peer.ports.web, 8, 5);
    await during();
    return await clients.stop();
  };
  const calm = percentile((await measure(() => sleep(2_000))).times, 0.99);
  for (const [kind, words] of Object.entries(attacks)) {
    let output = "";
    let most = 0;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        most = Math.max(most, Number((await peer.stat()).get("web/FRONTEND")?.get("scur")));
        await sleep(200);
      }
    })();
    const seen = await measure(async () => {
      output = await attack(peer.ports.web, words);
    });
    watching = false;
    await watch;
    const p99 = percentile(seen.times, 0.99);
    const failed = Object.keys(seen.failed).length === 0 ? "0 failed" : JSON.stringify(seen.failed);
    const ratio = `p99 ${p99.toFixed(1)} ms, ${(p99 / calm).toFixed(1)} times the calm one`;
    const asked = `${seen.answers} answers beside ${most} connections`;
    t.comment(`figures: ${name}, ${kind}: ${failed}, ${asked}, ${ratio}`);
    if (name === "haproxy") continue;
    t.same(seen.failed, {}, `${name}, ${kind}: 0 failed`);
    t.ok(
      most >= 900,
      `${name}, ${kind}: the attackers were there (${most} connections)\n${most >= 900 ? "" : output}`,
    );
  }
}

t.test("slow attackers leave other clients alone", async (t) => {
  for (const name of ["haproxy", "direct"] as const) await course(t, name);
});
