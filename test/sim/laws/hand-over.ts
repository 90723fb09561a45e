import type { InstanceEffect, InstanceInput } from "../../../src/vrrp/instance-state.js";
import { slowestTakeoverAfterPriorityZeroMs } from "../../../src/vrrp/master-down.js";
import type { SimulatedRouter } from "../router.js";
import type { VirtualLan } from "../virtual-lan.js";
import type { CalmLaw } from "./calm.js";
import { type Bounds, Law, nameOf, type Violation } from "./law.js";
import { spanMs } from "./takeover.js";

/** What the state machine grants the successor's advert beyond the slowest skew (`handOverSlackMs`). */
const slackMs = 100;

/**
 * A planned leave (SIGTERM):
 *
 * - endless hand-over: it ends, at the latest, after the slowest skew there is and 100 ms;
 * - gap: begun in a settled world with a router that can take over, and undisturbed: when the old master's addresses go,
 *   another one holds them. (But for a leave within the network's delay after an advert, which may then come second.)
 */
export class HandOverLaw extends Law {
  readonly #calm: CalmLaw;
  readonly #leaving = new Map<
    SimulatedRouter,
    { readonly disturbances: number; readonly gapless: boolean }
  >();
  #disturbances = 0;
  readonly #lastAdvertMs = new Map<SimulatedRouter, number>();

  constructor(lan: VirtualLan, bounds: Bounds, report: (violation: Violation) => void, calm: CalmLaw) {
    super(lan, bounds, report);
    this.#calm = calm;
  }

  override disturbed(): void {
    this.#disturbances++;
  }

  override handled(router: SimulatedRouter, input: InstanceInput): void {
    if (input.kind === "hand-over" && router.lease.held && !this.#leaving.has(router)) {
      this.#begin(router);
    }
  }

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind === "send-advert" && effect.priority > 0) {
      this.#lastAdvertMs.set(router, this.lan.nowMs);
    } else if (effect.kind === "transition" && effect.to !== "INIT") {
      this.#leaving.delete(router);
    }
  }

  override holds(router: SimulatedRouter, holds: boolean, why: string): void {
    const leaving = this.#leaving.get(router);
    if (holds || leaving === undefined) {
      return;
    }
    this.#leaving.delete(router);
    if (!leaving.gapless || leaving.disturbances !== this.#disturbances || why !== "removed") {
      return;
    }
    const successor = this.routers().find(
      (other) => other.config.virtualRouterId === router.config.virtualRouterId && other.lease.held,
    );
    if (successor === undefined) {
      this.violated("gap", `${nameOf(router)} handed over, and nobody held the addresses when it let go`);
    }
  }

  #begin(router: SimulatedRouter): void {
    const successors = this.routers().filter(
      (other) =>
        other !== router &&
        other.config.virtualRouterId === router.config.virtualRouterId &&
        other.machine.awake &&
        other.state.name === "BACKUP",
    );
    const gapless =
      this.#calm.settledUntilMs === this.lan.nowMs &&
      this.lan.nowMs - (this.#lastAdvertMs.get(router) ?? 0) > this.bounds.delayMs &&
      successors.length > 0 &&
      successors.every((other) => this.getsThrough(router, other) && this.getsThrough(other, router));
    const leaving = { disturbances: this.#disturbances, gapless };
    this.#leaving.set(router, leaving);
    this.lan.after(this.slowMs(slowestTakeoverAfterPriorityZeroMs(spanMs(router)) + slackMs), () => {
      const isSame = this.#leaving.get(router) === leaving;
      if (isSame && router.machine.awake && router.state.handingOver !== null) {
        this.violated("endless hand-over", `${nameOf(router)} is still handing over`);
      }
    });
  }
}
