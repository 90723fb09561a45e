import fc from "fast-check";
import t from "tap";
import { FrameType } from "../../../src/proxy/http2/frame.js";
import {
  frame,
  getBlock,
  greeting,
  literals,
  postBlock,
  SessionPeer,
  settings,
  uint32,
} from "./session-peer.js";

const { data, headers, priority, rstStream, ping, goaway, windowUpdate, continuation } = FrameType;
const settingsFrame = FrameType.settings;
const zeros = (length: number): Buffer => Buffer.alloc(length);
const text = (length: number): Buffer => Buffer.alloc(length, "0123456789");
const windowOf = (stream: number, by: number): Buffer => frame(windowUpdate, 0, stream, uint32(by));

t.test("the server's SETTINGS come first, and the client's are acknowledged", async (t) => {
  const peer = new SessionPeer(false);
  const [first] = peer.frames();
  t.equal(first.payload.toString("hex"), "0003000000640006" + "00010000");
  peer.send(greeting);
  t.same(peer.words(), ["SETTINGS ack"]);
});

t.test("a request with a body and trailers, its head in pieces and padded", async (t) => {
  const peer = new SessionPeer();
  const padded = Buffer.concat([Buffer.from([3]), zeros(5), postBlock.subarray(0, 3), zeros(3)]);
  peer.send(
    frame(headers, 0x28, 1, padded),
    frame(continuation, 0, 1),
    frame(continuation, 4, 1, Buffer.concat([postBlock.subarray(3), literals("x", "y")])),
    frame(data, 8, 1, Buffer.from("\x03abc\0\0\0")),
    frame(data, 0, 1, Buffer.from("def")),
    frame(headers, 5, 1, literals("x-sum", "1")),
  );
  const [seen] = peer.seen;
  t.same(seen.fields, [
    ...[":method", "POST", ":scheme", "https", ":path", "/", ":authority", "site"],
    "x",
    "y",
  ]);
  t.match(seen, { isWhole: false, body: "abcdef", trailers: ["x-sum", "1"] });
  peer.respond(seen);
  t.equal(peer.session.sendData(seen.stream, text(5), 0, 5, true), true);
  const frames = peer.frames();
  t.same(
    frames.map(({ type, flags, stream }) => [type, flags, stream]),
    [
      [headers, 4, 1],
      [data, 1, 1],
    ],
  );
  t.same(peer.decoder.decode(frames[0].payload, 0, frames[0].payload.length), [":status", "200", "x-a", "b"]);
  t.equal(seen.stream.isOpen, false);
});

t.test("however the bytes are cut, the same comes of them", async () => {
  const conversation = Buffer.concat([
    greeting,
    frame(headers, 4, 1, postBlock),
    frame(data, 0, 1, text(300)),
    frame(ping, 0, 0, text(8)),
    frame(headers, 1, 3, getBlock.subarray(0, 2)),
    frame(continuation, 4, 3, getBlock.subarray(2)),
    frame(data, 1, 1, text(1_000)),
    windowOf(0, 5),
    frame(0x77, 0, 0, zeros(40)),
    frame(headers, 5, 5, getBlock),
    frame(rstStream, 0, 5, uint32(8)),
  ]);
  const play = (cuts: readonly number[]) => {
    const peer = new SessionPeer(false);
    let at = 0;
    for (const cut of [...cuts, conversation.length]) {
      const end = Math.min(conversation.length, at + cut);
      peer.send(conversation.subarray(at, end));
      at = end;
    }
    const requests = peer.seen.map(({ fields, body, trailers, isLost }) => ({
      fields,
      body,
      trailers,
      isLost,
    }));
    return JSON.stringify([requests, peer.words(), peer.failure]);
  };
  const whole = play([]);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 12 }), fc.nat(900)), { maxLength: 200 }),
      (cuts) => {
        return play(cuts) === whole;
      },
    ),
  );
  if (!whole.includes('"isLost":true') || !whole.includes("SETTINGS ack")) throw new Error(whole);
});

t.test("any bytes behind the greeting come to requests or an end, and never throw", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.nat(10), fc.nat(255), fc.nat(6), fc.uint8Array({ maxLength: 20 }))
      .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload)),
    fc.constantFrom(
      frame(headers, 5, 1, getBlock),
      frame(headers, 4, 3, postBlock),
      frame(headers, 5, 5, getBlock),
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const peer = new SessionPeer();
      for (const bytes of pieces) peer.send(bytes);
      for (const seen of peer.seen) peer.respond(seen, true);
      peer.words();
      return peer.seen.every(({ stream, isLost }) => !stream.isOpen || !isLost);
    }),
    { numRuns: 1_000 },
  );
});

