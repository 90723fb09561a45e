/**
 * When the parts of one exchange began and ended, on the engine's clock, as HAProxy's timers have them. Pure: times are handed
 * in. One object serves all exchanges of a connection.
 */
export class ExchangeTimes {
  /** The request's head was whole. */
  startedMs = 0;
  /** The last attempt at a server began; −1: none did. */
  attemptMs = -1;
  /** Span to the connection: 0 when it was kept; −1: not connected. */
  connectMs = -1;
  private connectBeganMs = 0;
  /** Span to the head of the response, from the start; −1: none came. */
  private headMs = -1;

  begin(nowMs: number): void {
    this.startedMs = nowMs;
    this.attemptMs = -1;
    this.connectMs = -1;
    this.headMs = -1;
  }

  /** A server is tried. */
  attempt(nowMs: number): void {
    this.attemptMs = nowMs;
    this.connectMs = -1;
  }

  /** A connection to it is being opened. */
  connecting(nowMs: number): void {
    this.connectBeganMs = nowMs;
  }

  /** That connection stands. */
  connected(nowMs: number): void {
    this.connectMs = nowMs - this.connectBeganMs;
  }

  /** A kept connection takes the request. */
  reused(): void {
    this.connectMs = 0;
  }

  /** The response's head is here. */
  answered(nowMs: number): void {
    this.headMs = nowMs - this.startedMs;
  }

  get isConnected(): boolean {
    return this.connectMs >= 0;
  }

  /** Until the last attempt at a server began; −1: none did. */
  get queueMs(): number {
    return this.attemptMs < 0 ? -1 : this.attemptMs - this.startedMs;
  }

  /** From the connection to the head of the response; −1: none came. */
  get answerMs(): number {
    return this.headMs < 0 ? -1 : Math.max(0, this.headMs - this.queueMs - this.connectMs);
  }
}
