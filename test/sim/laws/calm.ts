import type { InstanceEffect } from "../../../src/vrrp/instance-state.js";
import type { SimulatedRouter } from "../router.js";
import { areCompatible, isOut, Law, nameOf, putBackMs } from "./law.js";
import { intervalMs, masterDownMs } from "./takeover.js";

/** A router in FAULT because of its addresses tries again so often. */
const faultRetryMs = 10_000;
/** And after many refusals so seldom. */
const longestFaultRetryMs = 320_000;

/**
 * A calm world: between all machines that are awake and plugged in, everything gets through; their configurations fit;
 * nobody is handing over. Machines may be dead, asleep or unplugged: they are just not there.
 *
 * Let W be the longest master-down interval of the routers that are there, A the longest advert interval, D the
 * delay. W after the beginning every router has heard a binding advert or is master; each better one that preempts has
 * taken over by then, too, for the worse one's adverts do not put it off. One A and two D later the worse masters have
 * heard the best one (with `preempt_delay`: that and W later; and addresses that somebody removed are back). From then on, until something changes:
 *
 * - no master, several masters: of the routers that can, exactly one is master;
 * - wrong priority: everybody's effective priority is what tracking makes of the configured one, and the lowest where an
 *   operator has drained the node;
 * - wrong master: no backup that preempts has a higher priority;
 * - wrong holder: the master alone holds the addresses;
 * - flapping: no transition at all. And on the way there, as long as nothing was lost or late, each router became
 *   master at most once for each thing that had happened;
 * - stuck: who has no reason to be in FAULT has left it, after its retry interval;
 * - stale clients: within one slow refresh of gratuitous ARP, clients know the master's address as the master's.
 */
