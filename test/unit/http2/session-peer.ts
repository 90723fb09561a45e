import { Head, Method, parseResponseHead } from "../../../src/proxy/http1/head.js";
import { clientPreface, ErrorCode, FrameType } from "../../../src/proxy/http2/frame.js";
import { HpackDecoder } from "../../../src/proxy/http2/hpack-decoder.js";
import { Http2Session, type SessionHost } from "../../../src/proxy/http2/session.js";
import type { Http2Stream, StreamListener } from "../../../src/proxy/http2/stream.js";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes[at + 3],
      flags: bytes[at + 4],
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Pairs of a setting and its value. */
export const settings = (...pairs: [number, number][]): Buffer =>
  Buffer.concat(pairs.map(([name, value]) => Buffer.concat([Buffer.from([0, name]), uint32(value)])));

/** A header block of literals. */
export function literals(...fields: string[]): Buffer {
  return Buffer.concat(
    fields.map((text, i) => {
      const bytes = Buffer.from(text, "latin1");
      const length =
        bytes.length < 127
          ? [bytes.length]
          : [
              127,
              ((bytes.length - 127) & 127) | 128,
              (((bytes.length - 127) >> 7) & 127) | 128,
              (bytes.length - 127) >> 14,
            ];
      return Buffer.concat([Buffer.from(i % 2 === 0 ? [0, ...length] : length), bytes]);
    }),
  );
}

/** GET https://site/ */
export const getBlock = Buffer.from([0x82, 0x87, 0x84, 0x01, 4, ...Buffer.from("site")]);
export const postBlock = Buffer.from([0x83, 0x87, 0x84, 0x01, 4, ...Buffer.from("site")]);
export const greeting = Buffer.concat([Buffer.from(clientPreface), frame(FrameType.settings, 0, 0)]);

/** A request as the host sees it. */
export class SeenStream implements StreamListener {
  body = "";
  trailers: readonly string[] | null = null;
  isLost = false;
  sentCount = 0;

  constructor(
    private readonly peer: SessionPeer,
    readonly stream: Http2Stream,
    readonly fields: readonly string[],
    readonly isWhole: boolean,
  ) {}

  data(bytes: Uint8Array, start: number, end: number): void {
    this.body += Buffer.from(bytes.subarray(start, end)).toString("latin1");
    if (this.peer.takesBodies) this.peer.session.bodyTaken(this.stream, end - start);
  }

  requestEnded(trailers: readonly string[]): void {
    this.trailers = trailers;
  }

  sent(): void {
    this.sentCount++;
  }

  lost(): void {
    this.isLost = true;
  }
}

const head200 = Buffer.from("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n");

/** A session, and the client that it speaks with. */
export class SessionPeer implements SessionHost {
  readonly session: Http2Session;
  readonly seen: SeenStream[] = [];
  readonly decoder = new HpackDecoder({ maxListBytes: 1e9, maxFields: 1e6 });
  nowMs = 0;
  /** Name of the code that the session ended with. */
  failure: string | null = null;
  reason = "";
  takesBodies = true;
  /** Whether a response begins and ends as soon as its request comes. */
  answersAtOnce = false;
  blocks = 0;
  private readonly out: Buffer[] = [];

  constructor(greets = true) {
    this.session = new Http2Session(
      this,
      {
        block: () => {
          this.blocks++;
          return Buffer.alloc(72 * 1024);
        },
        put: (block, length) => this.out.push(Buffer.from(block.subarray(0, length))),
        wake: () => {},
      },
      { maxStreams: 100, maxListBytes: 65_536, maxFields: 256 },
    );
    if (!greets) return;
    this.send(greeting);
    this.frames();
  }

  opened(stream: Http2Stream, fields: readonly string[], isWhole: boolean): void {
    const seen = new SeenStream(this, stream, fields, isWhole);
    stream.listener = seen;
    this.seen.push(seen);
    if (this.answersAtOnce) this.respond(seen, true);
  }

  rests(): void {}

  failed(code: ErrorCode, reason: string): void {
    this.failure = codeName(code);
    this.reason = reason;
  }

  send(...parts: Uint8Array[]): void {
    const bytes = Buffer.concat(parts);
    this.session.receive(bytes, 0, bytes.length, this.nowMs);
  }

  /** Opens a stream. */
  get(id: number): SeenStream {
    this.send(frame(FrameType.headers, 5, id, getBlock));
    return this.seen[this.seen.length - 1];
  }

  post(id: number, bodyLeft = -1): SeenStream {
    this.send(frame(FrameType.headers, 4, id, postBlock));
    const seen = this.seen[this.seen.length - 1];
    seen.stream.bodyLeft = bodyLeft;
    return seen;
  }

  respond(seen: SeenStream, isWhole = false): void {
    const head = new Head();
    parseResponseHead(head200, 0, head200.length, head, { maxHeadBytes: 1e6, maxFields: 100 }, Method.GET);
    this.session.sendHead(seen.stream, head200, head, isWhole);
  }

  /** What has been written since the last call. */
  frames(): Frame[] {
    this.session.writer.flush();
    return framesOf(Buffer.concat(this.out.splice(0)));
  }

  /** The same, in words: `HEADERS 1`, `DATA 1 5 end`, `RST_STREAM 1 CANCEL`, … */
  words(): string[] {
    return this.frames().map((one) => describe(one));
  }
}

export const codeName = (code: number): string =>
  (Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? String(code))
    .replace(/[A-Z]/g, (c) => `_${c}`)
    .toUpperCase();

function describe({ type, flags, stream, payload }: Frame): string {
  const end = (flags & 1) !== 0 ? " end" : "";
  switch (type) {
    case FrameType.data:
      return `DATA ${stream} ${payload.length}${end}`;
    case FrameType.headers:
      return `HEADERS ${stream}${end}`;
    case FrameType.rstStream:
      return `RST_STREAM ${stream} ${codeName(payload.readUInt32BE())}`;
    case FrameType.settings:
      return (flags & 1) !== 0 ? "SETTINGS ack" : "SETTINGS";
    case FrameType.ping:
      return `PING ${payload.toString("hex")}${(flags & 1) !== 0 ? " ack" : ""}`;
    case FrameType.goaway:
      return `GOAWAY ${payload.readUInt32BE()} ${codeName(payload.readUInt32BE(4))}`;
    case FrameType.windowUpdate:
      return `WINDOW_UPDATE ${stream} ${payload.readUInt32BE()}`;
    default:
      return `frame ${type}`;
  }
}
