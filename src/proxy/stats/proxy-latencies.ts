import { addHistograms, type Histogram, type Latencies, readLatencies } from "./latency.js";
import { latencyCell } from "./layout.js";
import type { StatsTable, TableProxy } from "./table.js";

/** A proxy's histograms over all threads. What its servers have is the backend's; of a frontend there is the total alone. */
export interface ProxyLatencies {
  readonly frontend: Histogram;
  readonly servers: readonly Latencies[];
  readonly backend: Latencies;
}

export function readProxyLatencies(table: StatsTable, proxies: readonly TableProxy[]): ProxyLatencies[] {
  const read = (row: number): Latencies => readLatencies(table.rowBlocks, row + latencyCell);
  return proxies.map((proxy, index) => {
    const servers = Array.from({ length: proxy.servers.length }, (_, server) =>
      read(table.serverRow(index, server)),
    );
    const together = (kind: keyof Latencies): Histogram => addHistograms(servers.map((one) => one[kind]));
    return {
      frontend: read(table.frontendRow(index)).total,
      servers,
      backend: {
        queue: together("queue"),
        connect: together("connect"),
        response: together("response"),
        total: together("total"),
      },
    };
  });
}
