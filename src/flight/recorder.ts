import { isRecord, parseJsonObject } from "../json.js";
import { BoundedLines, type LineRecord } from "./bounded-lines.js";
import { type Kind, keptMs, kindOf, kinds } from "./kinds.js";
import { type LogLine, timeOf } from "./log-line.js";
import { Ring } from "./ring.js";

/**
 * The flight recorder, the one memory of what happened on this node: adverts and failed requests of the last quarter of an
 * hour, and of the daemon's log every change of state as long as there is room. `lb explain`, `lb watch` and the dashboard's
 * time line all read it. Bounded in number and in bytes, each kind by itself (`kinds`). Pure: time comes in. It lives in
 * the main thread, so what it keeps outlives every other thread.
 */
export interface AdvertRecord {
  /** Wall clock, ms since 1970. */
  readonly epochMs: number;
  readonly direction: "sent" | "received";
  readonly interface: string;
  /** A whole IP datagram. */
  readonly bytes: Uint8Array;
}

/** What a recorder hands out; the same as JSON, with the bytes in base64. */
export interface Flight {
  readonly node: string;
  readonly nowEpochMs: number;
  readonly adverts: readonly AdvertRecord[];
  /** In the order in which they came. */
  readonly lines: readonly LogLine[];
}

const mostAdverts = 4096;
/** Of a longer line, a bug's stack or a reload of everything, only the message is kept: the rest is in the log. */
const longestLine = 16_384;
const longestMessage = 1000;
/** An advert of 255 addresses. */
const longestAdvert = 1500;

export class FlightRecorder {
  private readonly adverts = new Ring<AdvertRecord>(mostAdverts);
  private readonly lines = new Map<Kind, BoundedLines>();
  private recorded = 0;

  /** `bytes` is copied. */
  advert(direction: "sent" | "received", on: string, bytes: Uint8Array, epochMs: number): void {
    // Not slice(): that of a Buffer is no copy.
    const copy = new Uint8Array(bytes.subarray(0, longestAdvert));
    this.adverts.push({ epochMs, direction, interface: on, bytes: copy });
  }

  /** One line of the daemon's log, JSON with a newline behind it. */
  line(text: string, epochMs: number): void {
    if (!text.startsWith('{"level":') || text.indexOf("\n") !== text.length - 1) return;
    const kept = text.length > longestLine ? shorten(text) : text;
    if (kept !== null) this.linesOf(kindOf(kept)).push({ number: this.recorded++, epochMs, text: kept });
  }

  /** Goes on from what another process has recorded before; a line that has no time counts as of when it was handed out. */
  restore({ adverts, lines, nowEpochMs }: Flight): void {
    for (const { direction, interface: on, bytes, epochMs } of adverts)
      this.advert(direction, on, bytes, epochMs);
    for (const line of lines) this.line(`${JSON.stringify(line)}\n`, timeOf(line) ?? nowEpochMs);
  }

  /** As JSON; the text is put together without reading the lines, which would take long in the thread of the adverts. */
  toJson(node: string, nowEpochMs: number): string {
    const adverts = this.adverts
      .items()
      .filter(({ epochMs }) => epochMs >= nowEpochMs - keptMs)
      .map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString("base64") }));
    return write(
      node,
      nowEpochMs,
      adverts,
      this.select(nowEpochMs, ({ mostLines }) => mostLines),
    );
  }

  /** The changes alone, so many of each kind as a time line has. */
  changesToJson(node: string, nowEpochMs: number): string {
    return write(
      node,
      nowEpochMs,
      [],
      this.select(nowEpochMs, ({ mostChanges }) => mostChanges),
    );
  }

  private select(nowEpochMs: number, most: (kind: (typeof kinds)[Kind]) => number): LineRecord[] {
    return [...this.lines]
      .flatMap(([kind, lines]) => {
        const bounds = kinds[kind];
        const since = bounds.keptMs === null ? Number.NEGATIVE_INFINITY : nowEpochMs - bounds.keptMs;
        const count = most(bounds);
        return count === 0 ? [] : lines.since(since).slice(-count);
      })
      .sort((a, b) => a.number - b.number);
  }

  private linesOf(kind: Kind): BoundedLines {
    const there = this.lines.get(kind);
    if (there !== undefined) return there;
    const lines = new BoundedLines(kinds[kind].mostLines, kinds[kind].mostBytes);
    this.lines.set(kind, lines);
    return lines;
  }
}

function write(
  node: string,
  nowEpochMs: number,
  adverts: readonly object[],
  lines: readonly LineRecord[],
): string {
  const texts = lines.map(({ text }) => text.trimEnd()).join(",");
  return `{"node":${JSON.stringify(node)},"nowEpochMs":${nowEpochMs},"adverts":${JSON.stringify(adverts)},"lines":[${texts}]}`;
}

/** null: it is no JSON. */
function shorten(text: string): string | null {
  const line = parseJsonObject(text);
  if (line === null) return null;
  const { level, time, thread, event, msg } = line;
  const message = typeof msg === "string" ? msg.slice(0, longestMessage) : "";
  return `${JSON.stringify({ level, time, thread, event, msg: message })}\n`;
}

/** Reads what `toJson` wrote; null: it is something else. */
export function parseFlight(text: string): Flight | null {
  const value = parseJsonObject(text);
  if (value === null || typeof value.node !== "string" || typeof value.nowEpochMs !== "number") return null;
  const { node, nowEpochMs, adverts, lines } = value;
  if (!Array.isArray(adverts) || !Array.isArray(lines)) return null;
  return {
    node,
    nowEpochMs,
    adverts: adverts.flatMap((advert: unknown): AdvertRecord[] => {
      if (!isRecord(advert)) return [];
      const { epochMs, direction, bytes } = advert;
      const on = advert.interface;
      if (typeof epochMs !== "number" || typeof bytes !== "string" || typeof on !== "string") return [];
      if (direction !== "sent" && direction !== "received") return [];
      return [{ epochMs, direction, interface: on, bytes: Buffer.from(bytes, "base64") }];
    }),
    lines: lines.filter(isRecord),
  };
}
