import { join } from "node:path";
import { nowMs, sleep, waitFor } from "./clock.js";
import type { HostProcess } from "./host-process.js";
import { type Host, virtualAddress } from "./network.js";
import { projectRoot } from "./project-root.js";

export type Stream = "new" | "kept" | "long";

/** One request of the probe. Times are `nowMs()`. */
export interface Sample {
  /** `new`: on a connection of its own; `kept`: on the one that is kept open; `long`: on the upgraded one. */
  readonly stream: Stream;
  readonly startMs: number;
  readonly endMs: number;
  readonly good: boolean;
  /** The page, or what went wrong: an errno, a status, "timeout". */
  readonly text: string;
}

export interface StreamSummary {
  readonly requests: number;
  readonly failed: number;
  /** What went wrong, and how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** Longest time between one good answer and the next. */
  readonly gapMs: number;
  /** The pages that came, and how often. */
  readonly answeredBy: Readonly<Record<string, number>>;
}

export interface ProbeSummary {
  readonly new: StreamSummary;
  readonly kept: StreamSummary;
  /** No requests where the probe was not asked for it. */
  readonly long: StreamSummary;
}

/** A steady, bounded stream of small requests to the virtual address from one host. */
export class Probe {
  readonly samples: Sample[] = [];
  readonly everyMs: number;
  readonly #process: HostProcess;
  readonly #streams: readonly Stream[];

  private constructor(process: HostProcess, everyMs: number, streams: readonly Stream[]) {
    this.#streams = streams;
    this.#process = process;
    this.everyMs = everyMs;
    process.onLine((line) => {
      const sample = parseSample(line.text);
      if (sample !== null) this.samples.push(sample);
    });
  }

  /** A request that has no answer after `timeoutMs` has failed. `long`: the server must echo upgraded connections. */
  static start(
    host: Host,
    { address = virtualAddress, everyMs = 5, timeoutMs = 1000, long = false } = {},
  ): Probe {
    const script = join(projectRoot, "lab", "probe-client.mjs");
    const parameters = [script, address, String(everyMs), String(timeoutMs), ...(long ? ["long"] : [])];
    const streams: Stream[] = long ? ["new", "kept", "long"] : ["new", "kept"];
    return new Probe(host.spawn("probe", process.execPath, ...parameters), everyMs, streams);
  }

  /**
   * Waits until every request of every stream has been answered for `quietMs`, counted from now on.
   *
   * @throws Error when that does not happen in time.
   */
  async waitForService(timeoutMs: number, quietMs = 300): Promise<void> {
    const startedMs = nowMs();
    await waitFor("steady good answers on every stream", timeoutMs, () => {
      const since = nowMs() - quietMs;
      if (since < startedMs) return false;
      return this.#streams.every((stream) => {
        const recent = this.samples.filter((sample) => sample.stream === stream && sample.endMs >= since);
        return recent.length >= quietMs / this.everyMs / 4 && recent.every((sample) => sample.good);
      });
    });
  }

  /** What the client saw between two moments (`nowMs()`), the last good answers before them included. */
  async summary(fromMs: number, toMs: number): Promise<ProbeSummary> {
    const last = (): number => this.samples.at(-1)?.endMs ?? 0;
    // The script prints in bundles of 25 ms; results up to the end must have come.
    await waitFor("the probe's results", 10_000, () => last() >= toMs, 10).catch(() => {});
    await sleep(50);
    return summarize(this.samples, fromMs, toMs);
  }

  async stop(): Promise<void> {
    if (this.#process.exit === null) await this.#process.stop("SIGTERM");
  }
}

export function summarize(samples: readonly Sample[], fromMs: number, toMs: number): ProbeSummary {
  const of = (stream: Stream): StreamSummary =>
    summarizeStream(
      samples.filter((sample) => sample.stream === stream),
      fromMs,
      toMs,
    );
  return { new: of("new"), kept: of("kept"), long: of("long") };
}

function summarizeStream(samples: readonly Sample[], fromMs: number, toMs: number): StreamSummary {
  const inside = samples.filter((sample) => sample.endMs >= fromMs && sample.endMs <= toMs);
  const failures = inside.filter((sample) => !sample.good);
  const good = samples.filter((sample) => sample.good);
  const ends = good.map((sample) => sample.endMs).sort((a, b) => a - b);
  return {
    requests: inside.length,
    failed: failures.length,
    failures: countBy(failures),
    gapMs: longestGap(ends, fromMs, toMs),
    answeredBy: countBy(inside.filter((sample) => sample.good)),
  };
}

/**
 * The longest time without an event that touches the window.
 *
 * @param times ascending
 */
export function longestGap(times: readonly number[], fromMs: number, toMs: number): number {
  let before = fromMs;
  let longest = 0;
  for (const time of times) {
    if (time >= fromMs) longest = Math.max(longest, Math.min(time, toMs) - before);
    before = time;
    if (time >= toMs) return longest;
  }
  return Math.max(longest, toMs - before);
}

function countBy(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const sample of samples) {
    const key = sample.text.trim();
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** One line of probe-client.mjs, or null. */
function parseSample(text: string): Sample | null {
  if (!text.startsWith("[")) return null;
  const [stream, startMs, endMs, good, what] = JSON.parse(text) as [
    Sample["stream"],
    number,
    number,
    boolean,
    string,
  ];
  return { stream, startMs, endMs, good, text: what };
}
