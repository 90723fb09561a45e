import type { Exchange } from "./exchange.js";
import { forwardedRequestBound } from "./http1/forward.js";
import { type Head, Method } from "./http1/head.js";
import { KeptRequest } from "./kept-request.js";
import { splicedBytes } from "./tunnel.js";
import type { UpstreamConnection } from "./upstream-connection.js";

/**
 * An exchange's request on its way to the server: the head as servers shall see it, the body as it comes, and whose time runs
 * meanwhile: the client's until the request is whole, the server's after that.
 */
export class RequestRelay {
  /** Decides whether its response has a body. */
  method: number = Method.other;
  /** Its body has come to its end, or it has none. */
  isComplete = false;
  /** The head is sent, and the server takes more: the client may pass on body bytes; what it cannot pass it holds. */
  takesBody = false;
  /** What of it can be sent again. */
  readonly kept: KeptRequest;

  constructor(private readonly exchange: Exchange) {
    this.kept = new KeptRequest(exchange.route.engine);
  }

  /** Writes the head for the server: that of `front.requestHeads.head`, which lies in `bytes`; as it came it was `head`. */
  begin(bytes: Uint8Array, head: Head, isComplete: boolean): void {
    const { front, route, client } = this.exchange;
    const { requestHeads } = front;
    const { forwarding } = client;
    this.method = head.method;
    this.isComplete = isComplete;
    this.takesBody = false;
    forwarding.keepUpgrade = head.upgrade;
    const room = route.engine.keep(forwardedRequestBound(requestHeads.head, forwarding));
    const headEnd = requestHeads.write(bytes, forwarding, room.bytes, room.start);
    this.kept.begin(room, headEnd, head.method);
  }

  /** Sends what is here of it. `bodyFollows`: body bytes come in this very turn, they may leave in the same packet. */
  sendTo({ connection }: UpstreamConnection, bodyFollows: boolean): void {
    const { route, search } = this.exchange;
    route.counters.sentToServer(search.server, this.kept.sendTo(connection, bodyFollows));
    this.takesBody = !this.isComplete;
    if (this.isComplete) connection.deadline("server", route.config.timeouts.serverMs);
    else connection.clearDeadline();
  }

  /** Of the head as it is sent: all of a request that shares a connection. */
  get headBytes(): number {
    return this.kept.headBytes;
  }

  /** Writes the head into `bytes` at `at`, to be sent with others (pipelining); returns the offset after it. */
  writeHead(bytes: Uint8Array, at: number): number {
    const { route, search } = this.exchange;
    route.counters.sentToServer(search.server, this.headBytes);
    return this.kept.copyTo(bytes, at);
  }

  /** Body bytes as they came, framing included. */
  body(bytes: Uint8Array, start: number, end: number, done: boolean): void {
    const { upstream, route, search } = this.exchange;
    this.isComplete = done;
    if (upstream === null) return;
    this.kept.keep(bytes, start, end);
    route.counters.sentToServer(search.server, end - start);
    this.passed(upstream, upstream.connection.send(bytes, start, end, false), done);
  }

  /** `count` bytes of the body come next: they may pass unseen. */
  splice(count: number): void {
    const { upstream, route, client } = this.exchange;
    if (count < splicedBytes || upstream === null || !this.takesBody) return;
    if (route.engine.splice(client.connection, upstream.connection, count)) this.kept.forgetBody();
  }

  /** What `body` is for bytes that were shown. */
  spliced(count: number, taken: boolean, done: boolean): void {
    const { upstream, route, search } = this.exchange;
    this.isComplete = done;
    route.counters.sentToServer(search.server, count);
    this.passed(upstream, taken, done);
  }

  /** The server takes on after it was slow. */
  drained(): void {
    const { upstream, client } = this.exchange;
    if (this.isComplete) return;
    upstream?.connection.clearDeadline();
    this.takesBody = true;
    client.takeHeldBody();
  }

  end(): void {
    this.takesBody = false;
    this.kept.clear();
  }

  private passed(upstream: UpstreamConnection | null, taken: boolean, done: boolean): void {
    const { route, response } = this.exchange;
    // Before that it is the client's turn. A server that has begun to answer is given its time for both directions.
    if (done || !taken || response.isSent)
      upstream?.connection.deadline("server", route.config.timeouts.serverMs);
    if (!taken && !done) this.takesBody = false;
  }
}
