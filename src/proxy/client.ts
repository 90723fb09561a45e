import type { Enrolled } from "./engine/roster.js";
import type { Cause } from "./log/termination.js";
import type { SessionReport } from "./session-report.js";

/** A client's connection as its proxy sees it, whatever is spoken over it. */
export interface Client extends Enrolled {
  /** By which `show sess` calls it; 0: nobody has asked yet. */
  sessionId: number;
  /** Ends it if nothing has been asked of it since before `sinceMs` on the engine's clock. */
  closeIfIdle(sinceMs: number): void;
  /** A hard end: the other side must not take what it has for the whole. */
  cut(): void;
  /** Somebody else ends it, for `cause`: who waits for an answer is told that none comes. */
  kill(cause: Cause): void;
  /** As it is now; `nowMs` on the engine's clock. */
  report(nowMs: number): SessionReport;
  /** For one that carries streams: those that are open. They are told of in its place, as in HAProxy. */
  streams?(): Client[];
}
