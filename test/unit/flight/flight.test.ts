import t from "tap";
import { summarizeAdvert } from "../../../src/flight/advert-summary.js";
import { changesOf } from "../../../src/flight/changes.js";
import { keptMs } from "../../../src/flight/kinds.js";
import { encodePcap } from "../../../src/flight/pcap.js";
import { FlightRecorder, parseFlight } from "../../../src/flight/recorder.js";
import { tellStory } from "../../../src/flight/story.js";

const startMs = Date.parse("2026-11-28T21:00:00.000Z");

/** The sample of keepalived and scapy, from 10.78.0.100, with another priority and an IPv4 header. */
function advert(priority: number, source = [10, 78, 0, 100]): Buffer {
  const message = Buffer.from("21336501010196d70a4e00646b406c0000000000", "hex");
  message[2] = priority;
  const header = Buffer.from([0x45, 0xc0, 0, 40, 0, 1, 0, 0, 255, 112, 0, 0, ...source, 224, 0, 0, 18]);
  return Buffer.concat([header, message]);
}

function line(epochMs: number, fields: object): string {
  return `${JSON.stringify({ level: "info", time: new Date(epochMs).toISOString(), thread: "main", ...fields })}\n`;
}

function transition(epochMs: number, from: string, to: string, reason: string): string {
  return line(epochMs, {
    event: "vrrp",
    instance: "VI_1",
    from,
    to,
    reason,
    msg: `VI_1: ${from} → ${to}, ${reason}`,
  });
}

t.test("what is recorded is read back, whatever becomes of the buffer it came in", async (t) => {
  const recorder = new FlightRecorder();
  const bytes = advert(101);
  recorder.advert("received", "eth1", bytes, startMs);
  bytes.fill(0);
  recorder.line(line(startMs, { msg: "serving" }), startMs);
  recorder.line('{"access":"log"}\n', startMs);
  recorder.line(`${line(startMs, { msg: "one" })}${line(startMs, { msg: "two" })}`, startMs);
  recorder.line("no JSON\n", startMs);
  const flight = parseFlight(recorder.toJson("lb-box2", startMs + 5));
  t.match(flight, { node: "lb-box2", nowEpochMs: startMs + 5, lines: [{ msg: "serving" }] });
  t.equal(flight?.lines.length, 1);
  t.same(summarizeAdvert(flight?.adverts[0].bytes ?? bytes), {
    source: "10.78.0.100",
    destination: "224.0.0.18",
    version: 2,
    virtualRouterId: 51,
    priority: 101,
  });
});

t.test("the recording is bounded in number, in bytes and in time", async (t) => {
  const recorder = new FlightRecorder();
  const long = "x".repeat(10_000);
  for (let i = 0; i < 10_000; i++) {
    recorder.advert("sent", "eth1", advert(i % 255), startMs + i);
    recorder.line(line(startMs + i, { msg: `${i} ${long}` }), startMs + i);
  }
  recorder.line(line(startMs, { msg: "x".repeat(20_000) }), startMs);
  const flight = parseFlight(recorder.toJson("n", startMs + 10_000));
  t.equal(flight?.adverts.length, 4096);
  t.equal(flight?.adverts.at(-1)?.epochMs, startMs + 9999);
  const kept = flight?.lines.length ?? 0;
  t.ok(kept > 40 && kept < 55, `${kept} lines of 10 kB`);
  t.equal(flight?.lines.at(-1)?.msg, "x".repeat(1000), "of a longer one the beginning");
  t.match(flight?.lines.at(-2)?.msg, /^9999 /);
  t.match(parseFlight(recorder.toJson("n", startMs + keptMs + 20_000)), { adverts: [], lines: [] });
});

t.test("what is no recording is none", async (t) => {
  for (const text of ["", "{}", '{"node":1}', '{"node":"a","nowEpochMs":1,"adverts":1,"lines":[]}'])
    t.equal(parseFlight(text), null);
  t.match(parseFlight('{"node":"a","nowEpochMs":1,"adverts":[1,{}],"lines":[2]}'), {
    adverts: [],
    lines: [],
  });
});

