import type { AlertConfig } from "../../config/tracking-config.js";
import type { NoticeJob, NumberedJob } from "../../process/notices.js";
import type { ControlLog } from "../control.js";
import { type RunningCommand, runCommand } from "../track/run-command.js";
import { Fifo } from "./fifo.js";
import { Lane } from "./lane.js";
import { Mailer } from "./mailer.js";

type JobOf<Name extends NoticeJob["lane"]> = {
  readonly id: number;
  readonly job: Extract<NoticeJob, { lane: Name }>;
};

/**
 * Tells of transitions: scripts, FIFO and mail, each lane in the order in which things happened. A script that hangs
 * holds up the scripts behind it until its time-out, and neither the FIFO nor the mails.
 */
export class Notifier {
  private readonly scripts = new Lane<JobOf<"script">>((job) => this.runScript(job));
  private readonly lines = new Lane<JobOf<"fifo">>((job) => this.writeLine(job));
  private readonly mails = new Lane<JobOf<"mail">>((job) => this.sendMail(job));
  private readonly fifo: Fifo | null;
  private readonly mailer: Mailer | null;
  private lastId = 0;
  private running: RunningCommand | null = null;
  private isFinishing = false;

  /** `begun`: the job must not be done again by another control thread. */
  constructor(
    private readonly config: AlertConfig,
    private readonly log: ControlLog,
    private readonly begun: (id: number) => void,
  ) {
    this.fifo = config.fifo === null ? null : new Fifo(config.fifo, log);
    this.mailer = config.mail === null ? null : new Mailer(config.mail, log);
  }

  start(): void {
    this.fifo?.open();
  }

  take(jobs: readonly NumberedJob[]): void {
    for (const { id, job } of jobs) {
      // It was sent when this thread began, and again when it was ready.
      if (id <= this.lastId) continue;
      this.lastId = id;
      if (job.lane === "script") this.scripts.add({ id, job });
      else if (job.lane === "fifo") this.lines.add({ id, job });
      else this.mails.add({ id, job });
    }
  }

  /** Does what is left within `limitMs`, and closes. With 0 what was not begun is left to the next control thread. */
  async finish(limitMs: number): Promise<void> {
    if (limitMs > 0) {
      if (this.mailer !== null) this.mailer.isHurried = true;
      const all = Promise.all([this.scripts.idle(), this.lines.idle(), this.mails.idle()]);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      await Promise.race([all, late]);
      clearTimeout(timer);
      const left = this.scripts.length + this.lines.length + this.mails.length;
      if (left > 0) this.log.warn({ left }, "stopped before everybody was told");
    }
    this.isFinishing = true;
    this.running?.leave();
    this.fifo?.close();
  }

  private async runScript({ id, job }: JobOf<"script">): Promise<void> {
    if (this.isFinishing) return;
    const { words, user } = job;
    const running = runCommand(words, user, this.config.scriptTimeoutMs);
    this.running = running;
    this.begun(id);
    const { ok, reason } = await running.ended;
    this.log[ok ? "info" : "warn"]({ event: "notify", script: words, reason }, "notify script");
  }

  private async writeLine({ id, job }: JobOf<"fifo">): Promise<void> {
    if (this.isFinishing) return;
    this.begun(id);
    await this.fifo?.write(job.line);
  }

  private async sendMail({ id, job }: JobOf<"mail">): Promise<void> {
    if (this.isFinishing) return;
    await this.mailer?.send(job);
    this.begun(id);
  }
}
