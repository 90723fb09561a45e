/** What clients have done to servers of HTTP/2, and what it costs here. */
import t from "tap";
import { FrameType } from "../../../src/proxy/http2/frame.js";
import { frame, getBlock, literals, postBlock, SessionPeer, settings, uint32 } from "./session-peer.js";

const { data, headers, priority, rstStream, ping, windowUpdate, continuation } = FrameType;
const settingsFrame = FrameType.settings;
const zeros = (length: number): Buffer => Buffer.alloc(length);

/** Sends `step(i)` until the session ends, at most `most` times; returns how many it took. */
function until(peer: SessionPeer, most: number, step: (i: number) => Uint8Array): number {
  for (let i = 0; i < most; i++) {
    if (peer.failure !== null) return i;
    peer.send(step(i));
  }
  return most;
}

t.test("rapid reset (CVE-2023-44487): a thousand at once, then 33 a second", async (t) => {
  const peer = new SessionPeer();
  const reset = (i: number) =>
    Buffer.concat([frame(headers, 5, 2 * i + 1, getBlock), frame(rstStream, 0, 2 * i + 1, uint32(8))]);
  t.equal(until(peer, 5_000, reset), 1_001);
  t.equal(peer.failure, "ENHANCE_YOUR_CALM");
  t.ok(peer.seen.every(({ isLost }) => isLost));

  const patient = new SessionPeer();
  for (let i = 0; i < 5_000; i++) {
    patient.nowMs += 40;
    patient.send(reset(i));
  }
  t.equal(patient.failure, null, "25 a second are borne");
});

t.test("made to reset (CVE-2025-8671): streams that we have to reset count as much", async (t) => {
  const peer = new SessionPeer();
  const broken = (i: number) =>
    Buffer.concat([frame(headers, 5, 2 * i + 1, getBlock), frame(windowUpdate, 0, 2 * i + 1, uint32(0))]);
  t.equal(until(peer, 5_000, broken), 1_001);
  t.equal(peer.failure, "ENHANCE_YOUR_CALM");
});

t.test("a client that leaves what it has had in full is not counted", async (t) => {
  const peer = new SessionPeer();
  peer.answersAtOnce = true;
  const whole = (i: number) =>
    Buffer.concat([frame(headers, 5, 2 * i + 1, getBlock), frame(rstStream, 0, 2 * i + 1, uint32(8))]);
  t.equal(until(peer, 3_000, whole), 3_000);
});

t.test("too many streams: refused, and in the end the connection too", async (t) => {
  const peer = new SessionPeer();
  for (let i = 0; i < 100; i++) peer.get(2 * i + 1);
  t.equal(peer.seen.length, 100);
  peer.frames();
  peer.send(frame(headers, 5, 201, getBlock));
  t.same(peer.words(), ["RST_STREAM 201 REFUSED_STREAM"]);
  peer.respond(peer.seen[7], true);
  peer.get(203);
  t.equal(peer.seen.length, 101, "one has ended, one may come");
  t.equal(
    until(peer, 5_000, (i) => frame(headers, 5, 205 + 2 * i, getBlock)),
    1_000,
  );
  t.equal(peer.seen.length, 101);
});

t.test("CONTINUATION without an end (CVE-2024-27316): by its bytes, and by its frames", async (t) => {
  const large = new SessionPeer();
  large.send(frame(headers, 0, 1, getBlock));
  const piece = literals("x-a", "x".repeat(16_000));
  t.equal(
    until(large, 100, () => frame(continuation, 0, 1, piece)),
    5,
  );
  t.equal(large.failure, "ENHANCE_YOUR_CALM");
  const empty = new SessionPeer();
  empty.send(frame(headers, 0, 1, getBlock));
  t.equal(
    until(empty, 1_000, () => frame(continuation, 0, 1)),
    33,
  );
  t.equal(empty.failure, "ENHANCE_YOUR_CALM");
  t.equal(large.seen.length + empty.seen.length, 0, "no request came of either");
});

t.test("a bomb of HPACK resets its stream, and its bytes are never there", async (t) => {
  const peer = new SessionPeer();
  const value = Buffer.concat([
    Buffer.from("400178", "hex"),
    Buffer.from([0x7f, 0xa1, 0x1e]),
    zeros(4_000).fill("x"),
  ]);
  peer.send(frame(headers, 5, 1, Buffer.concat([getBlock, value])));
  const before = process.memoryUsage().heapUsed;
  for (let id = 3; id < 103; id += 2) peer.send(frame(headers, 5, id, zeros(16_000).fill(0xbe)));
  t.ok(process.memoryUsage().heapUsed - before < 30_000_000);
  t.equal(peer.words().filter((one) => one.endsWith("ENHANCE_YOUR_CALM")).length, 50);
  t.equal(peer.seen.length, 1);
});

