import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { writeRequestHead } from "../../http2/request-head.js";
import type { StreamHost, Streams } from "../engine.js";
import { Roster } from "../roster.js";
import { type Carrier, StreamConnection } from "./stream-connection.js";

/** HAProxy's tune.h2.max-concurrent-streams and tune.h2.initial-window-size. */
const mostStreams = 100;
const windowBytes = 65_535;
/** What the client is told a head may be; how long it really may be its proxy says, and answers 431. */
const mostHeadBytes = 65_536;
/** A proxy takes 101 fields; with pseudo-header fields and cookies in crumbs a few more may come. */
const mostFields = 256;
/** Node's bound for all that a session holds: less than so many streams may have under way would refuse some of them. */
const mostSessionMegabytes = 64;
const lastStreamThereIs = 2 ** 31 - 1;

/**
 * HTTP/2 on one connection, over `node:http2`, which bounds what a hostile client can ask of it: streams at once, resets in a
 * row (CVE-2023-44487), frames that only want an answer (SETTINGS, PING), continuations, memory.
 */
export class Http2Streams implements Streams {
  private readonly session: ServerHttp2Session;
  private readonly open = new Roster<StreamConnection>();
  private isAnnounced = false;
  private errorCode: string | null = null;

  constructor(
    socket: Socket,
    private readonly carrier: Carrier,
    private readonly host: StreamHost,
    private readonly closed: (errorCode: string | null) => void,
  ) {
    this.session = performServerHandshake(socket, {
      maxSessionMemory: mostSessionMegabytes,
      maxHeaderListPairs: mostFields,
      settings: {
        maxConcurrentStreams: mostStreams,
        initialWindowSize: windowBytes,
        maxHeaderListSize: mostHeadBytes,
      },
    });
    // The session waits for this event, which Node's own servers and clients alone bring about.
    socket.emit("secureConnect");
    this.session.on("stream", this.onStream);
    this.session.on("error", (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? "EIO";
    });
    this.session.on("close", () => {
      for (const stream of this.open.list()) stream.lost(this.errorCode);
      this.closed(this.errorCode);
    });
  }

  announceEnd(): void {
    if (this.isAnnounced || this.session.closed || this.session.destroyed) return;
    this.isAnnounced = true;
    this.session.goaway(constants.NGHTTP2_NO_ERROR, lastStreamThereIs);
  }

  end(): void {
    if (!this.session.closed) this.session.close();
  }

  destroy(): void {
    if (!this.session.destroyed) this.session.destroy();
  }

  private readonly onStream = (
    stream: ServerHttp2Stream,
    _headers: unknown,
    _flags: number,
    fields: readonly string[],
  ): void => {
    if (stream.closed || stream.destroyed) return;
    const head = writeRequestHead(fields, stream.endAfterHeaders);
    if (head === null) {
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    const connection = new StreamConnection(this.carrier, stream, head, (gone) => this.open.delete(gone));
    this.open.add(connection);
    connection.begin(this.host.acceptStream(connection, head.line), head.bytes);
  };
}
