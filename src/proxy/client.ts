import type { Enrolled } from "./engine/roster.js";

/** A client's connection as its proxy sees it, whatever is spoken over it. */
export interface Client extends Enrolled {
  /** Ends it if nothing has been asked of it since before `sinceMs` on the engine's clock. */
  closeIfIdle(sinceMs: number): void;
  /** A hard end: the other side must not take what it has for the whole. */
  cut(): void;
}
