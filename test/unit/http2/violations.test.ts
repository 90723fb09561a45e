/** What a client must not do, and the code that it hears (RFC 9113; the important ones of h2spec's list). */
import t from "tap";
import { FrameType } from "../../../src/proxy/http2/frame.js";
import { frame, getBlock, literals, postBlock, SessionPeer, settings, uint32 } from "./session-peer.js";

const { data, headers, priority, rstStream, pushPromise, ping, goaway, windowUpdate, continuation } =
  FrameType;
const settingsFrame = FrameType.settings;
const head = (id: number, flags = 5, block: Uint8Array = getBlock): Buffer =>
  frame(headers, flags, id, block);
const upload = (id: number): Buffer => frame(headers, 4, id, postBlock);
const zeros = (length: number): Buffer => Buffer.alloc(length);

/** The connection ends with the code. */
const ofConnection: readonly [section: string, what: string, code: string, ...frames: Uint8Array[]][] = [
  ["4.2", "a frame larger than 16 KiB", "FRAME_SIZE_ERROR", frame(data, 0, 1, zeros(16_385))],
  ["4.3", "a header block that is none", "COMPRESSION_ERROR", head(1, 5, Buffer.from([0x80]))],
  ["5.1", "DATA on an idle stream", "PROTOCOL_ERROR", frame(data, 1, 1, zeros(1))],
  ["5.1", "RST_STREAM on an idle stream", "PROTOCOL_ERROR", frame(rstStream, 0, 1, uint32(8))],
  ["5.1", "WINDOW_UPDATE on an idle stream", "PROTOCOL_ERROR", frame(windowUpdate, 0, 1, uint32(1))],
  ["5.1", "CONTINUATION on an idle stream", "PROTOCOL_ERROR", frame(continuation, 4, 1, getBlock)],
  ["5.1.1", "a stream with an even number", "PROTOCOL_ERROR", head(2)],
  ["5.1.1", "a number lower than one before", "PROTOCOL_ERROR", head(5), head(3)],
  ["6.1", "DATA on stream 0", "PROTOCOL_ERROR", frame(data, 0, 0, zeros(1))],
  [
    "6.1",
    "DATA with more padding than there is",
    "PROTOCOL_ERROR",
    upload(1),
    frame(data, 8, 1, Buffer.from([2, 0])),
  ],
  ["6.1", "DATA without the length of its padding", "FRAME_SIZE_ERROR", upload(1), frame(data, 8, 1)],
  ["6.2", "HEADERS on stream 0", "PROTOCOL_ERROR", head(0)],
  ["6.2", "HEADERS with more padding than there is", "PROTOCOL_ERROR", head(1, 13, Buffer.from([9, 0x82]))],
  ["6.2", "HEADERS too short for their priority", "FRAME_SIZE_ERROR", head(1, 37, zeros(4))],
  ["6.2", "another frame inside of a head", "PROTOCOL_ERROR", head(1, 1), frame(ping, 0, 0, zeros(8))],
  ["6.2", "another stream's head inside of a head", "PROTOCOL_ERROR", head(1, 1), head(3)],
  ["6.3", "PRIORITY on stream 0", "PROTOCOL_ERROR", frame(priority, 0, 0, zeros(5))],
  ["6.4", "RST_STREAM on stream 0", "PROTOCOL_ERROR", frame(rstStream, 0, 0, uint32(8))],
  ["6.4", "RST_STREAM of another length", "FRAME_SIZE_ERROR", head(1), frame(rstStream, 0, 1, zeros(3))],
  [
    "6.5",
    "SETTINGS that are acknowledged with a payload",
    "FRAME_SIZE_ERROR",
    frame(settingsFrame, 1, 0, zeros(6)),
  ],
  ["6.5", "SETTINGS on a stream", "PROTOCOL_ERROR", frame(settingsFrame, 0, 1)],
  ["6.5", "SETTINGS that break off", "FRAME_SIZE_ERROR", frame(settingsFrame, 0, 0, zeros(5))],
  ["6.5.2", "ENABLE_PUSH 2", "PROTOCOL_ERROR", frame(settingsFrame, 0, 0, settings([2, 2]))],
  [
    "6.5.2",
    "INITIAL_WINDOW_SIZE 2^31",
    "FLOW_CONTROL_ERROR",
    frame(settingsFrame, 0, 0, settings([4, 2 ** 31])),
  ],
  ["6.5.2", "MAX_FRAME_SIZE 16383", "PROTOCOL_ERROR", frame(settingsFrame, 0, 0, settings([5, 16_383]))],
  ["6.5.2", "MAX_FRAME_SIZE 2^24", "PROTOCOL_ERROR", frame(settingsFrame, 0, 0, settings([5, 2 ** 24]))],
  [
    "6.6",
    "PUSH_PROMISE",
    "PROTOCOL_ERROR",
    head(1),
    frame(pushPromise, 4, 1, Buffer.concat([uint32(2), getBlock])),
  ],
  ["6.7", "PING on a stream", "PROTOCOL_ERROR", frame(ping, 0, 1, zeros(8))],
  ["6.7", "PING of another length", "FRAME_SIZE_ERROR", frame(ping, 0, 0, zeros(6))],
  ["6.8", "GOAWAY on a stream", "PROTOCOL_ERROR", frame(goaway, 0, 1, zeros(8))],
  ["6.8", "GOAWAY that breaks off", "FRAME_SIZE_ERROR", frame(goaway, 0, 0, zeros(7))],
  ["6.9", "WINDOW_UPDATE by 0", "PROTOCOL_ERROR", frame(windowUpdate, 0, 0, uint32(0))],
  ["6.9", "WINDOW_UPDATE of another length", "FRAME_SIZE_ERROR", frame(windowUpdate, 0, 0, zeros(3))],
  ["6.9.1", "a window beyond 2^31 − 1", "FLOW_CONTROL_ERROR", frame(windowUpdate, 0, 0, uint32(2 ** 31 - 1))],
  [
    ...(["6.9.2", "a stream's window beyond it by SETTINGS", "FLOW_CONTROL_ERROR"] as const),
    ...[head(1), frame(windowUpdate, 0, 1, uint32(2 ** 31 - 1 - 65_535))],
    frame(settingsFrame, 0, 0, settings([4, 65_536])),
  ],
  [
    "6.10",
    "CONTINUATION behind a whole head",
    "PROTOCOL_ERROR",
    head(1),
    frame(continuation, 4, 1, getBlock),
  ],
  [
    "6.10",
    "CONTINUATION of another stream",
    "PROTOCOL_ERROR",
    head(1, 1),
    frame(continuation, 4, 3, getBlock),
  ],
];

