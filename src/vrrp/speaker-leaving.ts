import { type Move, quietNow, quietRules, removeQuiet } from "../handover/rules.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import { lifetimeSlackMs, type MoveTools, shortestLingerMs, unusedAfterMs } from "./speaker-move.js";

/** This node goes on serving connections whose address another one has. */
interface Leaving {
  readonly instance: SpeakerInstance;
  readonly partner: string;
  readonly move: Move;
  readonly refresh: NodeJS.Timeout;
  timer: NodeJS.Timeout | null;
  lingers: boolean;
  over: boolean;
}

export interface LeavingEvents {
  /** Connections go on here until `untilMs` at most. */
  onLinger(untilMs: number): void;
  /** None lingers any more. */
  onEnded(): void;
  /** Its connections have ended: the partner has nothing to send on any more. */
  onDone(instance: SpeakerInstance, partner: string): void;
  /** This node sends on itself what belongs to a third one. */
  sendsOn(instance: SpeakerInstance): boolean;
}

const lookEveryMs = 250;
const loopback = "lo";

/** The leaver's side of the moves: the address is on `lo`, and what is open goes on. */
export class Leavings {
  readonly #tools: MoveTools;
  readonly #events: LeavingEvents;
  readonly #of = new Map<SpeakerInstance, Leaving>();
  #loopbackIndex = 0;
  /** The process goes: its life cycle says when the connections have ended. */
  isStopping = false;

  constructor(tools: MoveTools, events: LeavingEvents) {
    this.#tools = tools;
    this.#events = events;
  }

  /** Whether connections are still served whose address is gone. */
  get lingers(): boolean {
    return [...this.#of.values()].some(({ lingers }) => lingers);
  }

  /** Who takes over; null: nobody does. */
  partner(instance: SpeakerInstance): string | null {
    return this.#of.get(instance)?.partner ?? null;
  }

  /** Removes from `lo` what a process that died in a move has left. */
  async cleanUp(instances: readonly SpeakerInstance[]): Promise<void> {
    const { route } = this.#tools.options;
    const lo = await route.interface(loopback);
    if (lo === null) return;
    this.#loopbackIndex = lo.index;
    const virtual = instances.flatMap(({ config }) => config.addresses.map(({ address }) => address));
    for (const { address, prefixLength, leased } of lo.addresses) {
      if (!leased || !virtual.includes(address)) continue;
      await route.removeAddress({ index: lo.index, address, prefixLength });
    }
  }

  /** Rejects when it cannot be; then nothing has changed. */
  async start(instance: SpeakerInstance, partner: string, drainMs: number): Promise<void> {
    const { options, nft } = this.#tools;
    const before = this.#of.get(instance);
    if (before !== undefined && !before.lingers && before.partner === partner) return;
    if (before !== undefined) await this.#end(before);
    const place = options.place(instance);
    if (place === null) throw new Error("the interface has no address");
    const move = this.#tools.move(instance, Math.min(drainMs, options.drainMs));
    await nft.run(quietRules(move, place.address));
    const { leaseMs } = instance.config;
    const refresh = setInterval(() => void this.#hold(move, leaseMs).catch(() => {}), leaseMs / 3);
    const leaving: Leaving = { instance, partner, move, refresh, timer: null, lingers: false, over: false };
    this.#of.set(instance, leaving);
    leaving.timer = setTimeout(() => {
      if (!leaving.lingers) void this.#end(leaving);
    }, unusedAfterMs);
    try {
      await this.#hold(move, leaseMs);
    } catch (error) {
      await this.#end(leaving);
      throw error;
    }
  }

  /** The partner goes on without this node: what was made ready is undone, unless the address has gone already. */
  async withdraw(partner: string, instance: SpeakerInstance): Promise<void> {
    const leaving = this.#of.get(instance);
    if (leaving?.partner === partner && !leaving.lingers) await this.#end(leaving);
  }

  onTransition(instance: SpeakerInstance): void {
    const leaving = this.#of.get(instance);
    if (leaving === undefined) return;
    const isMaster = instance.state.name === "MASTER";
    if (!isMaster && !leaving.lingers) this.#linger(leaving);
    else if (isMaster && leaving.lingers) void this.#end(leaving);
  }

  async close(): Promise<void> {
    for (const leaving of [...this.#of.values()]) await this.#end(leaving);
  }

  /** The address as /32 on `lo`: what is open goes on, and the kernel drops it should this process die. */
  async #hold({ addresses, family }: Move, leaseMs: number): Promise<void> {
    const prefixLength = family === 4 ? 32 : 128;
    for (const address of addresses) {
      const entry = { index: this.#loopbackIndex, address, prefixLength, leaseMs };
      await this.#tools.options.route.putAddress(entry);
    }
  }

  async #letGo({ addresses, family }: Move): Promise<void> {
    const prefixLength = family === 4 ? 32 : 128;
    for (const address of addresses) {
      const entry = { index: this.#loopbackIndex, address, prefixLength };
      await this.#tools.options.route.removeAddress(entry).catch(() => false);
    }
  }

  /** Another one is master now. */
  #linger(leaving: Leaving): void {
    const { instance, partner, move } = leaving;
    leaving.lingers = true;
    clearTimeout(leaving.timer ?? undefined);
    leaving.timer = null;
    void this.#tools.clear(quietNow(move));
    const sinceMs = performance.now();
    const untilMs = sinceMs + move.lifetimeMs - lifetimeSlackMs;
    this.#tools.note(instance, `${partner} sends on what belongs to this node: its connections go on`);
    if (this.isStopping) return;
    this.#events.onLinger(untilMs);
    const look = setInterval(() => {
      const nowMs = performance.now();
      const isQuiet = this.#tools.options.connections() === 0 && !this.#events.sendsOn(instance);
      const isEmpty = nowMs - sinceMs >= shortestLingerMs && isQuiet;
      if (leaving.over || isEmpty || nowMs >= untilMs) {
        clearInterval(look);
        void this.#end(leaving);
      }
    }, lookEveryMs);
  }

  async #end(leaving: Leaving): Promise<void> {
    if (leaving.over) return;
    leaving.over = true;
    const { instance, partner, move, lingers } = leaving;
    if (this.#of.get(instance) === leaving) this.#of.delete(instance);
    clearInterval(leaving.refresh);
    clearTimeout(leaving.timer ?? undefined);
    const isMaster = instance.state.name === "MASTER";
    if (lingers) {
      // Master again: the partner goes on sending until the clients know.
      if (!isMaster) this.#events.onDone(instance, partner);
      this.#tools.note(instance, `no connection is served any more for ${partner}`);
      if (!this.isStopping && !this.lingers) this.#events.onEnded();
    }
    // As long as the address is on lo, only the master may speak for it.
    if (!isMaster) await this.#letGo(move);
    await this.#tools.clear(removeQuiet(move));
    if (isMaster) await this.#letGo(move);
  }
}
