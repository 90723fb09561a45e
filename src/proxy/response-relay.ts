import { ClientForm } from "./client-form.js";
import type { Room } from "./engine/engine.js";
import type { Exchange } from "./exchange.js";
import { copyBytes } from "./http1/copy.js";
import { Framing, type Head } from "./http1/head.js";
import type { ResponseEdits } from "./response-edits.js";
import { RequestFacts } from "./rules/request-facts.js";
import { splicedBytes } from "./tunnel.js";
import type { UpstreamConnection } from "./upstream-connection.js";

/**
 * An exchange's response on its way to the client: its head edited and written in the client's form, its body passed on, and whose
 * time runs meanwhile: the server's, unless the client is slow.
 */
export class ResponseRelay {
  /** The final head is on its way to the client: no answer of our own can take its place. */
  isSent = false;
  /** The client's connection stays open behind it, as far as client and server are concerned. */
  keepAlive = false;
  /** The server's wish in the response's head. */
  serverKeepsAlive = false;
  private readonly form = new ClientForm();
  /** What was asked, where the response's rules may want to know. */
  private facts: RequestFacts | null = null;

  constructor(private readonly exchange: Exchange) {}

  /** To the request that `head` describes in `bytes`. */
  begin(bytes: Uint8Array, head: Head): void {
    const { route, client } = this.exchange;
    this.isSent = false;
    this.keepAlive = head.keepAlive;
    this.form.begin(head.versionMinor);
    if (route.responseEdits?.needsRequest === true) this.facts = new RequestFacts(bytes, head, client.ruled);
  }

  end(): void {
    this.facts = null;
  }

  /** Minor version of the client's request: 0 or 1. */
  get versionMinor(): number {
    return this.form.versionMinor;
  }

  /** A 1xx: passed on, unless the client speaks HTTP/1.0 and would not understand it. */
  interim(upstream: UpstreamConnection, bytes: Uint8Array): void {
    const { route, search, request, client } = this.exchange;
    route.counters.responded(search.server, route.responseHeads.head.status);
    // Until its request is whole the server need not answer.
    if (request.isComplete) upstream.connection.deadline("server", route.config.timeouts.serverMs);
    if (this.versionMinor === 0) return;
    const out = this.roomForHead();
    const end = this.writeHead(bytes, true, false, out);
    if (!client.send(out.bytes, out.start, end, false)) upstream.awaitClient();
  }

  /** The final head, described by `route.responseHeads.head`, and the part of its body that came with it. */
  head(upstream: UpstreamConnection, bytes: Uint8Array, start: number, end: number, done: boolean): void {
    const { route, request, front, client } = this.exchange;
    const { responseEdits, responseHeads } = route;
    this.serverKeepsAlive = responseHeads.head.keepAlive;
    const changed = responseEdits === null ? null : this.edit(responseEdits, bytes);
    const { head } = responseHeads;
    this.form.beginResponse(head);
    const { dechunking } = this.form;
    const endsByClose = head.framing === Framing.untilClose || dechunking;
    // While the request still comes in, where the next one begins is not known yet.
    this.keepAlive = this.keepAlive && !endsByClose && request.isComplete && !front.closing;
    this.isSent = true;

    const edited = dechunking || changed !== null ? -1 : this.form.editHead(bytes, head, this.keepAlive);
    if (edited >= 0) {
      this.pass(upstream, bytes, edited, end, done);
      return;
    }
    const out = this.roomForHead();
    const headEnd = this.writeHead(changed ?? bytes, this.keepAlive, false, out);
    const headBytes = headEnd - out.start;
    if (start === end) {
      this.pass(upstream, out.bytes, out.start, headEnd, done);
    } else if (dechunking || start < headBytes) {
      client.send(out.bytes, out.start, headEnd, !dechunking);
      this.body(upstream, bytes, start, end, done);
    } else {
      // In front of the body, over the head that came: both leave in one write, and the body is not copied.
      copyBytes(out.bytes, out.start, headEnd, bytes, start - headBytes);
      this.pass(upstream, bytes, start - headBytes, end, done);
    }
  }

  body(upstream: UpstreamConnection, bytes: Uint8Array, start: number, end: number, done: boolean): void {
    if (this.form.dechunking) {
      this.form.payload(bytes, start, end, (from, to) => this.pass(upstream, bytes, from, to, done));
    } else {
      this.pass(upstream, bytes, start, end, done);
    }
  }

  /** `count` bytes of the body come next: they may pass unseen. */
  splice(upstream: UpstreamConnection, count: number): void {
    if (count < splicedBytes || this.form.dechunking) return;
    const { route, client } = this.exchange;
    route.engine.splice(upstream.connection, client.connection, count);
  }

  /** What `body` is for bytes that were shown. */
  spliced(upstream: UpstreamConnection, count: number, taken: boolean, done: boolean): void {
    this.exchange.client.passed(count, taken);
    this.passed(upstream, taken, done);
  }

  /** The head of a 101, in `bytes`. `more`: bytes of the new protocol follow in this very turn. */
  switchingProtocols(bytes: Uint8Array, more: boolean): void {
    const { route, client } = this.exchange;
    const { responseEdits } = route;
    this.isSent = true;
    const changed = responseEdits === null ? null : this.edit(responseEdits, bytes);
    const out = this.roomForHead();
    const headEnd = this.writeHead(changed ?? bytes, true, true, out);
    client.send(out.bytes, out.start, headEnd, more);
  }

  private pass(
    upstream: UpstreamConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    done: boolean,
  ): void {
    this.passed(upstream, this.exchange.client.send(bytes, start, end, false), done);
  }

  /** Whose time runs after a part of the response has gone to the client. */
  private passed(upstream: UpstreamConnection, taken: boolean, done: boolean): void {
    if (done) return;
    if (taken) {
      upstream.connection.deadline("server", this.exchange.route.config.timeouts.serverMs);
      return;
    }
    upstream.awaitClient();
  }

  /** Changes the head, described by `route.responseHeads.head`, as the proxy is told to; null: not at all. */
  private edit(edits: ResponseEdits, bytes: Uint8Array): Uint8Array | null {
    const { route, request, search, trace } = this.exchange;
    const { responseHeads, stickiness } = route;
    const edited = edits.apply(
      bytes,
      responseHeads.head,
      request.method,
      search.server,
      { server: search.asked, dates: search.dates },
      this.facts,
    );
    if (stickiness !== null) trace.cookies = trace.cookies[0] + edits.letter;
    if (edited !== null) responseHeads.replace(edits.head);
    return edited;
  }

  private roomForHead(): Room {
    const { route } = this.exchange;
    return route.engine.scratch(this.form.headBound(route.responseHeads.head));
  }

  /** Writes the head that `route.responseHeads.head` describes for the client; returns the offset after it. */
  private writeHead(bytes: Uint8Array, keepAlive: boolean, keepUpgrade: boolean, out: Room): number {
    const { head } = this.exchange.route.responseHeads;
    return this.form.writeHead(bytes, head, keepAlive, keepUpgrade, out.bytes, out.start);
  }
}
