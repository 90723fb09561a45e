import type { InstanceEffect, InstanceInput, InstanceState } from "./instance-state.js";
import { masterDownIntervalMs, skewMs, skewSpanMs } from "./master-down.js";
import type { VrrpStateName } from "./status.js";
import type { TimerName, Timers } from "./timers.js";

/** RFC 3768 §5.3.4: 0 is for giving up, 255 for the owner of the addresses; what is tracked never leads there. */
export const ownerPriority = 255;
export const lowestPriority = 1;
export const highestPriority = 254;

export type AdvertInput = Extract<InstanceInput, { kind: "advert" }>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The new state while it is being written. */
export class Draft {
  readonly state: Writable<InstanceState>;
  readonly effects: InstanceEffect[] = [];
  readonly now: number;

  constructor(state: InstanceState, nowMs: number) {
    this.state = { ...state };
    this.now = nowMs;
  }

  /** This node's own. */
  get advertIntervalMs(): number {
    return this.state.config.advertIntervalCs * 10;
  }

  /** Of the master that is listened to. */
  get skewMs(): number {
    const { config, priority, masterIntervalMs } = this.state;
    return skewMs(priority, skewSpanMs(config.version, masterIntervalMs));
  }

  get masterDownIntervalMs(): number {
    const { config, priority, masterIntervalMs } = this.state;
    return masterDownIntervalMs(priority, masterIntervalMs, skewSpanMs(config.version, masterIntervalMs));
  }

  effect(effect: InstanceEffect): void {
    this.effects.push(effect);
  }

  log(level: "info" | "warn", message: string): void {
    this.effect({ kind: "log", level, message });
  }

  arm(timers: Timers): void {
    this.state.timers = { ...this.state.timers, ...timers };
  }

  disarm(name: TimerName): void {
    const { [name]: _disarmed, ...others } = this.state.timers;
    this.state.timers = others;
  }

  /** When the timer was due, if it was. */
  due(name: TimerName): number | null {
    const deadline = this.state.timers[name];
    return deadline !== undefined && deadline <= this.now ? deadline : null;
  }

  enter(name: VrrpStateName, reason: string, timers: Timers): void {
    const from = this.state.name;
    this.state.name = name;
    this.state.reason = reason;
    this.state.timers = timers;
    this.state.handingOver = null;
    this.state.inDoubt = false;
    this.state.wantsMaster = null;
    this.state.goneMaster = null;
    this.state.prepareUntilMs = null;
    this.state.preemptFromMs = null;
    this.effect({ kind: "transition", from, to: name, reason });
  }
}
