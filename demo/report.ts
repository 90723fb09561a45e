import { nowMs } from "../lab/clock.js";
import type { ProbeSummary } from "../lab/probe.js";
import { describeTheory, type Theory } from "./theory.js";

/** What one event did to the client. */
export interface EventResult {
  readonly event: string;
  /** The node that holds the address afterwards. */
  readonly master: string;
  readonly seen: ProbeSummary;
  readonly keepalived: Theory;
  /** What was expected and did not come true. */
  readonly problems: readonly string[];
}

/** Where the demo tells its story: for a reader, or one JSON line per event. */
export interface Report {
  heading(text: string): void;
  /** One line of progress. */
  line(text: string): void;
  /** A command as the user would type it, and what it printed. */
  command(prompt: string, command: string, output: string): void;
  event(result: EventResult): void;
  end(results: readonly EventResult[]): void;
}

export class JsonReport implements Report {
  heading(): void {}
  line(): void {}
  command(): void {}
  end(): void {}

  event(result: EventResult): void {
    const { event, master, seen, keepalived, problems } = result;
    const line = {
      event,
      master,
      gapMs: round(seen.new.gapMs),
      requests: seen.new.requests,
      failed: seen.new.failed,
      failures: seen.new.failures,
      keepAlive: {
        gapMs: round(seen.kept.gapMs),
        requests: seen.kept.requests,
        failed: seen.kept.failed,
        failures: seen.kept.failures,
      },
      keepalivedMs: [Math.round(keepalived.lowMs), Math.round(keepalived.highMs)],
      ok: problems.length === 0,
      problems,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

export class TextReport implements Report {
  readonly #startedMs = nowMs();
  readonly #bold = process.stdout.isTTY ? (text: string) => `\x1b[1m${text}\x1b[0m` : (text: string) => text;

  heading(text: string): void {
    process.stdout.write(`\n${this.#bold(text)}\n`);
  }

  line(text: string): void {
    const seconds = ((nowMs() - this.#startedMs) / 1000).toFixed(1).padStart(5);
    process.stdout.write(`${seconds} s  ${text}\n`);
  }

  command(prompt: string, command: string, output: string): void {
    const lines = output.trimEnd().split("\n");
    process.stdout.write(
      `         ${prompt}$ ${command}\n${lines.map((line) => `         ${line}\n`).join("")}`,
    );
  }

  event(result: EventResult): void {
    const { seen, master, problems } = result;
    this.line(
      `${master} answers for it; the client waited ${describeGap(seen.new.gapMs)} ms at most, ` +
        `${seen.new.failed} of ${seen.new.requests} requests failed${describeFailures(seen.new.failures)}`,
    );
    for (const problem of problems) this.line(`NOT AS EXPECTED: ${problem}`);
  }

  end(results: readonly EventResult[]): void {
    const rows = results.map((result) => [
      result.event,
      describeGap(result.seen.new.gapMs),
      `${result.seen.new.failed} of ${result.seen.new.requests}`,
      describeGap(result.seen.kept.gapMs),
      `${result.seen.kept.failed} of ${result.seen.kept.requests}`,
      describeTheory(result.keepalived),
    ]);
    const header = ["event", "gap, ms", "failed", "kept: gap, ms", "failed", "keepalived, ms"];
    this.heading("What the client saw");
    process.stdout.write(`${table([header, ...rows])}
gap: longest time between two good answers. A new connection every 5 ms, and one kept open with a request every
5 ms; a request fails when it is refused, reset, or not answered within a second.
keepalived: what its clients wait, by theory where something breaks, measured in this lab where a node comes back.
`);
  }
}

/** Columns padded to their widest cell; the first to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("   ");
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 3, -3));
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join("\n");
}

function describeGap(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

function describeFailures(failures: Readonly<Record<string, number>>): string {
  const parts = Object.entries(failures).map(([what, times]) => `${times} × ${what}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