t.test("a rule of the connection: GOAWAY with the code, and the end", async (t) => {
  for (const [section, what, code, ...frames] of ofConnection) {
    const peer = new SessionPeer();
    peer.send(...frames);
    t.equal(peer.failure, code, `§${section}: ${what}`);
    t.match(peer.words().at(-1), new RegExp(`^GOAWAY \\d+ ${code}$`), what);
    peer.send(frame(ping, 0, 0, zeros(8)));
    t.same(peer.frames(), [], "nothing more is read");
  }
});

const wholeBefore = [upload(1), frame(data, 1, 1, zeros(3))];

/** Stream 1 is reset with the code, and the connection goes on. */
const ofStream: readonly [section: string, what: string, code: string, ...frames: Uint8Array[]][] = [
  ["5.1", "DATA behind the end", "STREAM_CLOSED", ...wholeBefore, frame(data, 1, 1, zeros(1))],
  ["5.1", "HEADERS behind the end", "STREAM_CLOSED", ...wholeBefore, head(1)],
  ["6.3", "PRIORITY of another length", "FRAME_SIZE_ERROR", head(1), frame(priority, 0, 1, zeros(4))],
  ["6.9", "WINDOW_UPDATE by 0 on a stream", "PROTOCOL_ERROR", head(1), frame(windowUpdate, 0, 1, uint32(0))],
  [
    ...(["6.9.1", "a stream's window beyond 2^31 − 1", "FLOW_CONTROL_ERROR"] as const),
    ...[head(1), frame(windowUpdate, 0, 1, uint32(2 ** 31 - 1))],
  ],
  [
    "8.1",
    "a second head that does not end the stream",
    "PROTOCOL_ERROR",
    upload(1),
    head(1, 4, literals("a", "b")),
  ],
  [
    "8.1",
    "a pseudo-header field in trailers",
    "PROTOCOL_ERROR",
    upload(1),
    head(1, 5, literals(":path", "/")),
  ],
  ["10.5.1", "a head of too many fields", "ENHANCE_YOUR_CALM", head(1, 5, Buffer.alloc(300, 0x82))],
];

