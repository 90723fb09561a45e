import type { Drop, DropReason } from "./drop.js";
import { DropLog } from "./drop-log.js";
import type { SpeakerLog } from "./speaker-log.js";

/** Writes to the log what was wrong with the adverts of one interface, rarely enough. */
export class HeardLog {
  readonly #interface: string;
  readonly #log: SpeakerLog;
  readonly #drops = new DropLog();
  readonly #remarks = new DropLog();

  constructor(interfaceName: string, log: SpeakerLog) {
    this.#interface = interfaceName;
    this.#log = log;
  }

  dropped({ reason, source, virtualRouterId, sentence }: Drop): void {
    const line = this.#drops.note(reason, source, performance.now());
    if (line === null) {
      return;
    }
    const before = line.suppressed > 0 ? ` (and ${line.suppressed} more since the last line)` : "";
    // Other virtual routers are normal on a shared network.
    const level = reason === "unknown-vrid" ? "info" : "warn";
    this.#log[level](
      { event: "vrrp-drop", interface: this.#interface, reason, source, virtualRouterId },
      `advert from ${source} on ${this.#interface} dropped${before}: ${sentence}`,
    );
  }

  /** An advert that counts, and yet something about it is worth a line. */
  remarked(reason: DropReason, source: string, virtualRouterId: number, sentence: string): void {
    const line = this.#remarks.note(reason, source, performance.now());
    if (line === null) {
      return;
    }
    const before = line.suppressed > 0 ? ` (and ${line.suppressed} more since the last line)` : "";
    this.#log.warn(
      { event: "vrrp-remark", interface: this.#interface, reason, source, virtualRouterId },
      `advert from ${source} on ${this.#interface} taken${before}, but ${sentence}`,
    );
  }
}
