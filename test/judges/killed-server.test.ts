import t, { type Test } from "tap";
import { nowMs, sleep, waitFor } from "../../lab/clock.js";
import { Clients } from "./reference/clients.js";
import { Pages } from "./reference/pages.js";
import { Peer, type PeerName } from "./reference/peer.js";

/**
 * kill -9 of one of three servers under load, then its return. HAProxy gets the same, with `retries 3`, redispatch and
 * the same checks; its figures are printed beside, since they are what users come from.
 */
const interMs = 500;
const rise = 2;
const clients = 20;
/** For the checks' own time, a busy machine, and the second in which a server's first check comes. */
const slackMs = 2_000;

interface Course {
  readonly answers: number;
  readonly failed: Readonly<Record<string, number>>;
  /** Requests that met the dead server. */
  readonly metIt: number;
  readonly backMs: number;
}

async function run(t: Test, name: PeerName): Promise<Course> {
  const pages = await Promise.all(["a", "b", "c"].map((text) => Pages.start(text, 2)));
  t.teardown(() => {
    for (const one of pages) one.kill();
  });
  const check = { inter: interMs, rise, fall: 3 };
  const servers = Object.fromEntries(pages.map(({ port }, i) => ["abc"[i], { at: String(port), check }]));
  const peer = await Peer.start(name, {
    servers: [],
    proxies: { web: { servers, retries: 3, log: { dontlogNormal: true } } },
  });
  t.teardown(() => peer.stop());
  const cell = async (column: string) => (await peer.stat()).get("web/b")?.get(column) ?? "";
  // HAProxy counts a failure only when no other server was asked then, and the moves of all others.
  const number = async (column: string) => Number(await cell(column));
  const misses = async () =>
    Math.max(
      (await number("econ")) + (await number("eresp")),
      (await number("wretr")) + (await number("wredis")),
    );
  const load = new Clients(peer.ports.web, clients, 0);
  await waitFor("load", 20_000, () => load.answers > 1_000);
  pages[1].kill();
  await waitFor("the dead server is out", 20_000, async () => (await cell("status")) === "DOWN", 20);
  const metIt = await misses();
  await sleep(300);
  await pages[1].revive();
  const revivedMs = nowMs();
  await waitFor("it is back", 30_000, async () => (await cell("status")) === "UP", 20);
  const backMs = nowMs() - revivedMs;
  const picks = Number(await cell("lbtot"));
  await waitFor("it serves", 20_000, async () => Number(await cell("lbtot")) > picks, 20);
  await sleep(200);
  return { ...(await load.stop()), metIt, backMs };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((a, b) => a + b, 0);
const describe = (name: string, { answers, failed, metIt, backMs }: Course): string =>
  `${name}: ${sum(failed)} failed of ${answers}, ${metIt} met the dead server, back after ${backMs.toFixed(0)} ms`;

t.test("kill -9 of one of three servers under load", async (t) => {
  t.comment(`figures: ${describe("HAProxy", await run(t, "haproxy"))}`);
  for (const engine of ["direct", "portable"] as const) {
    const own = await run(t, engine);
    t.comment(`figures: ${describe(engine, own)}`);
    t.same(own.failed, {}, `${engine}: 0 failed`);
    t.ok(own.metIt <= 50, `${engine}: it is out of rotation within 50 requests (${own.metIt})`);
    const back = `${own.backMs.toFixed(0)} ms`;
    t.ok(own.backMs <= interMs * rise + slackMs, `${engine}: it is back within inter × rise (${back})`);
  }
});
