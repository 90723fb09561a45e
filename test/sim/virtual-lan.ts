import { type Link, quietLink, travelMs } from "./link.js";
import type { SimulatedMachine } from "./machine.js";
import { Random } from "./random.js";
import type { SimulatedRouter } from "./router.js";
import type { Watcher } from "./watcher.js";

interface Errand {
  readonly atMs: number;
  readonly order: number;
  /** A packet on its way, */
  readonly to: SimulatedMachine | null;
  readonly bytes: Uint8Array | null;
  /** or something else that is to happen. */
  readonly run: (() => void) | null;
}

/**
 * Machines on one network under a virtual clock.
 *
 * Event-driven: time jumps from one happening to the next, and there is no other order of things than the time and,
 * within one instant, the order in which they were asked for. With the same seed everything comes out the same.
 */
export class VirtualLan {
  nowMs = 0;
  readonly machines: SimulatedMachine[] = [];
  /** Of all machines. */
  readonly routers: SimulatedRouter[] = [];
  readonly watchers: Watcher[] = [];
  /** What a packet does on its way is drawn from here. */
  readonly random: Random;
  /** When the last packet arrives that is on its way for longer than `usualMs`. */
  strayUntilMs = 0;
  usualMs = Number.POSITIVE_INFINITY;
  /** Every direction between two machines. */
  readonly links: { readonly from: SimulatedMachine; readonly to: SimulatedMachine; readonly link: Link }[] =
    [];
  /** By the index of the sender, then by that of the receiver; null: itself. */
  readonly #matrix: (Link | null)[][] = [];
  readonly #queue: Errand[] = [];
  #order = 0;
  #ended = false;

  constructor(seed = 1) {
    this.random = new Random(seed);
  }

  /** What a new machine's links are like. */
  newLink(): Link {
    return quietLink(0.2);
  }

  /** Called by a new machine; its index. */
  join(machine: SimulatedMachine): number {
    const index = this.machines.length;
    const away: (Link | null)[] = [];
    for (const [at, other] of this.machines.entries()) {
      away.push(this.newLink());
      this.#matrix[at].push(this.newLink());
      this.links.push({ from: machine, to: other, link: present(away[at]) });
      this.links.push({ from: other, to: machine, link: present(this.#matrix[at][index]) });
    }
    this.#matrix.push([...away, null]);
    this.machines.push(machine);
    this.routers.push(...machine.routers);
    return index;
  }

  link(from: SimulatedMachine, to: SimulatedMachine): Link {
    return present(this.#matrix[from.index][to.index]);
  }

  send(from: SimulatedMachine, bytes: Uint8Array): void {
    if (!from.cableIn) {
      return;
    }
    const links = this.#matrix[from.index];
    for (let index = 0; index < links.length; index++) {
      const link = links[index];
      if (link !== null && link.cuts === 0 && !(link.loss > 0 && this.random.chance(link.loss))) {
        this.#carry(this.machines[index], link, bytes);
        if (link.duplicates > 0 && this.random.chance(link.duplicates)) {
          this.#carry(this.machines[index], link, bytes);
        }
      }
    }
  }

  /** Something to happen later, on nobody's clock but the true one. */
  at(atMs: number, run: () => void): void {
    this.#push({ atMs, order: this.#order++, to: null, bytes: null, run });
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** Lets time pass, to the instant given; everything that is due at it has happened then. */
  runUntil(untilMs: number): void {
    while (!this.#ended) {
      let atMs = this.#queue.length > 0 ? this.#queue[0].atMs : Number.POSITIVE_INFINITY;
      let machine: SimulatedMachine | null = null;
      for (const candidate of this.machines) {
        if (candidate.dueMs < atMs) {
          atMs = candidate.dueMs;
          machine = candidate;
        }
      }
      if (atMs > untilMs) {
        break;
      }
      this.nowMs = Math.max(this.nowMs, atMs);
      if (machine !== null) {
        machine.serve();
      } else {
        this.#runErrand();
      }
      this.afterEach();
    }
    if (!this.#ended) {
      this.nowMs = Math.max(this.nowMs, untilMs);
      this.afterEach();
    }
  }

  run(forMs: number): void {
    this.runUntil(this.nowMs + forMs);
  }

  /** Stops the time: nothing more happens. */
  end(): void {
    this.#ended = true;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** `what` reads when somebody asks. */
  disturbed(what: () => string): void {
    for (const watcher of this.watchers) {
      watcher.disturbed(what);
    }
  }

  worldChanged(): void {
    for (const watcher of this.watchers) {
      watcher.worldChanged();
    }
  }

  /** Called after everything that happened. */
  protected afterEach(): void {}

  #carry(to: SimulatedMachine, link: Link, bytes: Uint8Array): void {
    const ms = travelMs(link, this.random);
    const atMs = this.nowMs + ms;
    if (ms > this.usualMs) {
      this.strayUntilMs = Math.max(this.strayUntilMs, atMs);
    }
    this.#push({ atMs, order: this.#order++, to, bytes, run: null });
  }

  #runErrand(): void {
    const errand = this.#pop();
    if (errand.run !== null) {
      errand.run();
    } else if (errand.to !== null && errand.bytes !== null) {
      errand.to.arrive(errand.bytes);
    }
  }

  /** A binary heap, the earliest first. */
  #push(errand: Errand): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(errand);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(errand, queue[parent])) {
        break;
      }
      queue[at] = queue[parent];
      at = parent;
    }
    queue[at] = errand;
  }

  #pop(): Errand {
    const queue = this.#queue;
    const first = queue[0];
    const last = queue.pop();
    if (last !== undefined && queue.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= queue.length) {
          break;
        }
        if (child + 1 < queue.length && before(queue[child + 1], queue[child])) {
          child++;
        }
        if (!before(queue[child], last)) {
          break;
        }
        queue[at] = queue[child];
        at = child;
      }
      queue[at] = last;
    }
    return first;
  }
}

function present(link: Link | null): Link {
  if (link === null) {
    throw new Error("a machine has no link to itself");
  }
  return link;
}

function before(left: Errand, right: Errand): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
