import { changedValues } from "../config/changes.js";
import type { Config } from "../config/config.js";
import { describeProblem, type Problem, sentences } from "../config/problem.js";
import { LbError } from "../errors.js";
import { type Certificates, sameCertificates } from "../proxy/tls/certificate.js";
import { describeReload } from "./describe-reload.js";
import type { Log } from "./log.js";
import type { ReloadAnswer } from "./reload-answer.js";
import { planReload, type ReloadPlan } from "./reload-plan.js";

/** What reading the configuration again came to; `config` is null where it is not valid. */
export interface ReadAgain {
  readonly config: Config | null;
  readonly certificates: Certificates;
  readonly problems: readonly Problem[];
  readonly warnings?: readonly Problem[];
}

export interface ReloadsOptions {
  readonly log: Log;
  /** Reads the configuration again, with the same flags. */
  read(): Promise<ReadAgain>;
  present(): { readonly config: Config; readonly certificates: Certificates };
  /** Another secret in the peer link's key_file that is the same. Throws LbError LB_PEER_KEY. */
  hasNewSecret(config: Config): boolean;
  /** Why nothing can be applied now; null: it can. */
  obstacle(): string | null;
  /** Throws LbError; then nothing was changed. `onApplied` is called before a control thread that asked for it goes. */
  apply(config: Config, certificates: Certificates, plan: ReloadPlan, onApplied: () => void): Promise<void>;
}

/** Reads the configuration again, and says what is to be done or was done about it. */
export class Reloads {
  constructor(private readonly options: ReloadsOptions) {}

  /** Applies what can be applied to a running node, or changes nothing at all and says why. `tell` is called once. */
  async reload(tell: (answer: ReloadAnswer) => void): Promise<void> {
    const { log, present } = this.options;
    const { config: read, certificates, problems, warnings: found = [] } = await this.options.read();
    const warnings = found.map(describeProblem);
    if (read === null) {
      for (const problem of problems) log.error(describeProblem(problem));
      log.error(
        { event: "reload", problems: problems.length },
        "the configuration is not valid: nothing was changed",
      );
      tell({ outcome: "refused", steps: [], problems: problems.map(describeProblem), warnings });
      return;
    }
    const changed = changedValues(present().config, read);
    let steps: readonly string[] = [];
    try {
      const hasNewKey = this.hasNewKey(read, changed);
      if (hasNewKey) changed.push("peerLink.key");
      const isRenewed = !sameCertificates(present().certificates, certificates);
      if (isRenewed) changed.push(hasTlsServers(read) ? "serverCertificates" : "certificates");
      if (changed.length === 0) {
        log.info({ event: "reload" }, "the configuration is valid and has not changed");
        tell({ outcome: "unchanged", steps: [], problems: [], warnings });
        return;
      }
      const obstacle = this.options.obstacle();
      if (obstacle !== null) {
        tell({ outcome: "failed", steps: [], problems: [obstacle], warnings });
        return;
      }
      steps = describeReload(present().config, read, hasNewKey, isRenewed);
      const plan = planReload(present().config, read, changed);
      await this.options.apply(read, certificates, plan, () =>
        tell({ outcome: "applied", steps, problems: [], warnings }),
      );
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      const { code, advice, message } = error;
      log.error({ event: "reload", code, advice }, `${message}: nothing was changed`);
      tell({ outcome: "failed", steps: [], problems: [`${code}: ${sentences(message, advice)}`], warnings });
      return;
    }
    log.info({ event: "reload", applied: changed, steps }, "reloaded");
  }

  /** What a reload would do now. */
  async plan(): Promise<ReloadAnswer> {
    const { config, certificates, problems, warnings: found = [] } = await this.options.read();
    const warnings = found.map(describeProblem);
    if (config === null)
      return { outcome: "refused", steps: [], problems: problems.map(describeProblem), warnings };
    const present = this.options.present();
    let steps: readonly string[];
    try {
      const hasNewKey = this.hasNewKey(config, changedValues(present.config, config));
      const isRenewed = !sameCertificates(present.certificates, certificates);
      steps = describeReload(present.config, config, hasNewKey, isRenewed);
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
      const problem = `${error.code}: ${sentences(error.message, error.advice)}`;
      return { outcome: "refused", steps: [], problems: [problem], warnings };
    }
    return { outcome: steps.length === 0 ? "unchanged" : "planned", steps, problems: [], warnings };
  }

  private hasNewKey(config: Config, changed: readonly string[]): boolean {
    return !changed.some((path) => path.startsWith("peerLink")) && this.options.hasNewSecret(config);
  }
}

/** Checks, too, trust those who sign servers' certificates. */
function hasTlsServers({ proxies }: Config): boolean {
  return proxies.some(({ servers }) => servers.some(({ tls }) => tls !== undefined));
}
