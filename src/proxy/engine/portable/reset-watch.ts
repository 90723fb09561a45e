import type { Roster } from "../roster.js";
import type { PortableConnection } from "./portable-connection.js";

const lookEveryMs = 100;

/**
 * A socket that does not read hears of no reset either. Mostly it is paused for less than a millisecond; one that stays so is made to
 * read again, as far as it must to hear of a reset.
 */
export class ResetWatch {
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly connections: Roster<PortableConnection>) {}

  /** One of the connections is paused. */
  begin(): void {
    this.timer ??= setInterval(this.look, lookEveryMs);
  }

  end(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private readonly look = (): void => {
    let isAnyPaused = false;
    for (const connection of this.connections.list()) isAnyPaused = connection.lookAtPause() || isAnyPaused;
    if (!isAnyPaused) this.end();
  };
}
