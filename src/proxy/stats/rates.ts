import type { RowSnapshot, Snapshot } from "./snapshot.js";

/** How fast one total grows. */
export interface Rate {
  readonly total: number;
  /** Growth per second between the last two samples. */
  readonly perSecond: number;
  /** Highest `perSecond` so far. */
  readonly max: number;
}

export interface RowRates {
  readonly sessions: Rate;
  readonly requests: Rate;
  readonly connections: Rate;
}

export interface ProxyRates {
  readonly frontend: RowRates;
  readonly servers: readonly RowRates[];
  readonly backend: RowRates;
}

export interface Rates {
  /** Monotonic ms of the last sample. */
  readonly sampledMs: number;
  /** Of all frontends. */
  readonly connections: Rate;
  readonly requests: Rate;
  /** Response bytes of all frontends. */
  readonly bytesOut: Rate;
  readonly proxies: readonly ProxyRates[];
}

/** The first sample: totals are known, nothing has a rate yet. */
export function startRates(snapshot: Snapshot, nowMs: number): Rates {
  return collect(snapshot, nowMs, (total) => ({ total, perSecond: 0, max: 0 }), null);
}

/**
 * The next sample, taken once a second: rates as HAProxy's `rate`, `req_rate`, `conn_rate` and their `_max`.
 * A total that shrank (its thread was restarted and lost what it had not yet told) counts as no growth.
 */
export function sampleRates(previous: Rates, snapshot: Snapshot, nowMs: number): Rates {
  const elapsedMs = nowMs - previous.sampledMs;
  if (elapsedMs <= 0) return previous;
  const advance = (total: number, before: Rate | undefined): Rate => {
    if (before === undefined) return { total, perSecond: 0, max: 0 };
    const perSecond = Math.max(0, Math.round(((total - before.total) * 1000) / elapsedMs));
    return { total, perSecond, max: Math.max(before.max, perSecond) };
  };
  return collect(snapshot, nowMs, advance, previous);
}

/** The same rates, whose maxima begin anew. */
export function clearMaxima(rates: Rates): Rates {
  const rate = ({ total, perSecond }: Rate): Rate => ({ total, perSecond, max: 0 });
  const row = ({ sessions, requests, connections }: RowRates): RowRates => ({
    sessions: rate(sessions),
    requests: rate(requests),
    connections: rate(connections),
  });
  return {
    sampledMs: rates.sampledMs,
    connections: rate(rates.connections),
    requests: rate(rates.requests),
    bytesOut: rate(rates.bytesOut),
    proxies: rates.proxies.map(({ frontend, servers, backend }) => ({
      frontend: row(frontend),
      servers: servers.map(row),
      backend: row(backend),
    })),
  };
}

function collect(
  snapshot: Snapshot,
  sampledMs: number,
  advance: (total: number, before: Rate | undefined) => Rate,
  previous: Rates | null,
): Rates {
  const row = (now: RowSnapshot, before: RowRates | undefined): RowRates => ({
    sessions: advance(now.sessionsTotal, before?.sessions),
    requests: advance(now.requestsTotal, before?.requests),
    connections: advance(now.connectionsTotal, before?.connections),
  });
  const sum = <T>(items: readonly T[], of: (item: T) => number) =>
    items.reduce((total, item) => total + of(item), 0);
  return {
    sampledMs,
    connections: advance(
      sum(snapshot.proxies, (proxy) => proxy.frontend.connectionsTotal),
      previous?.connections,
    ),
    requests: advance(
      sum(snapshot.proxies, (proxy) => proxy.frontend.requestsTotal),
      previous?.requests,
    ),
    bytesOut: advance(
      sum(snapshot.proxies, (proxy) => proxy.frontend.bytesOut),
      previous?.bytesOut,
    ),
    proxies: snapshot.proxies.map((proxy, i) => {
      const before = previous?.proxies[i];
      return {
        frontend: row(proxy.frontend, before?.frontend),
        servers: proxy.servers.map((server, j) => row(server, before?.servers[j])),
        backend: row(proxy.backend, before?.backend),
      };
    }),
  };
}
