import type { InstanceEffect } from "../../../src/vrrp/instance-state.js";
import { stillstandLimitMs } from "../../../src/vrrp/legacy.js";
import type { SimulatedMachine } from "../machine.js";
import type { SimulatedRouter } from "../router.js";
import type { VirtualLan } from "../virtual-lan.js";
import type { CalmLaw } from "./calm.js";
import { type Bounds, isOut, Law, labelOf, nameOf, type Violation } from "./law.js";
import { intervalMs, masterDownMs } from "./takeover.js";

interface Upgrade {
  readonly machine: SimulatedMachine;
  /** Of those that may happen: its beginning, and its end. */
  disturbances: number;
  readonly beganMs: number;
  endedMs: number | null;
}

/**
 * upgrade noticed: where a process stood still for another one, or for nothing, begun in a settled world, within the limit and
 * undisturbed, no master or backup of any node makes a transition, and no address leaves the node, until something else happens.
 */
export class UpgradeLaw extends Law {
  readonly #calm: CalmLaw;
  #upgrade: Upgrade | null = null;
  #standing: readonly SimulatedMachine[] = [];
  #disturbances = 0;

  constructor(lan: VirtualLan, bounds: Bounds, report: (violation: Violation) => void, calm: CalmLaw) {
    super(lan, bounds, report);
    this.#calm = calm;
  }

  override disturbed(): void {
    this.#disturbances++;
  }

  override worldChanged(): void {
    const upgrade = this.#upgrade;
    if (upgrade !== null && upgrade.endedMs === null && !upgrade.machine.standsStill) {
      upgrade.endedMs = this.lan.nowMs;
      upgrade.disturbances++;
    }
    const standing = this.lan.machines.filter(({ standsStill }) => standsStill);
    const machine = standing.find((one) => !this.#standing.includes(one));
    this.#standing = standing;
    if (machine === undefined) return;
    const isCalm = this.#calm.settledUntilMs === this.lan.nowMs;
    this.#upgrade = isCalm
      ? { machine, disturbances: this.#disturbances, beganMs: this.lan.nowMs, endedMs: null }
      : null;
  }

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind !== "transition") return;
    if (isOut(effect.from)) {
      // By its own delay; and what it does then is its business.
      this.#upgrade = null;
    } else if (this.#isUndisturbed()) {
      this.#noticed(`${nameOf(router)} went from ${effect.from} to ${effect.to}`);
    }
  }

  override holds(router: SimulatedRouter, holds: boolean, why: string): void {
    if (!holds && router.machine === this.#upgrade?.machine && this.#isUndisturbed()) {
      this.#noticed(`${nameOf(router)} lost its addresses: ${why}`);
    }
  }

  #isUndisturbed(): boolean {
    const upgrade = this.#upgrade;
    if (upgrade === null) return false;
    const isEnding = upgrade.endedMs === null && !upgrade.machine.standsStill;
    if (upgrade.disturbances + (isEnding ? 1 : 0) !== this.#disturbances) return false;
    return (upgrade.endedMs ?? this.lan.nowMs) - upgrade.beganMs <= this.#shortMs(upgrade.machine);
  }

  /** The limit; or less, where the network's and the timers' lateness may take up what a partner's patience leaves. */
  #shortMs({ routers }: SimulatedMachine): number {
    const limitMs = stillstandLimitMs(routers.map(({ config }) => config));
    const lateMs = 2 * this.bounds.delayMs + 2 * this.bounds.lateMs;
    const margins = routers.map(
      (router) => masterDownMs(router, intervalMs(router)) * (1 - 2 * this.bounds.drift) - lateMs,
    );
    return Math.min(limitMs, ...margins);
  }

  #noticed(what: string): void {
    const { machine } = this.#upgrade ?? {};
    this.violated(
      "upgrade noticed",
      `${machine === undefined ? "" : labelOf(machine)} was upgraded, and ${what}`,
    );
  }
}
