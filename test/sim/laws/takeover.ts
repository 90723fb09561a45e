import { compareIpLiterals } from "../../../src/netlink/ip-literal.js";
import type { InstanceEffect, InstanceInput } from "../../../src/vrrp/instance-state.js";
import { masterDownIntervalMs, skewMs, skewSpanMs } from "../../../src/vrrp/master-down.js";
import type { SimulatedRouter } from "../router.js";
import type { AdvertInput } from "../watcher.js";
import { instantMs, Law, nameOf } from "./law.js";

/** The same timer once more, kept by the law and not by the state machine. Local ms. */
interface Watch {
  /** A backup may not take over before. */
  earliestMs: number;
  /** It must have taken over by then. */
  latestMs: number;
  /** Whose interval counts: in VRRPv3 the master's, as it was heard last. */
  masterIntervalMs: number;
  /** Of the sender that was heard last, whatever came of it. */
  heardIntervalMs: number;
  heardFrom: string | null;
  /** Until when `preempt_delay` protects a master of lower priority; null: none was heard since it is backup. */
  peaceUntilMs: number | null;
  isChecked: boolean;
  /** What it heard makes it leave mastership, and why; judged when it has dealt with the advert. */
  mustStepDown: string | null;
  lastSentMs: number;
  lastPriority: number;
  wasAwake: boolean;
}

/**
 * Who takes over, and when (RFC 3768 §6.4.2 and §6.4.3), for every single router and whatever the network does.
 *
 * - early takeover: a backup becomes master no sooner than its master-down interval after the last advert that binds it
 *   (its skew after a priority 0; its turn when the peer link says that the process it heard last is dead). Binding is an advert with at least its own priority or, without preemption or within `preempt_delay`, any.
 * - late takeover: it has become master by then and the lateness of a timer. A process that wakes up has one advert
 *   interval and its skew to listen once more.
 * - step down: a master that has accepted a better router's advert is not master any more.
 * - slept through: without preemption, a master that slept so long that it may have been replaced leaves mastership to
 *   whoever it finds in its socket.
 * - asserted unread: after such a sleep it adds no address and sends no advert while its socket holds something unread.
 * - silent leave: whoever leaves mastership for good has said priority 0, if it could.
 */
export class TakeoverLaw extends Law {
  readonly #watches = new Map<SimulatedRouter, Watch>();

