import { sentences } from "../config/problem.js";
import { LbError } from "../errors.js";
import type { UpgradeAnswer } from "../upgrade/answer.js";
import type { Successor } from "../upgrade/successor.js";
import type { Log } from "./log.js";
import type { ReloadAnswer } from "./reload-answer.js";

/** What an upgrade needs of the daemon. */
export interface UpgradeDependencies<Taker> {
  readonly log: Log;
  /** What a reload would do now. */
  plan(): Promise<ReloadAnswer>;
  /** Starts the program as it is on the disk and hands everything over. Throws LbError: nothing has changed. */
  hand(): Promise<Taker>;
  /** No operator is answered by this process any more, but who has asked. */
  withdraw(): void;
  /** It is the main process from now on. */
  onSucceeded(successor: Taker): void;
}

/** SIGUSR2 and `lb upgrade`: the program as it is on the disk now takes over, or nothing changes and the log says why. */
export class Upgrades<Taker extends Pick<Successor, "pid" | "version">> {
  constructor(private readonly deps: UpgradeDependencies<Taker>) {}

  /** `tell` is called once, before the control thread that asked goes. */
  async upgrade(tell: (answer: UpgradeAnswer) => void): Promise<void> {
    try {
      await this.assertCurrent();
      const successor = await this.deps.hand();
      const { pid, version } = successor;
      // Who hears of it may ask again at once, and means the new one.
      this.deps.withdraw();
      tell({ outcome: "upgraded", pid, version, problems: [] });
      this.deps.onSucceeded(successor);
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      const { code, advice, message } = error;
      this.deps.log.error({ event: "upgrade", code, advice }, `${message}: nothing was upgraded`);
      const isRefused = code === "LB_UPGRADE_REFUSED";
      const problems = isRefused ? message.split("\n") : [`${code}: ${sentences(message, advice)}`];
      tell({ outcome: isRefused ? "refused" : "failed", pid: null, version: null, problems });
    }
  }

  /** The successor reads the file itself: it must say what runs. */
  private async assertCurrent(): Promise<void> {
    const { outcome, problems } = await this.deps.plan();
    if (outcome === "planned")
      throw new LbError(
        "LB_UPGRADE",
        "the configuration is not the running one any more",
        "reload it first, as lb upgrade and SIGUSR2 do, or mend it",
      );
    if (outcome === "refused")
      throw new LbError("LB_UPGRADE_REFUSED", problems.join("\n"), "mend the configuration");
  }
}
