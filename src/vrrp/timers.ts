/** The named deadlines of one instance, as a value. The shell owns the only real timer. */

export type TimerName =
  /** Init: leave it. */
  | "startup"
  /** Master: the next advert. */
  | "advert"
  /** Backup: take over if nobody was heard. */
  | "masterDown"
  /** Master: refresh the lifetime of the addresses. */
  | "lease"
  /** Master: put back what somebody removed, when that happens too often to do it at once. */
  | "putBack"
  /** Master: the second burst of gratuitous ARP. */
  | "announceAgain"
  /** Master: the slow refresh of gratuitous ARP, for ever. */
  | "announceSlowly"
  /** Master handing over: release the addresses, whoever took over. */
  | "release"
  /** Fault: try again what the kernel refused. */
  | "retry";

/** Milliseconds of the monotonic clock; a timer that is not there is not armed. */
export type Timers = Readonly<Partial<Record<TimerName, number>>>;

/** The earliest deadline, or null when nothing is armed. */
export function earliestDeadline(timers: Timers): number | null {
  let earliest: number | null = null;
  for (const name in timers) {
    const deadline = timers[name as TimerName];
    if (deadline !== undefined && (earliest === null || deadline < earliest)) {
      earliest = deadline;
    }
  }
  return earliest;
}

/**
 * The next deadline of a periodic timer: a whole number of periods after the one that was due, so that lateness
 * never adds up, and after `nowMs`, so that missed ones are not caught up in a burst.
 */
export function nextPeriod(dueMs: number, periodMs: number, nowMs: number): number {
  const missed = Math.max(0, Math.floor((nowMs - dueMs) / periodMs));
  return dueMs + (missed + 1) * periodMs;
}
