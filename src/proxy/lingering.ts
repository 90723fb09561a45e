import type { Connection } from "./engine/engine.js";

/** A client may be silent so long. */
const silenceMs = 2_000;
/** And it may go on so long sending the rest of a body that nobody wants: some clients read only after that. */
const longestMs = 30_000;

/**
 * The end of a client's connection that keeps its last answer from being lost to a reset: FIN, and then the client's own is
 * awaited, whatever it sends before that (RFC 9112 §9.6). When the time is up the deadline `linger` fires.
 */
export class Lingering {
  private untilMs = 0;

  constructor(private readonly connection: Connection) {}

  begin(nowMs: number): void {
    this.untilMs = nowMs + longestMs;
    this.connection.shutdown();
    this.connection.deadline("linger", silenceMs);
  }

  /** The client has sent something, which nobody wants. */
  received(nowMs: number): void {
    if (nowMs < this.untilMs) this.connection.deadline("linger", silenceMs);
  }
}