const floods: Readonly<Record<string, () => Buffer>> = {
  PING: () => frame(ping, 0, 0, zeros(8)),
  "PING that is an answer": () => frame(ping, 1, 0, zeros(8)),
  SETTINGS: () => frame(settingsFrame, 0, 0, settings([4, 65_535])),
  PRIORITY: () => frame(priority, 0, 1, zeros(5)),
  "DATA without a byte": () => frame(data, 0, 1),
  "DATA of padding": () => frame(data, 8, 1, Buffer.from([2, 0, 0])),
  "frames that nobody knows": () => frame(0x99, 0, 0),
  "RST_STREAM of a stream that has ended": () => frame(rstStream, 0, 3, uint32(8)),
};

t.test("floods of frames that carry nothing: ten thousand at once, then a thousand a second", async (t) => {
  for (const [what, flood] of Object.entries(floods)) {
    const peer = new SessionPeer();
    peer.post(1);
    peer.respond(peer.get(3), true);
    const took = until(peer, 20_000, flood);
    t.equal(peer.failure, "ENHANCE_YOUR_CALM", what);
    t.ok(took > 9_900 && took < 10_100, `${what}: ${took}`);
    const slow = new SessionPeer();
    slow.post(1);
    slow.respond(slow.get(3), true);
    for (let i = 0; i < 12_000; i++) {
      slow.nowMs += 2;
      slow.send(flood());
    }
    t.equal(slow.failure, null, `${what}: 500 a second are borne`);
  }
});

t.test("a client that asks and does not read: answers to its frames are bounded", async (t) => {
  const peer = new SessionPeer();
  peer.session.pause();
  const before = peer.blocks;
  const took = until(peer, 20_000, () => frame(ping, 0, 0, zeros(8)));
  t.equal(took, Math.floor(65_536 / 17) + 1);
  t.equal(peer.failure, "ENHANCE_YOUR_CALM");
  t.ok(peer.blocks - before <= 2);
});

t.test("so are heads: a stream that has ended, but not left, is an open one", async (t) => {
  const peer = new SessionPeer();
  peer.answersAtOnce = true;
  peer.session.pause();
  for (let i = 0; i < 200; i++) peer.send(frame(headers, 5, 2 * i + 1, getBlock));
  const words = peer.words();
  t.equal(words.filter((one) => one.startsWith("HEADERS")).length, 100);
  t.equal(words.filter((one) => one.endsWith("REFUSED_STREAM")).length, 100);
  peer.session.goOn();
  peer.get(401);
  t.same(peer.words(), ["HEADERS 401 end"]);
});

t.test("so is what the client uploads at the same time", async (t) => {
  const peer = new SessionPeer();
  peer.post(1);
  peer.session.pause();
  until(peer, 20_000, () => frame(data, 0, 1, zeros(16_384)));
  t.equal(peer.failure, "ENHANCE_YOUR_CALM");
});

t.test("windows of nothing and of one byte: what waits is one copy of what was given", async (t) => {
  const peer = new SessionPeer();
  peer.send(frame(settingsFrame, 0, 0, settings([4, 0])));
  const seen = peer.get(1);
  peer.respond(seen);
  const body = Buffer.alloc(1_000, "x");
  t.equal(peer.session.sendData(seen.stream, body, 0, 1_000, true), false);
  t.same(peer.words(), ["SETTINGS ack", "HEADERS 1"]);
  for (let i = 0; i < 999; i++) {
    peer.send(frame(windowUpdate, 0, 1, uint32(1)));
    t.same(peer.words(), ["DATA 1 1"]);
    t.equal(seen.stream.first?.bytes.length, 1_000);
    t.equal(seen.stream.first?.start, i + 1);
  }
  peer.send(frame(windowUpdate, 0, 1, uint32(1)));
  t.same(peer.words(), ["DATA 1 1 end"]);
});

t.test(
  "a head that is too long for HTTP/1.1 reaches it, one that is too long for anybody does not",
  async (t) => {
    const peer = new SessionPeer();
    const sent = (id: number, length: number) => {
      const block = Buffer.concat([postBlock, literals("x", "y".repeat(length))]);
      peer.send(frame(headers, 1, id, block.subarray(0, 16_000)));
      for (let at = 16_000; at < block.length; at += 16_000)
        peer.send(
          frame(continuation, at + 16_000 < block.length ? 0 : 4, id, block.subarray(at, at + 16_000)),
        );
    };
    sent(1, 60_000);
    t.equal(peer.seen.length, 1);
    sent(3, 65_400);
    t.same(peer.words(), ["RST_STREAM 3 ENHANCE_YOUR_CALM"]);
  },
);