export class CalmLaw extends Law {
  /** Until when the world was settled last; the present while it is. */
  settledUntilMs = Number.NEGATIVE_INFINITY;
  #settled = false;
  #version = 0;
  #changes = 0;
  #isNoisy = false;
  readonly #leaving = new Set<SimulatedRouter>();
  readonly #entries = new Map<SimulatedRouter, number>();
  /** By virtual router id: whom the clients take for the holder. */
  readonly #known = new Map<number, SimulatedRouter>();
  settledMs = 0;
  settledTimes = 0;
  #settledSinceMs = 0;

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind === "priority-changed") {
      this.worldChanged();
    } else if (effect.kind === "transition") {
      // Who leaves FAULT does so by its own retry, or because somebody ended the fault.
      if (this.#settled && !isOut(effect.from)) {
        const what = `${nameOf(router)} went from ${effect.from} to ${effect.to} in a settled world`;
        this.violated("flapping", what);
      }
      if (effect.to === "MASTER") {
        this.#entries.set(router, (this.#entries.get(router) ?? 0) + 1);
      }
      if (isOut(effect.from) || isOut(effect.to)) {
        this.worldChanged();
      }
    }
  }

  /** A drain that nobody follows ends without a transition. */
  override handled(router: SimulatedRouter): void {
    const isLeaving = router.state.handingOver !== null;
    if (isLeaving) {
      this.#leaving.add(router);
    } else if (this.#leaving.delete(router) && router.state.name === "MASTER") {
      this.worldChanged();
    }
  }

  override announced(router: SimulatedRouter): void {
    if (router.machine.cableIn && router.machine.awake) {
      this.#known.set(router.config.virtualRouterId, router);
    }
  }

  override worldChanged(): void {
    if (this.#settled) {
      this.#settled = false;
      this.settledUntilMs = this.lan.nowMs;
      this.settledMs += this.lan.nowMs - this.#settledSinceMs;
      this.#changes = 0;
      this.#isNoisy = false;
      this.#entries.clear();
    }
    const version = ++this.#version;
    this.#changes++;
    this.#isNoisy ||= this.#noisy();
    if (!this.#isCalm()) {
      return;
    }
    const waitMs = this.#settleMs() + Math.max(0, this.lan.strayUntilMs - this.lan.nowMs);
    this.#at(version, waitMs, () => {
      this.#judge();
      this.#at(version, this.slowMs(faultRetryMs + this.#startupMs()), () => this.#judgeStuck());
      this.#at(version, this.slowMs(this.#refreshMs()), () => this.#judgeClients());
    });
  }

  #at(version: number, waitMs: number, judge: () => void): void {
    this.lan.after(waitMs, () => {
      if (version === this.#version) {
        judge();
      }
    });
  }

  /** Losses and delays may move mastership by themselves, as often as they like. */
  #noisy(): boolean {
    for (const { link } of this.lan.links) {
      if (link.cuts === 0 && !this.isGood(link)) {
        return true;
      }
    }
    return this.lan.strayUntilMs > this.lan.nowMs;
  }

  #isCalm(): boolean {
    const there = this.#there();
    return there.every(
      (one) =>
        one.state.handingOver === null &&
        !one.machine.kernelRefuses &&
        there.every((other) => !isSameRouter(one, other) || this.#isPairCalm(one, other)),
    );
  }

  #isPairCalm(one: SimulatedRouter, other: SimulatedRouter): boolean {
    return one === other || (areCompatible(one, other) && this.getsThrough(one, other));
  }

  #there(): SimulatedRouter[] {
    return this.routers().filter(({ machine }) => machine.awake && machine.cableIn);
  }

  #settleMs(): number {
    const there = this.#there();
    // VRRPv3: who has adopted a slower master's interval waits as long as that wants.
    const advert = Math.max(0, ...there.map((one) => Math.max(intervalMs(one), one.state.masterIntervalMs)));
    const masterDown = Math.max(0, ...there.map((one) => masterDownMs(one, advert)));
    const { delayMs, kernelMs, lateMs } = this.bounds;
    // A lower master is left in peace from when it is heard first, and binds until then.
    const delay = Math.max(0, ...there.map(({ config }) => config.preemptDelayMs));
    const peace = delay === 0 ? 0 : delay + masterDown;
    const settled = Math.max(masterDown + peace + advert, putBackMs);
    return this.slowMs(settled) + 2 * delayMs + lateMs + 2 * kernelMs;
  }

  #startupMs(): number {
    return Math.max(0, ...this.#there().map(({ config }) => config.startupDelayMs));
  }

  #refreshMs(): number {
    return Math.max(0, ...this.#there().map(({ config }) => config.gratuitousArp.refreshMs));
  }

  #judge(): void {
    this.#settled = true;
    this.settledTimes++;
    this.#settledSinceMs = this.lan.nowMs;
    for (const group of this.#byRouterId().values()) {
      this.#judgePriorities(group);
      this.#judgeGroup(group);
    }
    for (const [router, entries] of this.#entries) {
      if (!this.#isNoisy && entries > this.#changes) {
        const what = `${nameOf(router)} became master ${entries} times after ${this.#changes} changes`;
        this.violated("flapping", what);
      }
    }
  }

  #byRouterId(): Map<number, SimulatedRouter[]> {
    const groups = new Map<number, SimulatedRouter[]>();
    for (const router of this.#there()) {
      const { virtualRouterId } = router.config;
      groups.set(virtualRouterId, [...(groups.get(virtualRouterId) ?? []), router]);
    }
    return groups;
  }

  #judgeGroup(group: readonly SimulatedRouter[]): void {
    const able = group.filter(({ state }) => !isOut(state.name));
    const masters = able.filter(({ state }) => state.name === "MASTER");
    const [master] = masters;
    if (able.length === 0) {
      return;
    }
    if (master === undefined) {
      this.violated("no master", `nobody is master, though ${able.map(nameOf).join(", ")} can be`);
      return;
    }
    if (masters.length > 1) {
      this.violated("several masters", `${masters.map(nameOf).join(" and ")} are master in a calm world`);
    }
    const better = able.find(
      (one) => one.config.preempt && one !== master && one.state.priority > master.state.priority,
    );
    if (better !== undefined) {
      const what = `${nameOf(master)} (priority ${master.state.priority}) is master over ${nameOf(better)} (${better.state.priority})`;
      this.violated("wrong master", what);
    }
    const holders = group.filter(({ lease }) => lease.held);
    if (holders.length !== 1 || holders[0] !== master) {
      const who = holders.map(nameOf).join(", ") || "nobody";
      this.violated("wrong holder", `${nameOf(master)} is master, but ${who} holds the addresses`);
    }
  }

  #judgePriorities(group: readonly SimulatedRouter[]): void {
    for (const router of group) {
      const { priority } = router.config;
      const tracked = Math.min(Math.max(priority + router.machine.weight, 1), 254);
      const expected = router.machine.isDrained ? 1 : priority === 255 ? 255 : tracked;
      if (router.state.priority !== expected) {
        const what = `${nameOf(router)} has priority ${router.state.priority}, not ${expected}`;
        this.violated("wrong priority", what);
      }
    }
  }

  #judgeStuck(): void {
    for (const router of this.#there()) {
      if (isOut(router.state.name) && !router.machine.unfit && !isAskingLater(router)) {
        this.violated("stuck", `${nameOf(router)} is in ${router.state.name} without a reason`);
      }
    }
  }

  #judgeClients(): void {
    for (const [virtualRouterId, group] of this.#byRouterId()) {
      const master = group.find(({ state }) => state.name === "MASTER");
      if (master === undefined || master.config.gratuitousArp.refreshMs === 0) {
        continue;
      }
      const known = this.#known.get(virtualRouterId);
      if (known !== master) {
        const who = known === undefined ? "nobody" : nameOf(known);
        this.violated("stale clients", `${nameOf(master)} is master, but the clients know ${who}`);
      }
    }
  }
}

function isSameRouter(one: SimulatedRouter, other: SimulatedRouter): boolean {
  return one.config.virtualRouterId === other.config.virtualRouterId;
}

/** The kernel has refused it some times, and it will try again within a bound. */
function isAskingLater({ state, machine }: SimulatedRouter): boolean {
  const { retry } = state.timers;
  const nowMs = machine.localMs();
  return retry !== undefined && retry > nowMs && retry <= nowMs + longestFaultRetryMs;
}
