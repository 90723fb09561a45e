import type { Config } from "../config/config.js";
import type { NotifyConfig, NotifyScript, UserConfig } from "../config/tracking-config.js";
import type { VrrpEvent } from "../vrrp/event.js";

/** One thing to do to tell somebody of a transition. What shares a lane is done one after the other, in this order. */
export type NoticeJob =
  | { readonly lane: "script"; readonly words: readonly string[]; readonly user: UserConfig | null }
  | { readonly lane: "fifo"; readonly line: string }
  | { readonly lane: "mail"; readonly subject: string; readonly text: string; readonly epochMs: number };

/** A job under the number by which it is acknowledged; numbers only grow. */
export interface NumberedJob {
  readonly id: number;
  readonly job: NoticeJob;
}

/** The states as keepalived names them to scripts. */
const stateWord = { INIT: "STOP", BACKUP: "BACKUP", MASTER: "MASTER", FAULT: "FAULT" } as const;

type StateName = keyof typeof stateWord;

/**
 * Whom an event must be told to, by keepalived's rules: the script of the state without arguments of ours, then
 * `notify` with four, `INSTANCE|GROUP name STATE priority` (0 for a group), and the same four as a line of the FIFO.
 * Pure.
 */
export function planNotices(event: VrrpEvent, config: Config, epochMs: number): NoticeJob[] {
  if (event.kind === "priority") return planPriority(event, config);
  const [kind, name] =
    event.kind === "group" ? (["GROUP", event.group] as const) : (["INSTANCE", event.instance] as const);
  const holders = event.kind === "group" ? config.syncGroups : config.vrrp;
  const notify = holders.find((holder) => holder.name === name)?.notify;
  if (notify === undefined) return [];
  const priority = event.kind === "group" ? 0 : event.priority;
  const state = stateWord[event.to];
  const own = scriptOf(notify, event.to);
  return [
    ...(own === null ? [] : [script(own, [])]),
    ...(notify.any === null ? [] : [script(notify.any, [kind, name, state, String(priority)])]),
    ...fifo(config, kind, name, state, priority),
    ...(notify.smtpAlert ? mail(config, event, epochMs) : []),
  ];
}

function planPriority(event: Extract<VrrpEvent, { kind: "priority" }>, config: Config): NoticeJob[] {
  const notify = config.vrrp.find(({ name }) => name === event.instance)?.notify;
  if (notify?.priorityChanges !== true) return [];
  const word = event.state === "MASTER" ? "MASTER_PRIORITY" : "BACKUP_PRIORITY";
  return fifo(config, "INSTANCE", event.instance, word, event.priority);
}

function scriptOf(notify: NotifyConfig, to: StateName): NotifyScript | null {
  switch (to) {
    case "INIT":
      return notify.stop;
    case "BACKUP":
      return notify.backup;
    case "MASTER":
      return notify.master;
    case "FAULT":
      return notify.fault;
  }
}

function script({ script, user }: NotifyScript, more: readonly string[]): NoticeJob {
  return { lane: "script", words: [...script, ...more], user };
}

function fifo(config: Config, kind: string, name: string, state: string, priority: number): NoticeJob[] {
  if (config.alerts.fifo === null) return [];
  return [{ lane: "fifo", line: `${kind} "${name}" ${state} ${priority}\n` }];
}

/** keepalived's subject and first line; then, in ours, why. */
function mail(
  { alerts, node }: Config,
  event: Exclude<VrrpEvent, { kind: "priority" }>,
  epochMs: number,
): NoticeJob[] {
  if (alerts.mail === null) return [];
  const [kind, name] = event.kind === "group" ? ["Group", event.group] : ["Instance", event.instance];
  const state = stateWord[event.to];
  const what = event.to === "INIT" ? "Stopping" : `Entering ${state} state`;
  const subject = `[${alerts.mail.routerId}] VRRP ${kind} ${name} - ${what}`;
  const why = `${name} on ${node} is ${state}: ${event.reason}.`;
  return [{ lane: "mail", subject, text: `=> ${sentence(event)} <=\n\n${why}\n`, epochMs }];
}

function sentence(event: Exclude<VrrpEvent, { kind: "priority" }>): string {
  if (event.kind === "group") {
    return event.to === "INIT"
      ? "All VRRP group instances are now stopping"
      : `All VRRP group instances are now in ${stateWord[event.to]} state`;
  }
  if (event.to === "INIT") return "VRRP Instance stopping";
  const owns = event.to === "MASTER" ? "now" : "no longer";
  return `VRRP Instance is ${owns} owning VRRP VIPs`;
}

/** More jobs than these wait only when nothing is done any more; then the oldest are given up. */
const longestOutbox = 1000;

/** The jobs that the control thread has not begun yet. It may die; the next one gets what is left, in order. */
export class Outbox {
  private readonly waiting = new Map<number, NoticeJob>();
  private lastId = 0;
  /** Jobs that were given up since the start. */
  dropped = 0;

  add(jobs: readonly NoticeJob[]): NumberedJob[] {
    const numbered = jobs.map((job) => {
      this.lastId++;
      this.waiting.set(this.lastId, job);
      return { id: this.lastId, job };
    });
    for (const id of this.waiting.keys()) {
      if (this.waiting.size <= longestOutbox) break;
      this.waiting.delete(id);
      this.dropped++;
    }
    return numbered;
  }

  /** The job was begun (a script, a line) or is over (a mail): it is not to be done again. */
  acknowledge(id: number): void {
    this.waiting.delete(id);
  }

  /** What was not acknowledged, oldest first. */
  pending(): NumberedJob[] {
    return [...this.waiting].map(([id, job]) => ({ id, job }));
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }
}
