import type { InstanceEffect } from "../../../src/vrrp/instance-state.js";
import type { SimulatedRouter } from "../router.js";
import { instantMs, Law, nameOf, putBackMs } from "./law.js";

/**
 * The kernel's addresses agree with the state, within the time that the kernel takes:
 *
 * - held by no master: an awake router that is not MASTER does not hold them;
 * - master without address: an awake MASTER holds them, and has them back when somebody takes them away;
 * - lease ran out: they never leave an awake MASTER by their lease;
 * - outlived: a process that is dead or does not run loses them within one lease;
 * - not announced: who becomes MASTER announces them.
 */
export class KernelLaw extends Law {
  readonly #epochs = new Map<SimulatedRouter, number>();

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind === "transition") {
      this.#checkLater(router);
      if (effect.to === "MASTER" && router.config.gratuitousArp.repeat > 0) {
        this.#expectAnnouncement(router);
      }
    }
  }

  override holds(router: SimulatedRouter, holds: boolean, why: string): void {
    if (!router.machine.awake) {
      return;
    }
    const isMaster = router.state.name === "MASTER";
    if (holds && !isMaster) {
      this.violated("held by no master", `${nameOf(router)} added its addresses in ${router.state.name}`);
    } else if (!holds && isMaster) {
      this.#onLoss(router, why);
    }
  }

  #onLoss(router: SimulatedRouter, why: string): void {
    if (why === "its lease ran out" && router.machine.awakeSinceMs < this.lan.nowMs - instantMs) {
      this.violated("lease ran out", `${nameOf(router)} is master, awake, and did not refresh its lease`);
    }
    this.#checkLater(router, putBackMs);
  }

  override worldChanged(): void {
    for (const router of this.routers()) {
      this.#checkLater(router, putBackMs);
      if (!router.machine.awake && router.lease.held) {
        this.#expectLoss(router);
      }
    }
  }

  /** One look after the kernel has had its time; whatever happens meanwhile asks for another one. */
  #checkLater(router: SimulatedRouter, moreMs = 0): void {
    const epoch = (this.#epochs.get(router) ?? 0) + 1;
    this.#epochs.set(router, epoch);
    // Two changes may wait for each other.
    this.lan.after(2 * this.bounds.kernelMs + this.slowMs(moreMs), () => {
      if (this.#epochs.get(router) === epoch && router.machine.awake && !router.machine.kernelRefuses) {
        this.#check(router);
      }
    });
  }

  #check(router: SimulatedRouter): void {
    const { name, inDoubt } = router.state;
    const { held } = router.lease;
    if (name === "MASTER" && !held && !inDoubt) {
      this.violated("master without address", `${nameOf(router)} is master and holds no address`);
    } else if (name !== "MASTER" && held) {
      this.violated("held by no master", `${nameOf(router)} is ${name} and holds the addresses`);
    }
  }

  #expectLoss(router: SimulatedRouter): void {
    const { leaseSlackMs } = this.bounds;
    this.lan.after(this.slowMs(router.config.leaseMs) + leaseSlackMs, () => {
      const { machine, lease } = router;
      // On the machine's own clock: while it stands still, the lease does too.
      const ageMs = machine.localMs() - lease.refreshedMs;
      const isOver = ageMs > (router.config.leaseMs + leaseSlackMs) * (1 + 2 * this.bounds.drift) + instantMs;
      if (!machine.awake && !machine.paused && lease.held && isOver) {
        this.violated("outlived", `${nameOf(router)} does not run, and its addresses outlive their lease`);
      }
    });
  }

  #expectAnnouncement(router: SimulatedRouter): void {
    const before = router.announcements;
    const epoch = this.#epochs.get(router);
    this.lan.after(2 * this.bounds.kernelMs + instantMs, () => {
      const isSame = this.#epochs.get(router) === epoch && router.asserts && !router.machine.kernelRefuses;
      if (isSame && router.announcements === before) {
        this.violated("not announced", `${nameOf(router)} became master and announced nothing`);
      }
    });
  }
}
