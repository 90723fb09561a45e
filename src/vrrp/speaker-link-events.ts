import { LbError } from "../errors.js";
import { type LinkEvent, type Monitor, openMonitor } from "../netlink/monitor.js";
import type { SpeakerLog } from "./speaker-log.js";

/** After the monitor has ended. */
const watchAgainMs = 1000;

/** The kernel's link and address events, heard for good: a monitor that ends is opened again, and all is looked at anew. */
export class SpeakerLinkEvents {
  #monitor: Monitor;
  #timer: NodeJS.Timeout | null = null;

  /** @throws LbError LB_NETLINK_* */
  constructor(
    private readonly log: SpeakerLog,
    private readonly onEvent: (event: LinkEvent) => void,
  ) {
    this.#monitor = this.#open();
  }

  close(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#monitor.close();
  }

  #open(): Monitor {
    return openMonitor(this.onEvent, (error) => {
      this.#complain(error);
      if (error instanceof LbError && error.code === "LB_NETLINK_MONITOR") {
        this.#later();
      }
    });
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      try {
        this.#monitor = this.#open();
        this.onEvent({ kind: "resync" });
      } catch (error) {
        this.#complain(error);
        this.#later();
      }
    }, watchAgainMs);
  }

  #complain(error: unknown): void {
    this.log.error({ err: error }, "the kernel's link and address events cannot be read");
  }
}
