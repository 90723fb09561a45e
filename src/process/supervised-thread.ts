import type { MessagePort } from "node:worker_threads";
import type { ThreadHealth } from "./fitness.js";
import {
  keepsDying,
  neverDied,
  type RestartPolicy,
  type RestartState,
  recordDeath,
} from "./restart-policy.js";
import type { ThreadEvents, ThreadHost } from "./thread-host.js";

/** A thread whose loop has not turned for so long is stuck. */
export const stuckAfterMs = 2000;
/** A thread that is not ready so long after its start is stuck; on a machine that does too much it takes its time. */
export const readyWithinMs = 25_000;
/** When the main thread itself was away for so long between two looks, it has no opinion on the others. */
const absenceMs = 1000;

export interface SupervisedThreadOptions<Input, Output> {
  readonly name: string;
  readonly policy: RestartPolicy;
  /** Starts the thread; called again after each death. What it throws counts as a death. */
  start(events: ThreadEvents<Output>): ThreadHost<Input>;
  /** Whether this message says that the thread is ready to serve. */
  isReady(message: Output): boolean;
  /** A number that changes while the thread's loop turns; null: it cannot be seen. */
  heartbeat(): number | null;
  /** ms of a clock that does not jump. */
  now(): number;
  onMessage(message: Output): void;
  /** After each change of health, for one line of the log. */
  onEvent(event: ThreadEvent): void;
}

export type ThreadEvent =
  | { readonly kind: "ready"; readonly restarts: number }
  | { readonly kind: "stuck" }
  | {
      readonly kind: "died";
      readonly reason: string;
      readonly error: Error | null;
      readonly restartInMs: number | null;
    };

/**
 * One thread that is to be there always: started, watched, ended when it is stuck, and started again when it is gone.
 *
 * Has no timer of its own: the owner calls `look` some times a second.
 */
export class SupervisedThread<Input, Output> {
  private readonly options: SupervisedThreadOptions<Input, Output>;
  private host: ThreadHost<Input> | null = null;
  private phase: "idle" | "starting" | "serving" | "stuck" | "waiting" | "ended" = "idle";
  private deaths: RestartState = neverDied;
  private restarts = 0;
  private restartAtMs = 0;
  private startedMs = 0;
  private lastBeat: number | null = null;
  private lastBeatMs = 0;
  private lastLookMs = 0;
  private isLetGo = false;

  constructor(options: SupervisedThreadOptions<Input, Output>) {
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }

  get isReady(): boolean {
    return this.phase === "serving";
  }

  /** No longer there, and not to be started again. */
  get hasEnded(): boolean {
    return this.phase === "ended";
  }

  start(): void {
    const { now } = this.options;
    this.phase = "starting";
    this.startedMs = now();
    let host: ThreadHost<Input> | null = null;
    const isCurrent = (): boolean => host === null || host === this.host;
    try {
      host = this.options.start({
        message: (message) => {
          if (isCurrent()) this.onMessage(message);
        },
        gone: (reason, error) => {
          if (isCurrent()) this.onGone(reason, error);
        },
      });
      this.host = host;
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      this.onGone(`it could not be started: ${cause.message}`, cause);
    }
  }

  /** Dropped when the thread is not there. */
  post(message: Input, ports?: readonly MessagePort[]): void {
    this.host?.post(message, ports);
  }

  /** From now on the thread is not started again when it ends. */
  letGo(): void {
    if (this.host === null) this.phase = "ended";
    else this.isLetGo = true;
  }

  /** Ends the thread for good. */
  end(): void {
    this.letGo();
    this.host?.terminate();
  }

  health(): ThreadHealth {
    const { name, now, policy } = this.options;
    const state = this.phase === "serving" || this.phase === "stuck" ? this.phase : "down";
    return { name, state, keepsDying: keepsDying(this.deaths, now(), policy) };
  }

  /** Looks at the clock and the heartbeat: starts what is due, ends what is stuck. */
  look(): void {
    const nowMs = this.options.now();
    const wasAway = nowMs - this.lastLookMs > absenceMs;
    this.lastLookMs = nowMs;
    if (this.phase === "waiting" && nowMs >= this.restartAtMs) {
      this.restarts++;
      this.start();
      return;
    }
    const beat = this.options.heartbeat();
    if (beat !== this.lastBeat || wasAway) {
      this.lastBeat = beat;
      this.lastBeatMs = nowMs;
    }
    const isStuck =
      (this.phase === "serving" && beat !== null && nowMs - this.lastBeatMs >= stuckAfterMs) ||
      (this.phase === "starting" && nowMs - this.startedMs >= readyWithinMs);
    if (isStuck) {
      this.phase = "stuck";
      this.options.onEvent({ kind: "stuck" });
      this.host?.terminate();
    }
  }

  private onMessage(message: Output): void {
    if (this.phase === "starting" && this.options.isReady(message)) {
      this.phase = "serving";
      this.lastBeatMs = this.options.now();
      this.options.onEvent({ kind: "ready", restarts: this.restarts });
    }
    this.options.onMessage(message);
  }

  private onGone(reason: string, error: Error | null): void {
    this.host = null;
    const wasStuck = this.phase === "stuck";
    const what = wasStuck ? "it was stuck and was ended" : reason;
    if (this.isLetGo) {
      this.phase = "ended";
      this.options.onEvent({ kind: "died", reason: what, error, restartInMs: null });
      return;
    }
    const nowMs = this.options.now();
    const { state, delayMs } = recordDeath(this.deaths, nowMs, this.options.policy);
    this.deaths = state;
    this.phase = "waiting";
    this.restartAtMs = nowMs + delayMs;
    this.options.onEvent({ kind: "died", reason: what, error, restartInMs: delayMs });
    if (delayMs === 0) {
      this.restarts++;
      this.start();
    }
  }
}
