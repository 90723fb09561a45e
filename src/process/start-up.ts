import { version } from "../control/release.js";
import { LbError } from "../errors.js";
import type { Predecessor } from "../upgrade/predecessor.js";
import type { ControlHost } from "./control-host.js";
import type { DataPlane } from "./data-plane.js";
import type { Log } from "./log.js";
import type { NodeWatch } from "./node-watch.js";
import type { VrrpHost } from "./vrrp-host.js";

/** How long the start waits for the first answers of what is tracked; then the instances wait, in FAULT. */
const firstFactsLimitMs = 1000;
/** In which all threads are ready, or the start has failed. */
const startLimitMs = 25_000;

export interface StartUpParts {
  readonly log: Log;
  readonly plane: DataPlane;
  /** The one of the moment. */
  readonly control: () => ControlHost;
  readonly vrrp: VrrpHost;
  readonly watch: NodeWatch;
  /** False: the daemon has been told to end meanwhile. */
  readonly isStarting: () => boolean;
}

/** The order in which the parts of a daemon start, and what each waits for. Whoever learns of something calls `wake`. */
export class StartUp {
  private tell: (() => void) | null = null;

  constructor(private readonly parts: StartUpParts) {}

  /** Something has happened that the start may wait for. */
  wake(): void {
    this.tell?.();
  }

  /** The start of a process of its own. False: it was told to end. Throws LbError LB_THREAD_START, and what VRRP throws. */
  async begin(): Promise<boolean> {
    const { vrrp, isStarting } = this.parts;
    const [opened] = await Promise.all([vrrp.open(false), this.threadsReady()]);
    if (opened.speaker !== null) await this.firstFacts();
    if (!isStarting()) return false;
    vrrp.use(opened);
    return true;
  }

  /**
   * The start of a successor: everything that can fail comes first; then VRRP goes on from where the other one stands still.
   * Clients and operators are the other one's until it says `go`: what a successor that fails had accepted would be lost.
   */
  async follow(predecessor: Predecessor): Promise<boolean> {
    const { vrrp, plane, control, isStarting, log } = this.parts;
    const opened = await vrrp.open(true);
    await this.controlReady();
    if (opened.speaker !== null) await this.firstFacts();
    plane.start();
    await this.planeReady();
    if (!isStarting()) return false;
    const { counts, states, vrrp: resumed } = await predecessor.ready();
    predecessor.onCounts = (counted, connections) => plane.takeCounts(counted, connections);
    predecessor.onGone = () => plane.predecessorEnded();
    plane.takeCounts(counts, 0);
    plane.takeStates(states);
    vrrp.use(opened, resumed);
    await predecessor.taken();
    log.info({ event: "upgrade", version }, "this program has taken over from the one before");
    plane.accept();
    control().accept();
    if (resumed !== null)
      await vrrp
        .link(resumed)
        .catch((error: unknown) => log.error({ err: error }, "the peer link did not open"));
    return true;
  }

  /** The data threads first: the control thread is told which engine they chose. */
  private async threadsReady(): Promise<void> {
    await this.planeReady();
    await this.controlReady();
  }

  private async planeReady(): Promise<void> {
    const { plane } = this.parts;
    await this.until(
      () => plane.areReady,
      () => plane.health(),
    );
  }

  private async controlReady(): Promise<void> {
    const { control, isStarting } = this.parts;
    if (!isStarting()) return;
    control().start();
    await this.until(
      () => control().isReady,
      () => [control().health()],
    );
  }

  /** So that an instance does not begin with a fault only because its scripts have not run yet. */
  private async firstFacts(): Promise<void> {
    const { watch, isStarting } = this.parts;
    const deadlineMs = performance.now() + firstFactsLimitMs;
    while (!watch.isComplete && isStarting() && performance.now() < deadlineMs) await this.woken();
  }

  /** Waits for `condition`, which is looked at after each event of a thread and each look. */
  private async until(
    condition: () => boolean,
    health: () => readonly { readonly name: string; readonly state: string; readonly keepsDying: boolean }[],
  ): Promise<void> {
    const deadlineMs = performance.now() + startLimitMs;
    while (!condition() && this.parts.isStarting()) {
      const failed = health().find(({ state, keepsDying }) => state !== "serving" && keepsDying);
      if (failed !== undefined || performance.now() >= deadlineMs) {
        throw new LbError(
          "LB_THREAD_START",
          `the thread ${failed?.name ?? "that is awaited"} does not start`,
          "see the log lines above for its reason, and report them",
        );
      }
      await this.woken();
    }
  }

  private woken(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.tell = resolve;
    });
  }
}
