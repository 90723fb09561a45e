import { type CaseResult, cpuRatio, type IdleResult, type LoadResult, type Results } from "./results.js";
import { median } from "./statistics.js";

/** The results for a terminal: a block per case. Pure. */
export function describeCase(result: CaseResult): string {
  return result.kind === "idle" ? describeIdle(result) : describeLoad(result);
}

function describeLoad(result: LoadResult): string {
  const lines = [
    `${result.title}${result.sharedCores ? " (proxy and load share cores: requests/s do not count)" : ""}`,
    `  ${"".padEnd(26)}  CPU/request    ratio (lowest–highest)      req/s      p50      p99    p99.9    RSS`,
  ];
  for (const { target, title, figures } of result.targets) {
    const ratio = cpuRatio(result, target, "haproxy");
    const shownRatio =
      ratio === null
        ? ""
        : `${ratio.median.toFixed(2)}  (${ratio.lowest.toFixed(2)}–${ratio.highest.toFixed(2)})`;
    lines.push(
      [
        `  ${title.padEnd(26)}`,
        `${cpu(median(figures.cpuUsPerRequest))}`.padStart(11),
        shownRatio.padStart(22),
        median(figures.requestsPerSecond).toFixed(0).padStart(12),
        time(median(figures.p50Us)).padStart(7),
        time(median(figures.p99Us)).padStart(7),
        time(median(figures.p999Us)).padStart(7),
        `${median(figures.residentMb).toFixed(0)} MB`.padStart(6),
      ].join("  "),
    );
  }
  return lines.join("\n");
}

function describeIdle(result: IdleResult): string {
  const lines = [`${result.title}: resident memory per client`];
  for (const { title, beforeMb, withClientsMb, bytesPerClient } of result.targets) {
    const each = `${(bytesPerClient / 1024).toFixed(2)} KiB`;
    lines.push(
      `  ${title.padEnd(26)}  ${each.padStart(11)}   (${beforeMb.toFixed(1)} → ${withClientsMb.toFixed(1)} MB)`,
    );
  }
  return lines.join("\n");
}

/** Targets down, cases across: the ratio to HAProxy's CPU per request, in Markdown. Pure. */
export function ratioTable(results: Results): string {
  const loads = results.cases.filter((result) => result.kind === "load");
  const titles = new Map(loads.flatMap(({ targets }) => targets.map(({ target, title }) => [target, title])));
  const header = `| CPU per request | ${[...titles.values()].join(" | ")} |`;
  const rows = loads.map((result) => {
    const cells = [...titles.keys()].map((target) => {
      const figures = result.targets.find((one) => one.target === target)?.figures;
      const ratio = cpuRatio(result, target, "haproxy");
      if (figures === undefined || ratio === null) return "";
      const us = cpu(median(figures.cpuUsPerRequest));
      return target === "haproxy" ? us : `${us} · **${ratio.median.toFixed(2)}**`;
    });
    return `| ${result.title} | ${cells.join(" | ")} |`;
  });
  return [header, `|---|${"---|".repeat(titles.size)}`, ...rows].join("\n");
}

/** Everything that was measured, in Markdown: a row per case and target. Pure. */
export function detailTable(results: Results): string {
  const rows = results.cases
    .filter((result) => result.kind === "load")
    .flatMap((result) =>
      result.targets.map(({ target, title, figures }) => {
        const ratio = cpuRatio(result, target, "haproxy");
        const cells = [
          result.title,
          title,
          cpu(median(figures.cpuUsPerRequest)),
          ratio === null || target === "haproxy"
            ? ""
            : `${ratio.median.toFixed(2)} (${ratio.lowest.toFixed(2)}–${ratio.highest.toFixed(2)})`,
          median(figures.requestsPerSecond).toFixed(0),
          time(median(figures.p50Us)),
          time(median(figures.p99Us)),
          time(median(figures.p999Us)),
          median(figures.residentMb).toFixed(0),
        ];
        return `| ${cells.join(" | ")} |`;
      }),
    );
  const header =
    "| case | proxy | CPU/request | ratio (lowest–highest) | req/s | p50 | p99 | p99.9 | RSS, MB |";
  return [header, "|---|---|---|---|---|---|---|---|---|", ...rows].join("\n");
}

/** Memory per idle client, in Markdown. Pure. */
export function memoryTable(results: Results): string {
  const rows = results.cases
    .filter((result) => result.kind === "idle")
    .flatMap(({ targets }) =>
      targets.map(
        ({ title, beforeMb, withClientsMb, bytesPerClient }) =>
          `| ${title} | ${(bytesPerClient / 1024).toFixed(2)} KiB | ${beforeMb.toFixed(1)} MB | ${withClientsMb.toFixed(1)} MB |`,
      ),
    );
  const title = results.cases.find(({ kind }) => kind === "idle")?.title ?? "idle clients";
  return [`| ${title} | each | before | with them |`, "|---|---|---|---|", ...rows].join("\n");
}

function cpu(us: number): string {
  return `${us.toFixed(us < 100 ? 1 : 0)} µs`;
}

function time(us: number): string {
  return us < 1000
    ? `${us.toFixed(0)} µs`
    : us < 10_000
      ? `${(us / 1000).toFixed(1)} ms`
      : `${(us / 1000).toFixed(0)} ms`;
}
