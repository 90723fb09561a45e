import fc from "fast-check";
import t from "tap";
import { type Change, changesOf } from "../../../src/flight/changes.js";
import { type Kind, keptMs, kindOf, kinds } from "../../../src/flight/kinds.js";
import { FlightRecorder, parseFlight } from "../../../src/flight/recorder.js";
import { tellStory } from "../../../src/flight/story.js";

const startMs = Date.parse("2026-11-28T21:00:00.000Z");
const day = 24 * 3_600_000;

function line(epochMs: number, fields: object): string {
  return `${JSON.stringify({ level: "info", time: new Date(epochMs).toISOString(), thread: "main", ...fields })}\n`;
}

function record(recorder: FlightRecorder, epochMs: number, fields: object): void {
  recorder.line(line(epochMs, fields), epochMs);
}

function becomesMaster(recorder: FlightRecorder, epochMs: number): void {
  const msg = "VI_1: BACKUP → MASTER, no master was heard";
  record(recorder, epochMs, { event: "vrrp", instance: "VI_1", from: "BACKUP", to: "MASTER", msg });
}

function changesIn(recorder: FlightRecorder, nowMs: number): Change[] {
  const flight = parseFlight(recorder.changesToJson("n", nowMs));
  if (flight === null) throw new Error("it is no recording");
  t.same(
    changesOf(parseFlight(recorder.toJson("n", nowMs)) ?? { lines: [] }),
    changesOf(flight),
    "one memory",
  );
  return changesOf(flight);
}

t.test("no storm of another kind pushes a transition out, nor does the time", async (t) => {
  const recorder = new FlightRecorder();
  becomesMaster(recorder, startMs);
  for (let i = 0; i < 5000; i++) {
    const at = startMs + i;
    recorder.advert("received", "eth1", new Uint8Array(40), at);
    record(recorder, at, { proxy: "http", status: 503, request: "GET / HTTP/1.1", msg: "request failed" });
    record(recorder, at, { event: "response", proxy: "http", msg: "broken response" });
    record(recorder, at, {
      event: "server",
      proxy: "http",
      server: "a",
      status: "DOWN",
      msg: "server is DOWN",
    });
    record(recorder, at, { event: "vrrp-drop", msg: `advert ${i} dropped` });
    record(recorder, at, { event: "tracked", file: "load", value: i, msg: "tracked file has changed" });
    record(recorder, at, { event: "peer-link", msg: "no peer link" });
    record(recorder, at, { msg: `whatever ${i}` });
  }
  const changes = changesIn(recorder, startMs + 30 * day);
  t.match(changes[0], { epochMs: startMs, tone: "ok", text: "VI_1: BACKUP → MASTER, no master was heard" });
  t.equal(changes.length, 1 + kinds.server.mostChanges + kinds.tracking.mostChanges + kinds.node.mostChanges);
  t.notOk(changes.some(({ text }) => /failed|broken|dropped|whatever/.test(text)));
  const late = parseFlight(recorder.toJson("n", startMs + 30 * day));
  t.same(late?.adverts, []);
  t.notOk(
    late?.lines.some(({ msg }) => /failed|broken|whatever/.test(String(msg))),
    "older than a quarter of an hour",
  );
  const at = startMs + 5000;
  const text = recorder.toJson("n", at);
  const flight = parseFlight(text);
  t.equal(flight?.lines.filter(({ msg }) => msg === "request failed").length, 1024, "they share their place");
  t.ok(text.length < 3_000_000, `${text.length} characters`);
  const times = flight?.lines.map(({ time }) => String(time)) ?? [];
  t.same(times, times.toSorted(), "in their order, whatever their kind");
});

t.test("the story of the last failover is told days later, without what is gone", async (t) => {
  const recorder = new FlightRecorder();
  becomesMaster(recorder, startMs);
  const flight = parseFlight(recorder.toJson("n", startMs + 2 * day));
  const story = flight && tellStory(flight, null);
  t.match(story, /^n: the last change of masters, 48 h ago/);
  t.match(story, /BACKUP → MASTER.*\n {2}\(its adverts and failed requests are no longer recorded\)\n$/);
  const fresh = parseFlight(recorder.toJson("n", startMs + keptMs));
  t.notMatch(fresh && tellStory(fresh, null), "no longer recorded");
});