t.test("a response waits for the stream's window, and for the connection's", async (t) => {
  const peer = new SessionPeer();
  peer.send(frame(settingsFrame, 0, 0, settings([4, 10])));
  const seen = peer.get(1);
  peer.respond(seen);
  t.equal(peer.session.sendData(seen.stream, text(100_000), 0, 100_000, true), false);
  t.same(peer.words(), ["SETTINGS ack", "HEADERS 1", "DATA 1 10"]);
  peer.send(windowOf(1, 90_000));
  t.same(peer.words(), ["DATA 1 16384", "DATA 1 16384", "DATA 1 16384", "DATA 1 16373"], "65535 in all");
  t.equal(seen.sentCount, 0);
  peer.send(windowOf(0, 24_475));
  t.same(peer.words(), ["DATA 1 16384", "DATA 1 8091"], "90010 of the stream's window");
  peer.send(windowOf(0, 100_000), windowOf(1, 9_990));
  t.same(peer.words(), ["DATA 1 9990 end"]);
  t.equal(seen.sentCount, 1);
  t.equal(seen.stream.isOpen, false);
});

t.test("SETTINGS move the windows of open streams, below zero too (§6.9.2)", async (t) => {
  const peer = new SessionPeer();
  const seen = peer.get(1);
  peer.respond(seen);
  peer.session.sendData(seen.stream, text(60_000), 0, 60_000, false);
  peer.frames();
  peer.send(frame(settingsFrame, 0, 0, settings([4, 50_000])));
  t.equal(peer.session.sendData(seen.stream, text(5), 0, 5, true), false, "the window is −10000");
  t.same(peer.words(), ["SETTINGS ack"]);
  peer.send(windowOf(1, 10_000));
  t.same(peer.words(), []);
  peer.send(frame(settingsFrame, 0, 0, settings([4, 50_003])));
  t.same(peer.words(), ["DATA 1 3", "SETTINGS ack"]);
  peer.send(windowOf(1, 1), windowOf(1, 1));
  t.same(peer.words(), ["DATA 1 1", "DATA 1 1 end"]);
});

t.test("a table that SETTINGS make smaller and larger at once is told so", async (t) => {
  const peer = new SessionPeer();
  peer.send(frame(settingsFrame, 0, 0, settings([1, 100], [1, 4_096])));
  peer.respond(peer.get(1), true);
  const [, head] = peer.frames();
  t.equal(head.payload.subarray(0, 5).toString("hex"), "3f45" + "3fe11f", "100, then 4096");
});

t.test("streams that wait take turns, a frame each", async (t) => {
  const peer = new SessionPeer();
  const first = peer.get(1);
  peer.session.sendData(first.stream, text(65_535), 0, 65_535, false);
  for (const id of [3, 5, 7]) {
    const seen = peer.get(id);
    peer.session.sendData(seen.stream, text(id === 5 ? 20_000 : 40_000), 0, id === 5 ? 20_000 : 40_000, true);
  }
  peer.frames();
  peer.send(windowOf(0, 1_000_000));
  t.same(peer.words(), [
    ...["DATA 3 16384", "DATA 5 16384", "DATA 7 16384"],
    ...["DATA 3 16384", "DATA 5 3616 end", "DATA 7 16384"],
    ...["DATA 3 7232 end", "DATA 7 7232 end"],
  ]);
  t.same(
    peer.seen.map(({ sentCount }) => sentCount),
    [0, 1, 1, 1],
  );
});

t.test(
  "trailers of a response wait behind its body; where nothing waits an empty frame ends it",
  async (t) => {
    const peer = new SessionPeer();
    peer.send(frame(settingsFrame, 0, 0, settings([4, 3])));
    const seen = peer.get(1);
    peer.session.sendData(seen.stream, text(5), 0, 5, false);
    peer.session.sendEnd(seen.stream, Buffer.from("X-Sum: 1\r\nConnection: x\r\n\r\n"));
    t.same(peer.words(), ["SETTINGS ack", "DATA 1 3"]);
    peer.send(windowOf(1, 2));
    const [body, trailers] = peer.frames();
    t.equal(body.flags, 0);
    t.equal(trailers.flags, 5);
    t.same(peer.decoder.decode(trailers.payload, 0, trailers.payload.length), ["x-sum", "1"]);
    const other = peer.get(3);
    peer.session.sendEnd(other.stream, null);
    t.same(peer.words(), ["DATA 3 0 end"]);
  },
);

