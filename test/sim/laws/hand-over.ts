import type { InstanceEffect, InstanceInput } from "../../../src/vrrp/instance-state.js";
import { slowestTakeoverAfterPriorityZeroMs } from "../../../src/vrrp/master-down.js";
import type { SimulatedRouter } from "../router.js";
import type { VirtualLan } from "../virtual-lan.js";
import type { CalmLaw } from "./calm.js";
import { type Bounds, Law, nameOf, type Violation } from "./law.js";
import { spanMs } from "./takeover.js";

/** What the state machine grants the successor's advert beyond the slowest skew (`handOverSlackMs`). */
const slackMs = 100;

interface Leave {
  readonly disturbances: number;
  /** Somebody can take over, and nothing is in the way. */
  readonly gapless: boolean;
  next: "INIT" | "BACKUP";
}

/**
 * A planned leave (SIGTERM, or an operator's drain):
 *
 * - endless hand-over: it ends, at the latest, after the slowest skew there is and 100 ms;
 * - gap: begun in a settled world with a router that can take over, and undisturbed: when the old master's addresses go,
 *   another one holds them. (But for a leave within the network's delay after an advert, which may then come second.)
 * - not followed: such a drain does not end with the same master.
 */
export class HandOverLaw extends Law {
  readonly #calm: CalmLaw;
  readonly #leaving = new Map<SimulatedRouter, Leave>();
  readonly #drained = new Set<SimulatedRouter>();
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
    const { handingOver, name } = router.state;
    const leave = this.#leaving.get(router);
    if (leave === undefined && router.lease.held && this.#isAsked(router, input)) {
      this.#begin(router, handingOver?.next ?? (input.kind === "drain" ? "BACKUP" : "INIT"));
    } else if (leave !== undefined && handingOver !== null) {
      leave.next = handingOver.next;
    }
    const asked = this.#leaving.get(router);
    if (asked !== undefined && name === "MASTER" && handingOver === null) {
      this.#leaving.delete(router);
      if (asked.gapless && asked.disturbances === this.#disturbances) {
        this.violated("not followed", `${nameOf(router)} is drained, and nobody has taken over`);
      }
    }
  }

  /** Who drains a drained node again asks for nothing. */
  #isAsked(router: SimulatedRouter, { kind }: InstanceInput): boolean {
    if (kind === "drain" && !this.#drained.has(router)) {
      this.#drained.add(router);
      return true;
    }
    if (kind === "undrain" || kind === "start") {
      this.#drained.delete(router);
    }
    return kind === "hand-over";
  }

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind === "send-advert" && effect.priority > 0) {
      this.#lastAdvertMs.set(router, this.lan.nowMs);
    } else if (effect.kind === "transition" && effect.to !== this.#leaving.get(router)?.next) {
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

  #begin(router: SimulatedRouter, next: Leave["next"]): void {
    const successors = this.routers().filter(
      (other) =>
        other !== router &&
        other.config.virtualRouterId === router.config.virtualRouterId &&
        other.machine.awake &&
        other.state.name === "BACKUP",
    );
    const { drift, delayMs, lateMs, kernelMs } = this.bounds;
    const gapless =
      // Clocks that differ use the slack up where intervals are long.
      2 * drift * spanMs(router) + delayMs + lateMs + kernelMs <= slackMs &&
      this.#calm.settledUntilMs === this.lan.nowMs &&
      this.lan.nowMs - (this.#lastAdvertMs.get(router) ?? 0) > this.bounds.delayMs &&
      successors.length > 0 &&
      successors.every((other) => this.getsThrough(router, other) && this.getsThrough(other, router));
    const leaving = { disturbances: this.#disturbances, gapless, next };
    this.#leaving.set(router, leaving);
    this.#expectEnd(router, leaving, router.machine.localMs());
  }

  /** On the machine's own clock: while it stands still, the hand-over does too. */
  #expectEnd(router: SimulatedRouter, leaving: Leave, beganLocalMs: number): void {
    const { machine } = router;
    const limitMs = slowestTakeoverAfterPriorityZeroMs(spanMs(router)) + slackMs;
    const leftMs = beganLocalMs + limitMs - machine.localMs();
    const againMs = machine.paused ? limitMs : leftMs;
    this.lan.after(this.slowMs(againMs), () => {
      if (this.#leaving.get(router) !== leaving || router.state.handingOver === null) {
        return;
      }
      if (machine.paused || machine.localMs() < beganLocalMs + limitMs + this.bounds.lateMs) {
        this.#expectEnd(router, leaving, beganLocalMs);
      } else if (machine.awake) {
        this.violated("endless hand-over", `${nameOf(router)} is still handing over`);
      }
    });
  }
}
