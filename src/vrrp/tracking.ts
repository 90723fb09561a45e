import type { SyncGroupConfig, TrackConfig, TrackedItem } from "../config/tracking-config.js";

/** What is known of a thing that is tracked. unknown: it has not answered yet. */
export type Found = "up" | "down" | "unknown";

/** Something about this node's own health, as a weight or as a reason to give up. */
export interface NodeFinding {
  readonly weight: number | "fault";
  /** One sentence without a full stop. */
  readonly reason: string;
}

/** Everything that decides an instance's priority, at one instant. What is missing is unknown. */
export interface TrackFacts {
  readonly interfaces: ReadonlyMap<string, Found>;
  readonly scripts: ReadonlyMap<string, Found>;
  readonly processes: ReadonlyMap<string, Found>;
  /** The numbers that the files hold. */
  readonly files: ReadonlyMap<string, number>;
  readonly node: readonly NodeFinding[];
}

export const nothingKnown: TrackFacts = {
  interfaces: new Map(),
  scripts: new Map(),
  processes: new Map(),
  files: new Map(),
  node: [],
};

export interface Verdict {
  /** 1–254, or 255 for an owner. */
  readonly priority: number;
  /** What makes it differ from the configured one. */
  readonly contributions: readonly Contribution[];
  /** Why a thing that is tracked without a weight keeps the instance in FAULT; null: none does. */
  readonly trackingFault: string | null;
  /** The same for this node's own health. */
  readonly fitnessFault: string | null;
}

export interface Contribution {
  readonly weight: number;
  readonly reason: string;
}

/** A file's number times its weight: this and below is a fault, as in keepalived. */
const fileFault = -254;
const mostOfFile = 253;

/**
 * The effective priority of an instance, and whether it must give up. keepalived's rules: a positive weight is added
 * while the thing is up, a negative one while it is down, weight 0 means that down is a fault; `reverse` turns it round;
 * an owner's priority never changes. What has not answered yet changes no priority, and with weight 0 it holds the
 * instance back.
 */
export function judgeTracking(basePriority: number, track: TrackConfig, facts: TrackFacts): Verdict {
  const contributions: Contribution[] = [];
  const faults: string[] = [];
  const add = (weight: number, reason: string): void => {
    if (weight !== 0) contributions.push({ weight, reason });
  };
  const kinds: [TrackConfig[Exclude<keyof TrackConfig, "files">], ReadonlyMap<string, Found>, string][] = [
    [track.interfaces, facts.interfaces, "interface"],
    [track.scripts, facts.scripts, "script"],
    [track.processes, facts.processes, "process"],
  ];
  for (const [items, known, kind] of kinds) {
    for (const item of items) {
      const found = known.get(item.name) ?? "unknown";
      if (item.weight === 0) {
        if (found === "unknown") faults.push(`${kind} ${item.name} has not answered yet`);
        else if ((found === "down") !== item.reverse) faults.push(`${kind} ${item.name} is ${found}`);
      } else {
        add(weightOf(item, found), `${kind} ${item.name} is ${found}`);
      }
    }
  }
  for (const item of track.files) judgeFile(item, facts.files.get(item.name) ?? 0, add, faults);
  for (const { weight, reason } of facts.node) if (weight !== "fault") add(weight, reason);
  const isOwner = basePriority === 255;
  const sum = contributions.reduce((total, { weight }) => total + weight, basePriority);
  const ownFaults = facts.node.flatMap(({ weight, reason }) => (weight === "fault" ? [reason] : []));
  return {
    priority: isOwner ? basePriority : Math.min(Math.max(sum, 1), 254),
    contributions: isOwner ? [] : contributions,
    trackingFault: faults.length === 0 ? null : faults.join("; "),
    fitnessFault: ownFaults.length === 0 ? null : ownFaults.join("; "),
  };
}

function weightOf({ weight, reverse }: TrackedItem, found: Found): number {
  const counts = weight > 0 ? found === "up" : found === "down";
  if (!counts) return 0;
  return reverse ? -weight : weight;
}

function judgeFile(
  { name, weight, reverse }: TrackedItem,
  value: number,
  add: (weight: number, reason: string) => void,
  faults: string[],
): void {
  const reason = `file ${name} holds ${value}`;
  if (weight === 0) {
    if ((value !== 0) !== reverse) faults.push(reason);
    return;
  }
  const product = value * weight * (reverse ? -1 : 1);
  if (product <= fileFault) faults.push(reason);
  else add(Math.min(product, mostOfFile), reason);
}

/** `script check is down −20, file offset holds 3 +3`; for the log. */
export function describeContributions(contributions: readonly Contribution[]): string {
  if (contributions.length === 0) return "nothing that is tracked changes it";
  return contributions
    .map(({ weight, reason }) => `${reason} ${weight < 0 ? "−" : "+"}${Math.abs(weight)}`)
    .join(", ");
}

/**
 * What an instance tracks: its own, and in a sync group also what the group and its other members do, for a priority
 * that only one member lowers would hold the whole group back on both nodes.
 */
export function trackOf(
  instance: { readonly name: string; readonly track: TrackConfig },
  instances: readonly { readonly name: string; readonly track: TrackConfig }[],
  groups: readonly SyncGroupConfig[],
): TrackConfig {
  const group = groups.find(({ members }) => members.includes(instance.name));
  if (group === undefined) return instance.track;
  const others = instances.filter(({ name }) => name !== instance.name && group.members.includes(name));
  const tracks = [instance.track, group.track, ...others.map(({ track }) => track)];
  return {
    interfaces: union(tracks.map(({ interfaces }) => interfaces)),
    scripts: union(tracks.map(({ scripts }) => scripts)),
    files: union(tracks.map(({ files }) => files)),
    processes: union(tracks.map(({ processes }) => processes)),
  };
}

/** One item a name: the first that says how it counts. */
function union(lists: readonly (readonly TrackedItem[])[]): TrackedItem[] {
  const items = new Map<string, TrackedItem>();
  for (const item of lists.flat()) if (!items.has(item.name)) items.set(item.name, item);
  return [...items.values()];
}
