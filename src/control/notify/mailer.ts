import { setTimeout as delay } from "node:timers/promises";
import { createTransport } from "nodemailer";
import type { MailConfig } from "../../config/tracking-config.js";
import type { NoticeJob } from "../../process/notices.js";
import type { ControlLog } from "../control.js";

export type MailJob = Extract<NoticeJob, { lane: "mail" }>;

/** Waits before the second and the third try: a mail server that restarts is back by then. */
export const retryDelaysMs = [2000, 10_000] as const;

/** Sends mails through the server of `smtp_server`, one at a time. */
export class Mailer {
  /** No more retries: the process is about to end. */
  isHurried = false;
  private readonly transport: ReturnType<typeof createTransport>;

  constructor(
    private readonly config: MailConfig,
    private readonly log: ControlLog,
    private readonly delaysMs: readonly number[] = retryDelaysMs,
  ) {
    const { host, port, tls, credentials, heloName, connectTimeoutMs } = config;
    // Without a word on who the server must be, encryption against listeners is all there is to get.
    const insists = tls === "starttls" || tls === "implicit";
    this.transport = createTransport({
      host,
      port,
      secure: tls === "implicit",
      requireTLS: tls === "starttls",
      ignoreTLS: tls === "off",
      tls: { rejectUnauthorized: insists },
      connectionTimeout: connectTimeoutMs,
      greetingTimeout: connectTimeoutMs,
      socketTimeout: connectTimeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(heloName !== null && { name: heloName }),
      ...(credentials !== null && { auth: { user: credentials.user, pass: credentials.password } }),
    });
  }

  /** Never rejects: a mail that cannot be sent is logged. */
  async send({ subject, text, epochMs }: MailJob): Promise<void> {
    const { from, to, host, port } = this.config;
    for (let tries = 0; ; tries++) {
      try {
        const date = new Date(epochMs);
        await this.transport.sendMail({ from, to: [...to], subject, text, date, xMailer: "Tandem" });
        this.log.info({ subject, to }, "mail sent");
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (tries >= this.delaysMs.length || this.isHurried) {
          const advice = "check smtp_server and what its log says";
          this.log.error({ code: "LB_MAIL", reason, subject, advice }, `${host} ${port} takes no mail`);
          return;
        }
      }
      await delay(this.delaysMs[tries]);
    }
  }
}
