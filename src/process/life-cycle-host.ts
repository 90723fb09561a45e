import { setTimeout as delay } from "node:timers/promises";
import { ExitCode } from "../errors.js";
import type { Successor } from "../upgrade/successor.js";
import type { ControlHost } from "./control-host.js";
import type { DataPlane } from "./data-plane.js";
import {
  beforeStart,
  handleLifeCycle,
  type LifeCycleEffect,
  type LifeCycleInput,
  type LifeCycleState,
  releaseLimitMs,
} from "./life-cycle.js";
import type { Log } from "./log.js";
import type { Outbox } from "./notices.js";
import { SdNotify } from "./sd-notify.js";
import type { VrrpHost } from "./vrrp-host.js";
import { startWatchdog } from "./watchdog.js";

const lastWordsMs = 500;
/** Clients that have not heard of a move yet come here for a moment. */
const acceptAfterMoveMs = 1000;
/** How often the successor hears what this process still counts. */
const countEveryMs = 1000;

export interface LifeCycleHostParts {
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly plane: DataPlane;
  readonly vrrp: VrrpHost;
  /** The one of the moment. */
  readonly control: () => ControlHost;
  readonly outbox: Outbox;
  readonly drainTimeoutMs: () => number;
  /** It serves from now on. */
  readonly onServing: () => void;
  /** It starts no longer: it serves, or is on its way out. */
  readonly onStarted: () => void;
}

/**
 * The life of the daemon: carries out what the pure `life-cycle` decides, most of which is the way out, and tells the service
 * manager of it.
 */
export class LifeCycleHost {
  private state: LifeCycleState = beforeStart;
  /** The process that has taken this one's place. */
  private successor: Successor | null = null;
  /** null also when another process is the main one. */
  private notify: SdNotify | null;
  private endWatchdog: () => void = () => {};
  private exit: (code: number) => void = () => {};
  /** Resolves with the exit code when everything is over. */
  readonly ended = new Promise<number>((resolve) => {
    this.exit = resolve;
  });

  constructor(private readonly parts: LifeCycleHostParts) {
    this.notify = SdNotify.open(parts.environment);
  }

  get name(): LifeCycleState["name"] {
    return this.state.name;
  }

  get isStarting(): boolean {
    return this.state.name === "starting";
  }

  get isServing(): boolean {
    return this.state.name === "serving";
  }

  input(input: LifeCycleInput): void {
    const before = this.state;
    const { state, effects } = handleLifeCycle(before, input, performance.now(), this.parts.drainTimeoutMs());
    this.state = state;
    for (const effect of effects) this.run(effect);
    if (before.name === "starting" && state.name !== "starting") this.parts.onStarted();
  }

  /** Everything runs. */
  started(): void {
    this.endWatchdog = startWatchdog(
      this.notify,
      () => this.isServing,
      () => this.parts.plane.health(),
    );
    this.input({ kind: "started" });
  }

  /** Shown by the service manager while this process serves. */
  showStatus(text: string): void {
    if (this.isServing) this.notify?.send(`STATUS=${text}`);
  }

  /** What nobody foresaw: gives the addresses away and ends. */
  crash(error: unknown): void {
    this.parts.log.fatal({ event: "process", err: error }, "internal error in the main thread");
    // Should the error strike the life cycle itself, the process still ends.
    setTimeout(() => this.exit(ExitCode.software), releaseLimitMs * 2);
    this.input({ kind: "failed", exitCode: ExitCode.software });
  }

  /** `successor` has taken over. */
  succeeded(successor: Successor): void {
    this.successor = successor;
    if (this.isServing) {
      this.input({ kind: "superseded" });
    } else {
      // Told to stop in the very moment: that is the other one's business now.
      this.retire();
      if (successor.pid !== null) process.kill(successor.pid, "SIGTERM");
    }
  }

  private run(effect: LifeCycleEffect): void {
    const { plane, vrrp, log, control, onServing } = this.parts;
    switch (effect.kind) {
      case "announce-serving":
        onServing();
        this.notify?.send("READY=1", "STATUS=serving");
        break;
      case "announce-stopping":
        this.notify?.send("STOPPING=1", `STATUS=${this.state.name}`);
        break;
      case "hand-over":
        this.release(vrrp.handOver(() => plane.handOver()));
        break;
      case "retire":
        this.retire();
        break;
      case "drain":
        // A partner sends on what is open here: VRRP stays until that has ended, to tell it.
        if (vrrp.lingers) {
          plane.drain(effect.timeoutMs, acceptAfterMoveMs);
        } else {
          plane.drain(effect.timeoutMs);
          void this.closeVrrp();
        }
        break;
      case "close":
        this.successor?.count(plane.counts(), 0);
        void this.closeVrrp().finally(() => control().stop(true));
        break;
      case "release":
        this.release(vrrp.stop());
        break;
      case "gave-up-waiting":
        log.warn({ state: effect.state }, "a part did not answer in time, going on without it");
        break;
      case "exit":
        void this.tellOfTheEnd().then(() => {
          log.info({ event: "process", exitCode: effect.exitCode }, "stopped");
          this.successor?.leave();
          this.exit(effect.exitCode);
        });
    }
  }

  /** Who leaves in a hurry has not waited for the control thread: its scripts must at least have begun. */
  private async tellOfTheEnd(): Promise<void> {
    const { plane, outbox, control } = this.parts;
    const deadlineMs = performance.now() + lastWordsMs;
    await plane.flushLogs(lastWordsMs);
    while (!outbox.isEmpty && control().isReady && performance.now() < deadlineMs) await delay(10);
  }

  /** Released or given up on: either way nothing of VRRP shall stay open. */
  private async closeVrrp(): Promise<void> {
    try {
      await this.parts.vrrp.stop();
    } catch (error) {
      this.parts.log.error({ err: error }, "VRRP did not close");
    }
  }

  /** Answers `released` when the way out is over, on a later turn. */
  private release(way: Promise<void>): void {
    way
      .catch((error: unknown) => this.parts.log.error({ err: error }, "an address could not be released"))
      .finally(() => this.input({ kind: "released" }));
  }

  /** The successor is the main process from now on; this one only finishes what it has begun. */
  private retire(): void {
    const { successor, notify } = this;
    const { plane, vrrp, control, log } = this.parts;
    if (successor === null) return;
    this.endWatchdog();
    notify?.send(`MAINPID=${successor.pid}`);
    this.notify = null;
    successor.go();
    successor.onGone(() => {
      log.warn({ event: "upgrade", successor: successor.pid }, "the process that took over is gone");
      // It may have died before the manager took it for the main process: that one waits for this one's end then.
      if (notify !== null) this.input({ kind: "failed", exitCode: ExitCode.software });
    });
    const count = (): void => successor.count(plane.counts(), plane.connections());
    count();
    setInterval(count, countEveryMs).unref();
    void vrrp.leaveBehind();
    control().leaveSockets();
    control().stop(true);
    log.info(
      { event: "upgrade", successor: successor.pid, version: successor.version },
      "upgraded: another process serves",
    );
  }
}
