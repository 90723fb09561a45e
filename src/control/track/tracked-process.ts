import { readdir, readFile } from "node:fs/promises";
import type { TrackProcessConfig } from "../../config/tracking-config.js";
import type { Found } from "../../vrrp/tracking.js";
import { matchesCommandLine, matchesName, needsCommandLine, processState } from "./process-match.js";

/** How often the processes that were found are looked at: an end is seen so late at most. */
const lookMs = 100;
/** How often new processes are looked for: a beginning is seen so late at most. */
const searchMs = 1000;
/** A process may take its name after it has begun (fork, then exec): so many searches read it. */
const firstSearches = 3;
/** Then only every so many searches, for those that change their name later. */
const laterSearches = 10;

/**
 * Counts the processes of a `vrrp_track_process` in /proc, and tells when there are enough or too few. Looks at the
 * found ones often and for new ones seldom, so that a machine with thousands of processes does not pay for it.
 */
export class TrackedProcess {
  private found: Found;
  private readonly pids = new Set<string>();
  /** How many searches have passed a process over. */
  private readonly others = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;
  private searchedMs = Number.NEGATIVE_INFINITY;
  private changingSinceMs: number | null = null;
  private isBusy = false;
  private isStopped = false;

  constructor(
    private readonly config: TrackProcessConfig,
    known: Found,
    private readonly tell: (found: Found, reason: string) => void,
    private readonly proc = "/proc",
  ) {
    this.found = known;
  }

  async start(): Promise<void> {
    await this.look();
    if (!this.isStopped) this.timer = setInterval(() => void this.look(), lookMs);
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer ?? undefined);
  }

  private async look(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await Promise.all([...this.pids].map((pid) => this.lookAt(pid)));
      const tooFew = this.found !== "down" && this.pids.size < this.config.quorum;
      if (tooFew || performance.now() - this.searchedMs >= searchMs) await this.search();
      if (!this.isStopped) this.judge(performance.now());
    } finally {
      this.isBusy = false;
    }
  }

  private judge(nowMs: number): void {
    const { quorum, forkDelayMs, terminateDelayMs } = this.config;
    const now: Found = this.pids.size >= quorum ? "up" : "down";
    if (now === this.found) {
      this.changingSinceMs = null;
      return;
    }
    this.changingSinceMs ??= nowMs;
    const delayMs = this.found === "unknown" ? 0 : now === "up" ? forkDelayMs : terminateDelayMs;
    if (nowMs - this.changingSinceMs < delayMs) return;
    this.found = now;
    this.changingSinceMs = null;
    this.tell(now, `${this.pids.size} of it run, ${quorum} must`);
  }

  private async lookAt(pid: string): Promise<void> {
    if (!(await this.matches(pid))) this.pids.delete(pid);
  }

  private async search(): Promise<void> {
    this.searchedMs = performance.now();
    const all = (await readdir(this.proc)).filter((name) => /^\d+$/.test(name));
    const there = new Set(all);
    for (const pid of this.others.keys()) if (!there.has(pid)) this.others.delete(pid);
    for (const pid of all) {
      if (this.pids.has(pid)) continue;
      const passedOver = this.others.get(pid) ?? 0;
      this.others.set(pid, passedOver + 1);
      if (passedOver >= firstSearches && passedOver % laterSearches !== 0) continue;
      if (await this.matches(pid)) {
        this.pids.add(pid);
        this.others.delete(pid);
      }
    }
  }

  private async matches(pid: string): Promise<boolean> {
    try {
      const wanted = needsCommandLine(this.config)
        ? matchesCommandLine(this.config, await this.read(pid, "cmdline"))
        : matchesName(this.config, await this.read(pid, "comm"));
      // A zombie has ended; nobody has asked for its exit code yet.
      return wanted && !/[ZX]/.test(processState(await this.read(pid, "stat")));
    } catch {
      return false;
    }
  }

  private read(pid: string, file: string): Promise<string> {
    return readFile(`${this.proc}/${pid}/${file}`, "utf8");
  }
}