t.test("a rule of one stream: RST_STREAM with the code, and no word of it to another one", async (t) => {
  for (const [section, what, code, ...frames] of ofStream) {
    const peer = new SessionPeer();
    peer.send(...frames);
    t.same(
      peer.words().filter((one) => !one.startsWith("WINDOW")),
      [`RST_STREAM 1 ${code}`],
      `§${section}: ${what}`,
    );
    t.equal(peer.failure, null);
    for (const seen of peer.seen) t.equal(seen.isLost, true, "who had it hears of it");
    peer.answersAtOnce = true;
    peer.get(3);
    t.same(peer.words(), ["HEADERS 3 end"], "the next one is served");
  }
});

t.test("§8.1.1: DATA that is more or less than was said", async (t) => {
  for (const [left, length] of [
    [3, 4],
    [3, 2],
    [0, 1],
  ]) {
    const peer = new SessionPeer();
    const seen = peer.post(1, left);
    peer.send(frame(data, 1, 1, zeros(length)));
    t.same(peer.words(), ["RST_STREAM 1 PROTOCOL_ERROR"]);
    t.equal(seen.isLost, true);
    t.equal(seen.trailers, null, "it is never whole");
    t.ok(seen.body.length <= left, "no byte too many reaches the server");
  }
});

t.test("§3.4: no preface, or another frame in front of SETTINGS", async (t) => {
  for (const first of [
    "GET / HTTP/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nXX",
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  ]) {
    const peer = new SessionPeer(false);
    peer.send(Buffer.from(first), frame(ping, 0, 0, zeros(8)));
    t.equal(peer.failure, "PROTOCOL_ERROR", first.trim());
    t.same(peer.words(), ["SETTINGS", "GOAWAY 0 PROTOCOL_ERROR"]);
  }
});

t.test(
  "§5.1: what comes behind an end that we made is ignored; behind one that both made it is an error",
  async (t) => {
    const late = [
      frame(data, 0, 1, zeros(5)),
      frame(windowUpdate, 0, 1, uint32(1)),
      head(1, 5, literals("a", "b")),
    ];
    const peer = new SessionPeer();
    peer.session.reset(peer.post(1).stream, 2);
    peer.frames();
    peer.send(...late, frame(rstStream, 0, 1, uint32(8)));
    t.same(peer.frames(), []);
    t.equal(peer.failure, null);

    peer.answersAtOnce = true;
    peer.get(3);
    t.same(peer.words(), ["HEADERS 3 end"]);
    peer.send(frame(rstStream, 0, 3, uint32(8)), frame(windowUpdate, 0, 3, uint32(1)));
    t.same(peer.frames(), []);
    peer.send(frame(data, 0, 3, zeros(1)));
    t.same(peer.words(), ["RST_STREAM 3 STREAM_CLOSED"]);
    peer.get(5);
    peer.send(head(5));
    t.equal(peer.failure, "STREAM_CLOSED");
  },
);

t.test("what nobody knows is ignored: frames, flags, settings, the reserved bit", async (t) => {
  const peer = new SessionPeer();
  peer.send(frame(0xbb, 0xff, 0, zeros(9)), frame(0xbb, 0, 7, zeros(9)));
  peer.send(frame(settingsFrame, 0, 0, settings([0x99, 7], [2, 0], [3, 5], [6, 1])));
  peer.send(frame(ping, 0xfe, 0x80000000, Buffer.from("12345678")));
  t.same(peer.words(), ["SETTINGS ack", "PING 3132333435363738 ack"]);
  peer.answersAtOnce = true;
  peer.send(frame(headers, 0xd2 | 5, 1, Buffer.concat([zeros(0), getBlock])));
  t.equal(peer.failure, null);
});
