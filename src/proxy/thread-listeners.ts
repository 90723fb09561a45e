import { closeDescriptor } from "../netlink/listening-socket.js";
import type { Listener } from "./engine/engine.js";

/** A listening socket from which nobody is taken yet. */
export interface Entrance {
  readonly descriptor: number;
  /** Begins to take clients; the descriptor is the listener's from then on. */
  open(): Listener;
}

/** The listening sockets of a data thread: clients wait in the kernel until `accept`, and nobody is taken after `close`. */
export class ThreadListeners {
  private waiting: readonly Entrance[];
  private open: readonly Listener[] = [];

  constructor(entrances: readonly Entrance[]) {
    this.waiting = entrances;
  }

  accept(): void {
    const entrances = this.waiting;
    this.waiting = [];
    this.open = [...this.open, ...entrances.map((entrance) => entrance.open())];
  }

  close(): void {
    for (const { descriptor } of this.waiting) closeDescriptor(descriptor);
    for (const listener of this.open) listener.close();
    this.waiting = [];
  }
}
