/** One thing that goes wrong in a simulated world, or that an operator does, as a value. */
export interface Disturbance {
  readonly atMs: number;
  /** How long it lasts; 0: it is over at once. */
  readonly forMs: number;
  readonly what: Trouble;
}

/** Machines are named by their index. */
export type Trouble =
  /** kill -9; started again afterwards. */
  | { readonly kind: "crash"; readonly machine: number }
  | { readonly kind: "power"; readonly machine: number }
  /** SIGSTOP and SIGCONT, a blocked main thread. `wake`: what the event loop serves first. */
  | { readonly kind: "freeze"; readonly machine: number; readonly wake: Wake }
  /** The virtual machine is paused, its clock with it or not. */
  | { readonly kind: "pause"; readonly machine: number; readonly clockStops: boolean; readonly wake: Wake }
  /** SIGTERM; started again afterwards. */
  | { readonly kind: "stop"; readonly machine: number }
  /** SIGTERM twice. */
  | { readonly kind: "quit"; readonly machine: number }
  /** SIGTERM, and started again with another configuration. */
  | { readonly kind: "reconfigure"; readonly machine: number; readonly change: ConfigChange }
  /** `lb drain`, and at its end `lb drain --undo`. */
  | { readonly kind: "drain"; readonly machine: number }
  /** `lb upgrade`: nobody speaks meanwhile, and another process goes on, or the same one after all. */
  | { readonly kind: "upgrade"; readonly machine: number; readonly succeeds: boolean }
  | { readonly kind: "cable"; readonly machine: number }
  | { readonly kind: "unfit"; readonly machine: number }
  /** Something that is tracked with a weight. */
  | { readonly kind: "weight"; readonly machine: number; readonly weight: number }
  /** The kernel refuses to add addresses. */
  | { readonly kind: "refuse"; readonly machine: number }
  /** Somebody removes the virtual addresses, once. */
  | { readonly kind: "take"; readonly machine: number }
  | { readonly kind: "drift"; readonly machine: number; readonly rate: number }
  /** Nothing gets from one machine to the other; the way back is open. */
  | { readonly kind: "cut"; readonly from: number; readonly to: number }
  /** Who is in a group hears nobody who is not, and the other way round. */
  | { readonly kind: "split"; readonly group: readonly number[] }
  | { readonly kind: "loss"; readonly share: number }
  | { readonly kind: "delay"; readonly moreMs: number }
  /** Some packets take a detour and come late, in another order. */
  | { readonly kind: "detours"; readonly share: number; readonly upToMs: number }
  | { readonly kind: "duplicates"; readonly share: number };

/** What a process that stands still for another one grants it to end, before it goes on itself. */
export const comeBackMs = 2000;

export type Wake = "socket" | "address event" | "timer";

/** What a restart changes. Only what is there changes. */
export interface ConfigChange {
  readonly priority?: number;
  readonly preempt?: boolean;
  readonly advertIntervalCs?: number;
  readonly leaseMs?: number;
  readonly password?: string;
}

/** How it reads in a timeline. */
export function describeDisturbance({ forMs, what }: Disturbance): string {
  return forMs === 0 ? describeTrouble(what) : `${describeTrouble(what)}, for ${(forMs / 1000).toFixed(3)} s`;
}

export function describeTrouble(what: Trouble): string {
  switch (what.kind) {
    case "crash":
      return `${name(what.machine)}: kill -9`;
    case "power":
      return `${name(what.machine)}: power off`;
    case "freeze":
      return `${name(what.machine)}: SIGSTOP (wakes by its ${what.wake})`;
    case "pause":
      return `${name(what.machine)}: virtual machine paused, its clock ${what.clockStops ? "too" : "runs on"} (wakes by its ${what.wake})`;
    case "stop":
      return `${name(what.machine)}: SIGTERM`;
    case "quit":
      return `${name(what.machine)}: SIGTERM twice`;
    case "reconfigure":
      return `${name(what.machine)}: SIGTERM, then ${JSON.stringify(what.change)}`;
    case "drain":
      return `${name(what.machine)}: drained`;
    case "upgrade":
      return `${name(what.machine)}: an upgrade that ${what.succeeds ? "succeeds" : "fails"}`;
    case "cable":
      return `${name(what.machine)}: link down`;
    case "unfit":
      return `${name(what.machine)}: cannot serve`;
    case "weight":
      return `${name(what.machine)}: tracking adds ${what.weight}`;
    case "refuse":
      return `${name(what.machine)}: the kernel refuses addresses`;
    case "take":
      return `${name(what.machine)}: somebody removes the addresses`;
    case "drift":
      return `${name(what.machine)}: the clock runs at ${what.rate.toFixed(4)}`;
    case "cut":
      return `${name(what.from)} is not heard by ${name(what.to)}`;
    case "split":
      return `partition: ${what.group.map(name).join("")} alone`;
    case "loss":
      return `loss of ${Math.round(what.share * 100)} %`;
    case "delay":
      return `${Math.round(what.moreMs)} ms more delay`;
    case "detours":
      return `${Math.round(what.share * 100)} % of the packets up to ${Math.round(what.upToMs)} ms late`;
    case "duplicates":
      return `${Math.round(what.share * 100)} % of the packets twice`;
  }
}

function name(machine: number): string {
  return String.fromCharCode(97 + machine);
}
