import { type AdvertSummary, summarizeAdvert } from "./advert-summary.js";
import { describeLine } from "./describe-line.js";
import { keptMs } from "./kinds.js";
import { type LogLine, timeOf } from "./log-line.js";
import type { AdvertRecord, Flight } from "./recorder.js";

/** What is told of before a change of masters, and after it. */
const beforeMs = 10_000;
const afterMs = 10_000;
/** Changes closer than this belong to one story. */
const sameStoryMs = 10_000;
/** A pause between adverts that is worth a word: this many times the usual one. */
const silenceFactor = 1.8;

interface Happening {
  readonly epochMs: number;
  readonly text: string;
}

/**
 * The recording as a story, in order: with `sinceEpochMs` all since then, otherwise what happened around the last change
 * of masters. Pure; each line is a sentence with its time.
 */
export function tellStory(flight: Flight, sinceEpochMs: number | null): string {
  const { node, nowEpochMs } = flight;
  const changes = flight.lines.filter(isChangeOfMasters).map(epochOf);
  const recorded = describeSpan(nowEpochMs - firstOf(flight));
  if (sinceEpochMs !== null) {
    const span = describeSpan(nowEpochMs - sinceEpochMs);
    return `${node}, the last ${span}:\n${render(tell(flight, sinceEpochMs, nowEpochMs))}`;
  }
  const last = changes.at(-1);
  if (last === undefined) {
    return `${node}: no change of masters in the ${recorded} that are recorded. lb explain --since 5m tells what else happened.\n`;
  }
  let first = last;
  for (const change of changes.toReversed()) if (first - change <= sameStoryMs) first = change;
  const head = `${node}: the last change of masters, ${describeSpan(nowEpochMs - last)} ago, at ${new Date(last).toISOString()}`;
  const gone =
    last < nowEpochMs - keptMs ? "  (its adverts and failed requests are no longer recorded)\n" : "";
  return `${head}\n${render(tell(flight, first - beforeMs, last + afterMs))}${gone}`;
}

function tell(flight: Flight, fromMs: number, toMs: number): Happening[] {
  const isInside = ({ epochMs }: { readonly epochMs: number }): boolean =>
    epochMs >= fromMs && epochMs <= toMs;
  const logged = flight.lines
    .map((line): Happening => ({ epochMs: epochOf(line), text: tellLine(line) }))
    .filter(({ text }) => text !== "");
  const adverts = tellAdverts(flight.adverts.filter(isInside));
  return [...logged.filter(isInside), ...adverts].sort((a, b) => a.epochMs - b.epochMs);
}

/** One run of adverts that are alike. */
interface Run {
  readonly direction: AdvertRecord["direction"];
  readonly on: string;
  readonly summary: AdvertSummary;
  readonly firstMs: number;
  readonly usualMs: number;
  lastMs: number;
  count: number;
}

/** Runs of like adverts are told at their beginning and, if somebody fell silent, at their end. */
function tellAdverts(adverts: readonly AdvertRecord[]): Happening[] {
  const happenings: Happening[] = [];
  const runs = new Map<string, Run>();
  const summarized = adverts.flatMap(({ bytes, ...advert }) => {
    const summary = summarizeAdvert(bytes);
    return summary === null ? [] : [{ ...advert, summary, key: keyOf(advert, summary) }];
  });
  const usual = usualPauses(summarized);
  for (const { epochMs, direction, interface: on, summary, key } of summarized) {
    const run = runs.get(key);
    const usualMs = usual.get(key) ?? 0;
    const gapMs = run === undefined ? 0 : epochMs - run.lastMs;
    if (run === undefined || run.summary.priority !== summary.priority) {
      happenings.push({ epochMs, text: describeAdvert(direction, on, summary, run?.summary.priority) });
      runs.set(key, { direction, on, summary, firstMs: epochMs, lastMs: epochMs, count: 1, usualMs });
      continue;
    }
    if (gapMs > usualMs * silenceFactor && direction === "received") {
      happenings.push({
        epochMs,
        text: `${summary.source} is heard again after ${gapMs.toFixed(0)} ms, priority ${summary.priority}`,
      });
    }
    run.lastMs = epochMs;
    run.count++;
  }
  const endMs = Math.max(0, ...adverts.map(({ epochMs }) => epochMs));
  for (const run of runs.values()) {
    if (run.count < 2 || endMs - run.lastMs < Math.max(run.usualMs, 1) * silenceFactor) continue;
    const { source, priority, virtualRouterId } = run.summary;
    const who = run.direction === "received" ? `from ${source}` : "of this node";
    happenings.push({
      epochMs: run.lastMs,
      text: `the last advert ${who} (router ${virtualRouterId}, priority ${priority}), after ${run.count} of them, one every ${Math.round(run.usualMs)} ms`,
    });
  }
  return happenings;
}

