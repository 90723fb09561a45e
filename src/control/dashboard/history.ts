import { backendOf, hasFrontend } from "../../config/proxy-sides.js";
import type { NodeView } from "../node-view.js";
import type { DashboardHistory, Sample, SampleValue } from "./shape.js";

/** So many seconds are kept: a quarter of an hour, some 100 KB with ten proxies. */
const mostSamples = 900;

/** What the proxies did, second by second. Pure: the views are handed in. */
export class History {
  private samples: Sample[] = [];
  private errorsBefore: readonly number[] | null = null;

  take(view: NodeView): Sample {
    const errors = view.proxies.map((_, i) => errorsOf(view, i));
    const before = this.errorsBefore;
    const values = view.proxies.flatMap((proxy, i): SampleValue[] => {
      if (!hasFrontend(proxy)) return [];
      const backend = view.snapshot.proxies[backendOf(view.proxies, i)].backend;
      return [
        {
          requests: frontendRate(view, i),
          errors: Math.max(0, errors[i] - (before?.[i] ?? errors[i])),
          responseMs: backend.timedRequests === 0 ? null : Math.round(backend.responseTimeAverage * 10) / 10,
        },
      ];
    });
    this.errorsBefore = errors;
    const sample = { epochS: Math.round(view.nowEpochMs / 1000), values };
    this.samples.push(sample);
    if (this.samples.length > mostSamples) this.samples = this.samples.slice(-mostSamples);
    return sample;
  }

  all(view: NodeView): DashboardHistory {
    return {
      series: view.proxies.filter(hasFrontend).map(({ name }) => name),
      samples: this.samples,
    };
  }
}

/** Requests a second; in mode tcp, sessions. */
export function frontendRate({ proxies, rates }: NodeView, index: number): number {
  const { frontend } = rates.proxies[index];
  return (proxies[index].mode === "tcp" ? frontend.sessions : frontend.requests).perSecond;
}

/** Answers of 500 and more that clients got, or in mode tcp sessions that no server took. */
function errorsOf({ proxies, snapshot }: NodeView, index: number): number {
  const { frontend, backend } = snapshot.proxies[index];
  return proxies[index].mode === "tcp" ? backend.connectErrors : frontend.responses5xx;
}
