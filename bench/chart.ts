import { cpuRatio, type LoadResult, type Results } from "./results.js";

const rowHeight = 15;
const caseGap = 20;
const left = 215;
const width = 860;
const plotWidth = width - left - 70;
/** Ratios beyond this are cut, and their bar says so by its number. */
const mostRatio = 3;

const colours: Readonly<Record<string, string>> = {
  haproxy: "#8a8f98",
  "haproxy-splice": "#b3b8c0",
  "haproxy-new": "#6b7280",
  "haproxy-new-splice": "#9aa1ac",
  nginx: "#7fae7f",
  portable: "#e0a458",
  direct: "#2f6fd6",
  pipelining: "#1b3f80",
};

/** The ratios as an SVG picture: a group of bars per case, 1.0 = HAProxy with one thread, whiskers = all rounds. Pure. */
export function chartOf(results: Results): string {
  const loads = results.cases.filter((result) => result.kind === "load");
  let top = 56;
  const parts: string[] = [];
  for (const load of loads) {
    const group = caseBars(load, top);
    parts.push(group.svg);
    top += group.height + caseGap;
  }
  const x1 = left + plotWidth / mostRatio;
  const bottom = top - caseGap + 6;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 26}" font-family="system-ui, sans-serif" font-size="11">
<title>CPU per request of each proxy, HAProxy with one thread being 1</title>
<style>
  text { fill: #24292f } .title { font-size: 14px; font-weight: 600 } .case { font-weight: 600 }
  .axis { stroke: #24292f; stroke-dasharray: 3 3 } .whisker { stroke: #24292f; stroke-opacity: .6 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis, .whisker { stroke: #e6edf3 } }
</style>
<text class="title" x="10" y="22">CPU per request, HAProxy = 1 (shorter is better)</text>
<text x="10" y="40">${escapeXml(`${results.machine.cpu}, Linux ${results.machine.kernel}, Node ${results.machine.node}; one proxy core, loopback`)}</text>
<line class="axis" x1="${x1}" y1="48" x2="${x1}" y2="${bottom}"/>
${parts.join("\n")}
<text x="${x1}" y="${bottom + 16}" text-anchor="middle">1.0</text>
</svg>
`;
}

function caseBars(load: LoadResult, top: number): { svg: string; height: number } {
  const lines = [`<text class="case" x="10" y="${top + 11}">${escapeXml(load.title)}</text>`];
  load.targets.forEach(({ target, title }, row) => {
    const ratio = cpuRatio(load, target, "haproxy");
    if (ratio === null) return;
    const y = top + 18 + row * rowHeight;
    const barWidth = scale(ratio.median);
    lines.push(
      `<text x="${left - 8}" y="${y + 9}" text-anchor="end">${escapeXml(title)}</text>`,
      `<rect x="${left}" y="${y}" width="${barWidth.toFixed(1)}" height="${rowHeight - 4}" rx="2" fill="${colours[target] ?? "#888"}"/>`,
      `<line class="whisker" x1="${(left + scale(ratio.lowest)).toFixed(1)}" x2="${(left + scale(ratio.highest)).toFixed(1)}" y1="${y + 5.5}" y2="${y + 5.5}"/>`,
      `<text x="${(left + Math.max(barWidth, scale(ratio.highest)) + 6).toFixed(1)}" y="${y + 9}">${ratio.median.toFixed(2)}</text>`,
    );
  });
  return { svg: lines.join("\n"), height: 18 + load.targets.length * rowHeight };
}

function scale(ratio: number): number {
  return (Math.min(ratio, mostRatio) / mostRatio) * plotWidth;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