t.test(
  "the story of a failover: the last adverts, the silence, the change and its reason, in order",
  async (t) => {
    const recorder = new FlightRecorder();
    for (let i = 0; i < 10; i++) recorder.advert("received", "eth1", advert(101), startMs + i * 1000);
    const takenMs = startMs + 9000 + 3609;
    recorder.line(transition(takenMs, "BACKUP", "MASTER", "no master was heard for 3609 ms"), takenMs);
    for (let i = 0; i < 5; i++)
      recorder.advert("sent", "eth1", advert(100, [10, 78, 0, 101]), takenMs + i * 1000);
    const laterMs = takenMs + 500;
    recorder.line(
      line(laterMs, {
        level: "warn",
        event: "server",
        proxy: "http",
        server: "web01",
        status: "DOWN",
        reason: "Layer4 timeout",
        msg: "server is DOWN",
      }),
      laterMs,
    );
    recorder.line(line(takenMs + 60_000, { msg: "long after" }), takenMs + 60_000);
    const flight = parseFlight(recorder.toJson("lb-box2", takenMs + 61_000));
    if (flight === null) throw new Error("it is no recording");
    t.equal(
      tellStory(flight, null),
      `lb-box2: the last change of masters, 61 s ago, at 2026-11-28T21:00:12.609Z
  21:00:03.000  10.78.0.100 advertises router 51 on eth1 with priority 101, VRRPv2
  21:00:09.000  the last advert from 10.78.0.100 (router 51, priority 101), after 7 of them, one every 1000 ms
  21:00:12.609  VI_1: BACKUP → MASTER, no master was heard for 3609 ms
  21:00:12.609  this node advertises router 51 on eth1 with priority 100
  21:00:13.109  http/web01: DOWN, Layer4 timeout
`,
    );
    t.match(
      tellStory(flight, takenMs + 59_000),
      /^lb-box2, the last 2 s:\n {2}21:01:12\.609 {2}long after\n$/,
    );
    t.match(changesOf(flight), [
      { tone: "ok", text: /BACKUP → MASTER/ },
      { tone: "bad", text: "http/web01: DOWN, Layer4 timeout" },
    ]);
  },
);

t.test("without a change of masters that is what it says", async (t) => {
  const recorder = new FlightRecorder();
  recorder.line(line(startMs, { msg: "serving" }), startMs);
  const flight = parseFlight(recorder.toJson("n", startMs + 60_000));
  t.match(flight && tellStory(flight, null), /^n: no change of masters in the 60 s that are recorded/);
});

t.test("a pcap file has its header, and each packet its time and length", async (t) => {
  const bytes = advert(101);
  const file = Buffer.from(
    encodePcap([{ epochMs: 1_795_400_000_123.5, direction: "sent", interface: "eth1", bytes }]),
  );
  t.equal(file.subarray(0, 24).toString("hex"), "d4c3b2a1020004000000000000000000ffff000065000000");
  t.equal(file.readUInt32LE(24), 1_795_400_000);
  t.equal(file.readUInt32LE(28), 123_500);
  t.same([file.readUInt32LE(32), file.readUInt32LE(36)], [40, 40]);
  t.same(file.subarray(40), bytes);
});

t.test("an advert out of turn makes no silence of the usual pauses, and a real one is told", async (t) => {
  const recorder = new FlightRecorder();
  const times = [0, 1000, 1060, 2060, 3060, 4060, 9060, 10_060];
  for (const ms of times) recorder.advert("received", "eth1", advert(101), startMs + ms);
  const flight = parseFlight(recorder.toJson("n", startMs + 10_100));
  const story = flight === null ? "" : tellStory(flight, startMs - 1);
  t.same(story.match(/is heard again after \d+ ms/g), ["is heard again after 5000 ms"]);
});
