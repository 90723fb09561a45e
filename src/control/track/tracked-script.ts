import type { ScriptConfig } from "../../config/tracking-config.js";
import type { Found } from "../../vrrp/tracking.js";
import { nextRiseFall, type RiseFall } from "./rise-fall.js";
import { type RunningCommand, runCommand } from "./run-command.js";

/** Runs a `vrrp_script` at its interval, one run at a time, and tells when it goes up or down. */
export class TrackedScript {
  private state: RiseFall;
  private timer: NodeJS.Timeout | null = null;
  private running: RunningCommand | null = null;
  private isStopped = false;

  /** `known`: what the control thread before this one had found. */
  constructor(
    private readonly config: ScriptConfig,
    known: Found,
    private readonly tell: (found: Found, reason: string) => void,
    private readonly run: typeof runCommand = runCommand,
  ) {
    const found = known === "unknown" && config.initFail ? "down" : known;
    this.state = { found, against: 0 };
  }

  start(): void {
    if (this.state.found !== "unknown") this.tell(this.state.found, "as before");
    this.begin();
    this.timer = setInterval(() => this.begin(), this.config.intervalMs);
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer ?? undefined);
    this.running?.end();
  }

  /** A run that is not over when the next one is due takes its turn too. */
  private begin(): void {
    if (this.running !== null) return;
    const { script, user, timeoutMs } = this.config;
    const running = this.run(script, user, timeoutMs);
    this.running = running;
    void running.ended.then(({ ok, reason }) => this.judge(ok, reason));
    void running.gone.then(() => {
      this.running = null;
    });
  }

  private judge(ok: boolean, reason: string): void {
    if (this.isStopped) return;
    const { rise, fall } = this.config;
    const before = this.state.found;
    this.state = nextRiseFall(this.state, ok, rise, fall);
    if (this.state.found !== before) this.tell(this.state.found, reason);
  }
}
