/** What is measured: events in this order, each at every setting, by every program. */

export interface Setting {
  readonly name: string;
  readonly title: string;
  readonly version: 2 | 3;
  readonly advertIntervalMs: number;
}

export const settings = [
  { name: "v2-1s", title: "v2, 1 s", version: 2, advertIntervalMs: 1000 },
  { name: "v3-0.1s", title: "v3, 0.1 s", version: 3, advertIntervalMs: 100 },
  { name: "v3-0.01s", title: "v3, 0.01 s", version: 3, advertIntervalMs: 10 },
] as const satisfies readonly Setting[];

export interface FailoverEvent {
  readonly name: EventName;
  readonly title: string;
  /** Who holds the address when it is over. */
  readonly master: "lb-box1" | "lb-box2";
  /** The least time to watch the addresses for: some mistakes end only when somebody ends them. */
  readonly watchMs: number;
}

/** A frozen node's lease of 3 s has ended by then. */
const leaseIsOverMs = 5000;

export const events = [
  { name: "none", title: "nothing happens, 3 s", master: "lb-box1", watchMs: 3000 },
  { name: "sigterm", title: "master stopped (SIGTERM)", master: "lb-box2", watchMs: 1000 },
  { name: "preempt", title: "it comes back and preempts", master: "lb-box1", watchMs: 1000 },
  { name: "kill", title: "master killed (kill -9)", master: "lb-box2", watchMs: leaseIsOverMs },
  { name: "stop", title: "master frozen (SIGSTOP)", master: "lb-box2", watchMs: leaseIsOverMs },
  { name: "link", title: "master's link down", master: "lb-box2", watchMs: 1000 },
  { name: "check", title: "master's check fails", master: "lb-box2", watchMs: 1000 },
] as const satisfies readonly (Omit<FailoverEvent, "name"> & { name: string })[];

export type EventName = (typeof events)[number]["name"];

export const programs = [
  { name: "tandem", title: "Tandem" },
  { name: "keepalived", title: "keepalived" },
] as const;

export type ProgramName = (typeof programs)[number]["name"];
