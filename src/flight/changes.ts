import { describeLine } from "./describe-line.js";
import { kindOfEvent, kinds } from "./kinds.js";
import { type LogLine, timeOf } from "./log-line.js";
import type { Flight } from "./recorder.js";

/** A change of state, for a list: the dashboard's time line and `lb watch`. */
export interface Change {
  /** Wall clock, ms since 1970. */
  readonly epochMs: number;
  readonly tone: "ok" | "warn" | "bad" | "dim";
  /** One sentence without a full stop. */
  readonly text: string;
}

/** A reload of everything has a long list of steps. */
const longestText = 300;

/** The changes of a recording in order, the oldest first: so many of each kind as `kinds` has for a time line. Pure. */
export function changesOf({ lines }: Pick<Flight, "lines">): Change[] {
  const left = new Map<string, number>(
    Object.entries(kinds).map(([kind, { mostChanges }]) => [kind, mostChanges]),
  );
  const changes: Change[] = [];
  for (const line of lines.toReversed()) {
    const kind = kindOfEvent(line.event);
    const room = left.get(kind) ?? 0;
    const text = room === 0 ? "" : describeLine(line);
    if (text === "") continue;
    left.set(kind, room - 1);
    changes.push({ epochMs: timeOf(line) ?? 0, tone: toneOf(line), text: shorten(text) });
  }
  return changes.toReversed();
}

function toneOf({ event, level, to, status }: LogLine): Change["tone"] {
  if (event === "vrrp" && to !== undefined) return to === "MASTER" ? "ok" : to === "FAULT" ? "bad" : "dim";
  if (event === "server" && typeof status === "string") {
    if (status.startsWith("DOWN")) return "bad";
    return status.startsWith("UP") || status === "no check" ? "ok" : "warn";
  }
  if (level === "error" || level === "fatal") return "bad";
  if (level === "warn") return "warn";
  return event === "backend" || event === "split-brain" || event === "fitness" ? "ok" : "dim";
}

function shorten(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`;
}