  #watch(router: SimulatedRouter): Watch {
    let watch = this.#watches.get(router);
    if (watch === undefined) {
      watch = {
        earliestMs: Number.POSITIVE_INFINITY,
        latestMs: Number.POSITIVE_INFINITY,
        masterIntervalMs: intervalMs(router),
        heardIntervalMs: intervalMs(router),
        heardFrom: null,
        peaceUntilMs: null,
        isChecked: false,
        mustStepDown: null,
        lastSentMs: Number.NEGATIVE_INFINITY,
        lastPriority: -1,
        wasAwake: true,
      };
      this.#watches.set(router, watch);
    }
    return watch;
  }

  override hears(router: SimulatedRouter, { source, priority, advertIntervalMs }: AdvertInput): void {
    const { state } = router;
    const watch = this.#watch(router);
    watch.heardFrom = source;
    watch.heardIntervalMs = advertIntervalMs ?? intervalMs(router);
    if (state.name === "BACKUP") {
      const now = router.machine.localMs();
      if (priority >= state.priority) {
        watch.peaceUntilMs = null;
      }
      if (priority === 0) {
        this.#expect(watch, now + this.#skewMs(router, watch));
      } else if (!router.config.preempt || priority >= state.priority || isInPeace(router, watch, now)) {
        watch.masterIntervalMs = watch.heardIntervalMs;
        this.#expect(watch, now + masterDownMs(router, watch.masterIntervalMs));
      }
    } else if (state.name === "MASTER" && state.handingOver === null) {
      watch.mustStepDown ??= this.#verdict(router, watch, source, priority);
    }
  }

  override peerDead(router: SimulatedRouter, address: string, delayMs: number): void {
    const watch = this.#watch(router);
    if (router.state.name === "BACKUP" && watch.heardFrom === address) {
      this.#expect(watch, Math.min(watch.earliestMs, router.machine.localMs() + delayMs));
      watch.isChecked = false;
      this.#checkLater(router, watch);
    }
  }

  #expect(watch: Watch, atMs: number): void {
    watch.earliestMs = atMs;
    watch.latestMs = atMs;
  }

  #skewMs(router: SimulatedRouter, { masterIntervalMs }: Watch, priority = router.state.priority): number {
    return skewMs(priority, skewSpanMs(router.config.version, masterIntervalMs));
  }

  #verdict(router: SimulatedRouter, watch: Watch, source: string, priority: number): string | null {
    const own = router.state.priority;
    if (priority > own || (priority === own && compareIpLiterals(source, router.machine.address) > 0)) {
      return `step down: ${nameOf(router)} (priority ${own}) has heard ${source} with priority ${priority} and is still master`;
    }
    return priority > 0 && !router.config.preempt && this.#mayBeReplaced(router, watch)
      ? `slept through: ${nameOf(router)} does not preempt, found ${source} as master when it woke up, and is still master`
      : null;
  }

  #mayBeReplaced(router: SimulatedRouter, watch: Watch): boolean {
    return router.machine.localMs() - watch.lastSentMs >= 3 * intervalMs(router) + this.bounds.lateMs;
  }

  override handled(router: SimulatedRouter, input: InstanceInput): void {
    const watch = this.#watch(router);
    if (input.kind === "start") {
      // A new process knows nobody.
      watch.heardFrom = null;
    }
    if (input.kind === "resume" && router.state.name === "BACKUP") {
      // It listens once more: adverts may have come while nobody listened.
      const listened = router.machine.localMs() + masterDownMs(router, watch.masterIntervalMs);
      watch.latestMs = Math.max(watch.latestMs, listened);
      this.#checkLater(router, watch);
    }
    if (watch.mustStepDown !== null) {
      const what = watch.mustStepDown;
      watch.mustStepDown = null;
      if (router.state.name === "MASTER") {
        this.violated(what.slice(0, what.indexOf(":")), what.slice(what.indexOf(":") + 2));
      }
    }
  }

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    switch (effect.kind) {
      case "send-advert":
        this.#onSend(router, effect.priority);
        break;
      case "put-addresses":
        this.#judgeAssertion(router, "put its addresses");
        break;
      case "priority-changed": {
        if (router.state.name !== "BACKUP") break;
        const watch = this.#watch(router);
        const more = this.#skewMs(router, watch, effect.to) - this.#skewMs(router, watch, effect.from);
        watch.earliestMs += more;
        watch.latestMs += more;
        break;
      }
      case "transition":
        this.#onTransition(router, effect.from);
        break;
      default:
        break;
    }
  }

  #onSend(router: SimulatedRouter, priority: number): void {
    if (priority > 0) {
      this.#judgeAssertion(router, "advertised");
    }
    const watch = this.#watch(router);
    watch.lastSentMs = router.machine.localMs();
    watch.lastPriority = priority;
  }

  #judgeAssertion(router: SimulatedRouter, what: string): void {
    const { machine } = router;
    if (machine.unread > 0 && this.#mayBeReplaced(router, this.#watch(router))) {
      const adverts = `${machine.unread} packets unread`;
      this.violated("asserted unread", `${nameOf(router)} woke up and ${what} with ${adverts}`);
    }
  }

  #onTransition(router: SimulatedRouter, from: string): void {
    const watch = this.#watch(router);
    const now = router.machine.localMs();
    const to = router.state.name;
    if (from === "BACKUP" && to === "MASTER" && now < watch.earliestMs - instantMs) {
      const early = Math.round(watch.earliestMs - now);
      this.violated("early takeover", `${nameOf(router)} took over ${early} ms before its master-down timer`);
    }
    if (from === "MASTER" && (to === "INIT" || to === "FAULT") && router.machine.cableIn) {
      if (watch.lastPriority !== 0) {
        this.violated("silent leave", `${nameOf(router)} went to ${to} without priority 0`);
      }
    }
    if (to === "BACKUP") {
      watch.peaceUntilMs = null;
      watch.masterIntervalMs = from === "MASTER" ? watch.heardIntervalMs : intervalMs(router);
      this.#expect(watch, now + masterDownMs(router, watch.masterIntervalMs));
      this.#checkLater(router, watch);
    }
  }

  override worldChanged(): void {
    for (const [router, watch] of this.#watches) {
      const { awake } = router.machine;
      if (awake && !watch.wasAwake && router.state.name === "BACKUP") {
        const listened = router.machine.localMs() + watch.masterIntervalMs + this.#skewMs(router, watch);
        watch.latestMs = Math.max(watch.latestMs, listened);
        this.#checkLater(router, watch);
      }
      watch.wasAwake = awake;
    }
  }

  /** One look when the time has come; if it was put off meanwhile, another one. */
  #checkLater(router: SimulatedRouter, watch: Watch): void {
    if (!watch.isChecked) {
      watch.isChecked = true;
      this.lan.at(this.#deadlineMs(router, watch), () => {
        watch.isChecked = false;
        this.#check(router, watch);
      });
    }
  }

  #check(router: SimulatedRouter, watch: Watch): void {
    if (router.state.name !== "BACKUP" || !router.machine.awake) {
      return;
    }
    if (this.#deadlineMs(router, watch) > this.lan.nowMs) {
      this.#checkLater(router, watch);
    } else {
      this.violated(
        "late takeover",
        `${nameOf(router)} is able, has heard no master for its master-down interval, and is still backup`,
      );
    }
  }

  #deadlineMs(router: SimulatedRouter, watch: Watch): number {
    return router.machine.clock.when(watch.latestMs) + this.bounds.lateMs + instantMs;
  }
}

function isInPeace({ config }: SimulatedRouter, watch: Watch, nowMs: number): boolean {
  watch.peaceUntilMs ??= nowMs + config.preemptDelayMs;
  return nowMs < watch.peaceUntilMs;
}

export function intervalMs(router: SimulatedRouter): number {
  return router.config.advertIntervalCs * 10;
}

/** Of a router that listens to a master with this interval. */
export function masterDownMs(router: SimulatedRouter, masterIntervalMs: number): number {
  const span = skewSpanMs(router.config.version, masterIntervalMs);
  return masterDownIntervalMs(router.state.priority, masterIntervalMs, span);
}

/** Over which the routers' priorities spread their takeovers once this one has left. */
export function spanMs(router: SimulatedRouter): number {
  return skewSpanMs(router.config.version, intervalMs(router));
}