t.test("what a process has recorded goes on in the next one, each line with its own time", async (t) => {
  const before = new FlightRecorder();
  becomesMaster(before, startMs);
  record(before, startMs, { msg: "request failed" });
  const flight = parseFlight(before.toJson("n", startMs + 60_000));
  if (flight === null) throw new Error("it is no recording");
  const after = new FlightRecorder();
  after.restore(flight);
  record(after, startMs + 61_000, { event: "upgrade", msg: "this program has taken over" });
  t.match(changesIn(after, startMs + keptMs), [
    { text: /MASTER/ },
    { tone: "dim", text: "this program has taken over" },
  ]);
  t.equal(parseFlight(after.toJson("n", startMs + keptMs))?.lines.length, 3);
  t.equal(parseFlight(after.toJson("n", startMs + keptMs + 1))?.lines.length, 2, "not as of the upgrade");
});

t.test("each change has its words and its tone", async (t) => {
  const recorder = new FlightRecorder();
  const server = { event: "server", proxy: "http", server: "web01" };
  const told: [object, string, Change["tone"]][] = [
    [
      { ...server, status: "DOWN", reason: "Layer4 timeout", msg: "server is DOWN" },
      "http/web01: DOWN, Layer4 timeout",
      "bad",
    ],
    [
      { ...server, status: "UP 1/3", reason: "it passed", msg: "server is UP" },
      "http/web01: UP 1/3, it passed",
      "ok",
    ],
    [
      { ...server, status: "DRAIN", reason: "an operator asked for it", msg: "server drains" },
      "http/web01: DRAIN, an operator asked for it",
      "warn",
    ],
    [
      { ...server, status: "no check", reason: "an operator asked for it", msg: "server is ready" },
      "http/web01: ready, an operator asked for it",
      "ok",
    ],
    [
      { ...server, level: "warn", reason: "ECONNREFUSED", msg: "server cannot be reached" },
      "http/web01: cannot be reached, ECONNREFUSED",
      "warn",
    ],
    [
      { event: "backend", level: "error", proxy: "http", msg: "proxy has no server available" },
      "proxy has no server available (proxy http)",
      "bad",
    ],
    [
      { event: "backend", proxy: "http", msg: "proxy has a server again" },
      "proxy has a server again (proxy http)",
      "ok",
    ],
    [
      { event: "vrrp", to: "FAULT", level: "warn", msg: "VI_1: MASTER → FAULT, eth1 is down" },
      "VI_1: MASTER → FAULT, eth1 is down",
      "bad",
    ],
    [{ event: "vrrp", request: "drain", msg: "drained by the operator" }, "drained by the operator", "dim"],
    [{ event: "split-brain", level: "error", msg: "VI_1: split brain" }, "VI_1: split brain", "bad"],
    [{ event: "split-brain", msg: "VI_1: no split brain any more" }, "VI_1: no split brain any more", "ok"],
    [
      {
        event: "thread",
        level: "error",
        dataThread: "data-0",
        reason: "exit code 1",
        msg: "data thread died",
      },
      "data thread died (dataThread data-0, reason exit code 1)",
      "bad",
    ],
    [{ event: "reload", steps: ["a", "b"], msg: "reloaded" }, 'reloaded (steps ["a","b"])', "dim"],
  ];
  for (const [fields] of told) record(recorder, startMs, fields);
  t.same(
    changesIn(recorder, startMs).map(({ text, tone }) => [text, tone]),
    told.map(([, text, tone]) => [text, tone]),
  );
  record(recorder, startMs, { event: "reload", steps: ["x".repeat(20_000)], msg: "reloaded" });
  t.equal(changesIn(recorder, startMs).at(-1)?.text, "reloaded", "it is too long for more than that");
  record(recorder, startMs, { event: "reload", steps: ["x".repeat(9_000)], msg: "reloaded" });
  t.match(changesIn(recorder, startMs).at(-1)?.text, /^reloaded \(steps \["x{200,290}…$/);
});

t.test("nothing that a client or a server says passes for another kind", async () => {
  const words = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('","event":"vrrp","x":"', '\\","event":"vrrp', '"event":"vrrp"', '{"event":"vrrp"}'),
  );
  const isOf = (kind: Kind, fields: object): void => {
    if (kindOf(line(startMs, fields)) !== kind) throw new Error(JSON.stringify(fields));
  };
  fc.assert(
    fc.property(words, words, (a, b) => {
      isOf("request", { client: a, request: b, msg: "request failed" });
      isOf("other", { reason: a + b, msg: `no event: ${b}` });
      isOf("server", { event: "server", server: a, reason: b, msg: "server is DOWN" });
    }),
  );
});
