import type { DashboardHistory, Sample, SampleValue } from "../control/dashboard/shape.js";
import { describeClock, element } from "./elements.js";
// uPlot is served beside this file.
import uPlot from "./uplot.js";

const mostSamples = 900;
const chartHeight = 180;
/** Told apart in light and dark, and by most colour-blind readers. */
const colours = ["#2f7ed8", "#e08e0b", "#2ca05a", "#b455c9", "#d1495b", "#00a3a3"];

interface Kind {
  readonly title: string;
  readonly unit: string;
  readonly value: (sample: SampleValue) => number | null;
}

const kinds: readonly Kind[] = [
  { title: "Requests", unit: "/s", value: ({ requests }) => requests },
  { title: "Response time", unit: " ms", value: ({ responseMs }) => responseMs },
  { title: "Errors", unit: "/s", value: ({ errors }) => errors },
];

type Columns = [number[], ...(number | null)[][]];

interface Chart {
  readonly kind: Kind;
  readonly plot: uPlot;
  readonly card: HTMLElement;
}

/** Three charts over the last quarter of an hour, with a line for each proxy that clients come to. */
export class Charts {
  readonly #charts: Chart[];
  readonly #samples: Sample[];
  readonly series: readonly string[];

  constructor(place: HTMLElement, { series, samples }: DashboardHistory) {
    this.series = series;
    this.#samples = [...samples];
    place.replaceChildren();
    // All of them first: how wide one is depends on the others.
    const cards = kinds.map(({ title }) => element("div", "card chart", element("h3", "", title)));
    place.append(...cards);
    this.#charts = kinds.map((kind, i) => {
      const card = cards[i];
      const plot = new uPlot(optionsOf(kind, series, widthOf(card)), this.#columns(kind), card);
      return { kind, plot, card };
    });
    addEventListener("resize", () => {
      for (const { plot, card } of this.#charts) plot.setSize({ width: widthOf(card), height: chartHeight });
    });
  }

  add(sample: Sample): void {
    if (sample.epochS === 0 || sample.epochS === this.#samples.at(-1)?.epochS) return;
    this.#samples.push(sample);
    if (this.#samples.length > mostSamples) this.#samples.shift();
    for (const { kind, plot } of this.#charts) plot.setData(this.#columns(kind));
  }

  #columns({ value }: Kind): Columns {
    const times = this.#samples.map(({ epochS }) => epochS);
    const lines = this.series.map((_, i) =>
      this.#samples.map(({ values }) => (values[i] === undefined ? null : value(values[i]))),
    );
    return [times, ...lines];
  }
}

function widthOf(card: HTMLElement): number {
  return Math.max(200, card.clientWidth - 24);
}

function optionsOf({ unit }: Kind, series: readonly string[], width: number): uPlot.Options {
  const styles = getComputedStyle(document.documentElement);
  const axis = {
    stroke: styles.getPropertyValue("--dim"),
    grid: { stroke: styles.getPropertyValue("--line"), width: 1 },
    ticks: { stroke: styles.getPropertyValue("--line"), width: 1 },
  };
  return {
    width,
    height: chartHeight,
    series: [
      { value: (_: uPlot, time: number | null) => (time === null ? "–" : describeClock(time * 1000)) },
      ...series.map((label, i) => ({
        label,
        stroke: colours[i % colours.length],
        width: 2,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : `${value}${unit}`),
      })),
    ],
    axes: [
      { ...axis, values: (_: uPlot, times: number[]) => times.map((time) => describeClock(time * 1000)) },
      { ...axis, size: 56 },
    ],
    scales: { y: { range: (_: uPlot, _least: number, most: number) => [0, Math.max(1, most * 1.1)] } },
  };
}
