import { hasBackend, hasFrontend } from "../config/proxy-sides.js";
import { bucketBoundsMs, type Histogram, type Latencies } from "../proxy/stats/latency.js";
import type { ProxyLatencies } from "../proxy/stats/proxy-latencies.js";
import type { NodeView } from "./node-view.js";

const times: readonly (readonly [name: keyof Latencies, help: string])[] = [
  ["queue", "Time that finished requests waited for a server."],
  ["connect", "Time to connect to a server, 0 over a connection that was kept."],
  ["response", "Time from the connection to the head of the server's response."],
  ["total", "Time from the request to the end of its response."],
];

/** Series of one metric: labels and their histogram. */
type Series = readonly (readonly [labels: Readonly<Record<string, string>>, histogram: Histogram])[];

/**
 * The histograms of `/metrics`, in Prometheus's text format 0.0.4: for each server and each backend the times of finished requests, or of sessions
 * of mode tcp (which have no response); for each frontend the total.
 */
export function formatLatencies(
  { proxies }: Pick<NodeView, "proxies">,
  latencies: readonly ProxyLatencies[],
): string {
  const backends = proxies.flatMap((proxy, i) => (hasBackend(proxy) ? [{ proxy, ...latencies[i] }] : []));
  let text = "";
  for (const [name, help] of times) {
    const shown = backends.filter(({ proxy }) => name !== "response" || proxy.mode !== "tcp");
    text += metric(
      `lb_server_${name}_seconds`,
      help,
      shown.flatMap(({ proxy, servers }) =>
        servers.map((one, j) => [{ proxy: proxy.name, server: proxy.servers[j].name }, one[name]] as const),
      ),
    );
    text += metric(
      `lb_backend_${name}_seconds`,
      help,
      shown.map(({ proxy, backend }) => [{ proxy: proxy.name }, backend[name]] as const),
    );
  }
  const frontends = proxies.flatMap((proxy, i) =>
    hasFrontend(proxy) ? [[{ proxy: proxy.name }, latencies[i].frontend] as const] : [],
  );
  return `${text}${metric("lb_frontend_total_seconds", times[3][1], frontends)}`;
}

function metric(name: string, help: string, series: Series): string {
  if (series.length === 0) return "";
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const [labels, { counts, sumMs }] of series) {
    const own = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`);
    let count = 0;
    for (const [i, inBucket] of counts.entries()) {
      count += inBucket;
      const bound = i < bucketBoundsMs.length ? String(bucketBoundsMs[i] / 1000) : "+Inf";
      lines.push(`${name}_bucket{${[...own, `le="${bound}"`].join(",")}} ${count}`);
    }
    lines.push(`${name}_sum{${own.join(",")}} ${sumMs / 1000}`, `${name}_count{${own.join(",")}} ${count}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The format's label values. */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
}