function keyOf(
  { direction, interface: on }: Omit<AdvertRecord, "bytes">,
  { source, virtualRouterId, version, destination }: AdvertSummary,
): string {
  return `${direction} ${on} ${source} ${virtualRouterId} ${version} ${destination}`;
}

/** The middle one of each sender's pauses: a loss makes one longer, and an advert out of turn two of them shorter. */
function usualPauses(
  adverts: readonly { readonly key: string; readonly epochMs: number }[],
): Map<string, number> {
  const times = new Map<string, number[]>();
  for (const { key, epochMs } of adverts) {
    const earlier = times.get(key);
    if (earlier === undefined) times.set(key, [epochMs]);
    else earlier.push(epochMs);
  }
  const middle = (values: readonly number[]): number => {
    const pauses = values.slice(1).map((time, i) => time - values[i]);
    return pauses.sort((a, b) => a - b)[(pauses.length - 1) >> 1] ?? 0;
  };
  return new Map([...times].map(([key, values]) => [key, Math.max(1, middle(values))]));
}

function describeAdvert(
  direction: AdvertRecord["direction"],
  on: string,
  { source, virtualRouterId, version, priority }: AdvertSummary,
  before: number | undefined,
): string {
  const change = before === undefined ? "" : ` (before: ${before})`;
  if (direction === "sent") {
    return priority === 0
      ? `this node advertises priority 0 on ${on}: it gives router ${virtualRouterId} up`
      : `this node advertises router ${virtualRouterId} on ${on} with priority ${priority}${change}`;
  }
  return priority === 0
    ? `${source} advertises priority 0: it gives router ${virtualRouterId} up`
    : `${source} advertises router ${virtualRouterId} on ${on} with priority ${priority}${change}, VRRPv${version}`;
}

function isChangeOfMasters(line: LogLine): boolean {
  return line.event === "vrrp" && (line.from === "MASTER" || line.to === "MASTER");
}

function render(happenings: readonly Happening[]): string {
  if (happenings.length === 0) return "  nothing is recorded\n";
  return happenings
    .map(({ epochMs, text }) => `  ${new Date(epochMs).toISOString().slice(11, 23)}  ${text}\n`)
    .join("");
}

/** When a line is of; one without a time is of no time that a story can be about. */
function epochOf(line: LogLine): number {
  return timeOf(line) ?? 0;
}

/** `ERROR: ` before what is one; "" when there is nothing in it for a reader. */
function tellLine(line: LogLine): string {
  const text = describeLine(line);
  const isAlarm = line.level === "error" || line.level === "fatal";
  return text !== "" && isAlarm ? `ERROR: ${text}` : text;
}

/** Since when a change of masters would be in it: transitions are kept longer than all else, from the first one on. */
function firstOf({ lines, adverts, nowEpochMs }: Flight): number {
  const first = lines.find(({ event }) => event === "vrrp") ?? lines[0];
  return Math.min(
    nowEpochMs,
    first === undefined ? nowEpochMs : epochOf(first),
    adverts[0]?.epochMs ?? nowEpochMs,
  );
}

function describeSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
