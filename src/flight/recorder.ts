/**
 * The flight recorder: the last quarter of an hour of adverts and of the daemon's log, bounded in number and in bytes
 * whatever happens. Pure: time comes in. It lives in the main thread, so what it keeps outlives every other thread.
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
  /** Lines of the log, as objects. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

export const keptMs = 15 * 60_000;
const mostAdverts = 4096;
const mostLines = 4096;
const mostLineBytes = 2 << 20;
/** Of a line of a JSON access log that goes to stdout: failed requests have a line of their own. */
const accessLogEnd = '"msg":"request"}\n';
/** A longer line is a bug's stack: its beginning is in the log. */
const longestLine = 16_384;
/** An advert of 255 addresses. */
const longestAdvert = 1500;

interface LineRecord {
  readonly epochMs: number;
  readonly text: string;
}

export class FlightRecorder {
  private readonly adverts = new Ring<AdvertRecord>(mostAdverts);
  private readonly lines = new Ring<LineRecord>(mostLines);
  private lineBytes = 0;

  /** `bytes` is copied. */
  advert(direction: "sent" | "received", on: string, bytes: Uint8Array, epochMs: number): void {
    // Not slice(): that of a Buffer is no copy.
    const copy = new Uint8Array(bytes.subarray(0, longestAdvert));
    this.adverts.push({ epochMs, direction, interface: on, bytes: copy });
  }

  /** One line of the daemon's log, JSON with a newline behind it; access logs are not kept. */
  line(text: string, epochMs: number): void {
    if (!text.startsWith('{"level":') || text.length > longestLine) return;
    if (text.indexOf("\n") !== text.length - 1 || text.endsWith(accessLogEnd)) return;
    this.lineBytes += text.length - (this.lines.push({ epochMs, text })?.text.length ?? 0);
    while (this.lineBytes > mostLineBytes)
      this.lineBytes -= this.lines.shift()?.text.length ?? this.lineBytes;
  }

  /** Goes on from what another process has recorded before; a line counts as of when that was handed out. */
  restore({ adverts, lines, nowEpochMs }: Flight): void {
    for (const { direction, interface: on, bytes, epochMs } of adverts)
      this.advert(direction, on, bytes, epochMs);
    for (const line of lines) this.line(`${JSON.stringify(line)}\n`, nowEpochMs);
  }

  /** As JSON; the text is put together without reading the lines, which would take long in the thread of the adverts. */
  toJson(node: string, nowEpochMs: number): string {
    const since = nowEpochMs - keptMs;
    const adverts = this.adverts
      .items()
      .filter(({ epochMs }) => epochMs >= since)
      .map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString("base64") }));
    const lines = this.lines
      .items()
      .filter(({ epochMs }) => epochMs >= since)
      .map(({ text }) => text.trimEnd());
    return `{"node":${JSON.stringify(node)},"nowEpochMs":${nowEpochMs},"adverts":${JSON.stringify(adverts)},"lines":[${lines.join(",")}]}`;
  }
}

/** The last `size` items. */
class Ring<T> {
  private slots: (T | undefined)[] = [];
  private first = 0;
  private count = 0;

  constructor(private readonly size: number) {}

  /** The item that had to go, if one had to. */
  push(item: T): T | undefined {
    const gone = this.count === this.size ? this.shift() : undefined;
    this.slots[(this.first + this.count) % this.size] = item;
    this.count++;
    return gone;
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.slots[this.first];
    this.slots[this.first] = undefined;
    this.first = (this.first + 1) % this.size;
    this.count--;
    return item;
  }

  items(): T[] {
    const items: T[] = [];
    for (let i = 0; i < this.count; i++) {
      const item = this.slots[(this.first + i) % this.size];
      if (item !== undefined) items.push(item);
    }
    return items;
  }
}

/** Reads what `toJson` wrote; null: it is something else. */
export function parseFlight(text: string): Flight | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || typeof value.node !== "string" || typeof value.nowEpochMs !== "number") return null;
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