t.test("a body that is not taken shuts its stream's window, and no other one", async (t) => {
  const peer = new SessionPeer();
  peer.takesBodies = false;
  const slow = peer.post(1);
  for (let i = 0; i < 3; i++) peer.send(frame(data, 0, 1, text(16_384)));
  peer.send(frame(data, 0, 1, text(16_383)));
  t.same(peer.words(), ["WINDOW_UPDATE 0 32768", "WINDOW_UPDATE 0 32767"], "of the connection alone");
  peer.takesBodies = true;
  const quick = peer.post(3);
  for (let i = 0; i < 20; i++) peer.send(frame(data, 0, 3, text(16_384)));
  t.equal(quick.body.length, 20 * 16_384);
  t.equal(peer.words().filter((one) => one === "WINDOW_UPDATE 3 32768").length, 10);
  peer.send(frame(data, 0, 1, text(1)));
  t.same(peer.words(), ["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
  t.equal(slow.isLost, true);
});

t.test("an early answer: NO_ERROR when it has left, and what still comes is ignored", async (t) => {
  const peer = new SessionPeer();
  peer.send(frame(settingsFrame, 0, 0, settings([4, 1])));
  const seen = peer.post(1);
  peer.respond(seen);
  peer.session.sendData(seen.stream, text(2), 0, 2, true);
  peer.session.dropRequest(seen.stream);
  t.same(peer.words(), ["SETTINGS ack", "HEADERS 1", "DATA 1 1"]);
  peer.send(windowOf(1, 1));
  t.same(peer.words(), ["DATA 1 1 end", "RST_STREAM 1 NO_ERROR"]);
  peer.send(frame(data, 1, 1, text(100)));
  t.same(peer.words(), []);
});

t.test("an answer to a body that is there by its length, but not ended: its end is waited for", async (t) => {
  const peer = new SessionPeer();
  const seen = peer.post(1, 5);
  peer.send(frame(data, 0, 1, text(5)));
  peer.respond(seen, true);
  peer.session.dropRequest(seen.stream);
  t.same(peer.words(), ["HEADERS 1 end"]);
  t.equal(seen.stream.isOpen, true);
  peer.send(frame(data, 1, 1));
  t.equal(seen.stream.isOpen, false);
  t.same(peer.words(), []);
});

t.test("the end: announced, then for good, and streams behind it are not looked at", async (t) => {
  const peer = new SessionPeer();
  peer.session.announceEnd();
  peer.session.announceEnd();
  const seen = peer.get(1);
  t.same(peer.words(), ["GOAWAY 2147483647 NO_ERROR"]);
  peer.session.end();
  t.equal(peer.session.isDone, false);
  t.same(peer.words(), ["GOAWAY 1 NO_ERROR"]);
  peer.send(
    frame(headers, 4, 3, postBlock),
    frame(data, 1, 3, text(5)),
    windowOf(3, 5),
    frame(rstStream, 0, 3, uint32(8)),
  );
  t.same(peer.words(), []);
  t.equal(peer.seen.length, 1);
  peer.respond(seen, true);
  t.equal(peer.session.isDone, true);
});

t.test("a client that says GOAWAY is let go when its streams have ended", async (t) => {
  const peer = new SessionPeer();
  const seen = peer.get(1);
  peer.send(frame(goaway, 0, 0, zeros(8)));
  t.equal(peer.session.isDone, false);
  peer.respond(seen, true);
  t.equal(peer.session.isDone, true);
});

t.test("while nothing leaves, bodies wait", async (t) => {
  const peer = new SessionPeer();
  const seen = peer.get(1);
  peer.session.pause();
  peer.respond(seen);
  t.equal(peer.session.sendData(seen.stream, text(5), 0, 5, true), false);
  t.same(peer.words(), ["HEADERS 1"]);
  peer.session.goOn();
  t.same(peer.words(), ["DATA 1 5 end"]);
  t.equal(seen.sentCount, 1);
});

t.test("when the connection is gone every stream hears of it", async (t) => {
  const peer = new SessionPeer();
  peer.get(1);
  peer.post(3);
  peer.session.destroy();
  t.same(
    peer.seen.map(({ isLost }) => isLost),
    [true, true],
  );
  t.equal(peer.session.sendData(peer.seen[0].stream, text(1), 0, 1, true), true, "and nothing is kept");
});

t.test("priorities are read and not looked at", async (t) => {
  const peer = new SessionPeer();
  peer.send(frame(priority, 0, 1, Buffer.from([0, 0, 0, 1, 255])), frame(priority, 0, 9, zeros(5)));
  peer.answersAtOnce = true;
  peer.send(frame(headers, 0x25, 1, Buffer.concat([Buffer.from([128, 0, 0, 1, 0]), getBlock])));
  t.same(peer.words(), ["HEADERS 1 end"]);
});
