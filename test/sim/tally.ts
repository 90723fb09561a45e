import type { InstanceEffect } from "../../src/vrrp/instance-state.js";
import type { SimulatedRouter } from "./router.js";
import { Watcher } from "./watcher.js";

/** What happened in a simulation, in numbers. */
export class Tally extends Watcher {
  sent = 0;
  heard = 0;
  transitions = 0;
  becameMaster = 0;
  readonly refusals = new Map<string, number>();

  override hears(): void {
    this.heard++;
  }

  override refused(_machine: unknown, reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  override effect(_router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind === "send-advert") {
      this.sent++;
    } else if (effect.kind === "transition") {
      this.transitions++;
      this.becameMaster += effect.to === "MASTER" ? 1 : 0;
    }
  }

  add(other: Tally): void {
    this.sent += other.sent;
    this.heard += other.heard;
    this.transitions += other.transitions;
    this.becameMaster += other.becameMaster;
    for (const [reason, times] of other.refusals) {
      this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + times);
    }
  }
}
