import { backendOf, chosenBackends, joinSides } from "../config/proxy-sides.js";
import type { DataThreadData } from "../process/messages.js";
import { Backend } from "./backend.js";
import { ConnectionGate } from "./connection-gate.js";
import { ConnectionLimits } from "./connection-limits.js";
import type { Engine } from "./engine/engine.js";
import { ServerTable } from "./health/server-table.js";
import type { InvalidMessages } from "./invalid-messages.js";
import { ExchangeLog, type ExchangeLogOptions, type LogSink } from "./log/exchange-log.js";
import { SharedSessionCounts } from "./log/session-counts.js";
import { OperatorLimits } from "./operator-limits.js";
import { ProxyCounters } from "./proxy-counters.js";
import { ProxyInstance } from "./proxy-instance.js";
import { QueuePoll } from "./queue/queue-poll.js";
import { ServerSlots } from "./queue/server-slots.js";
import { type ProxyEvent, Route, type RouteParts } from "./route.js";
import { SharedServers } from "./shared-servers.js";
import { monotonicMs } from "./stats/monotonic.js";
import type { StatsTable } from "./stats/table.js";

/** What the proxies of a data thread share. */
export interface ProxyMeans {
  readonly data: Pick<
    DataThreadData,
    | "proxies"
    | "threadIndex"
    | "serversBuffer"
    | "limitsBuffer"
    | "ruleCounters"
    | "gateMemory"
    | "slotsBuffer"
    | "maxconn"
    | "tls"
  >;
  readonly engine: Engine;
  readonly table: StatsTable;
  readonly sink: LogSink;
  readonly invalid: InvalidMessages;
  readonly event: ProxyEvent;
  /** Where failed exchanges of proxies without an access log are told. */
  readonly failed: ExchangeLogOptions["failed"];
}

/** Every proxy of the configuration in one data thread, in its order: a backend, too, has an instance, to which nobody comes. */
export function createProxies({
  data,
  engine,
  table,
  sink,
  invalid,
  event,
  failed,
}: ProxyMeans): ProxyInstance[] {
  const { proxies, threadIndex } = data;
  const states = new ServerTable(proxies, { buffer: data.serversBuffer });
  const limits = new ConnectionLimits(
    table,
    { all: data.maxconn, proxies: proxies.map(({ maxconn }) => maxconn) },
    new OperatorLimits(proxies, data.limitsBuffer),
  );
  const monotonicOffsetMs = monotonicMs() - engine.now();
  const poll = new QueuePoll(engine);
  const now = (): number => engine.now() + monotonicOffsetMs;
  const backends = proxies.map((config, index) => {
    const slots = new ServerSlots(data.slotsBuffer, proxies, index, threadIndex);
    const servers = new SharedServers(states, table, index);
    return new Backend(config, engine, servers, threadIndex, { slots, poll, now }, data.tls.certificates);
  });

  const parts = (index: number, backendIndex: number): RouteParts => {
    const config = joinSides(proxies[index], proxies[backendIndex]);
    return {
      config,
      engine,
      counters: new ProxyCounters(table, threadIndex, index, config, backendIndex),
      backend: backends[backendIndex],
      event,
      invalid,
      monotonicOffsetMs,
      exchangeLog: new ExchangeLog({
        config: config.log ?? null,
        sink,
        counts: new SharedSessionCounts(table, proxies.length, index, backendIndex),
        failed,
        thread: `data-${threadIndex}`,
        epochOffsetMs: () => Date.now() - engine.now(),
        offsetMinutes: () => -new Date().getTimezoneOffset(),
      }),
    };
  };

  return proxies.map((config, index) => {
    const routes = chosenBackends(config).map((name): [string, Route] => {
      const backendIndex = proxies.findIndex((proxy) => proxy.name === name);
      return [name, new Route(parts(index, backendIndex))];
    });
    return new ProxyInstance({
      ...parts(index, backendOf(proxies, index)),
      limitReached: () => limits.reached(index),
      state: () => limits.stateOf(index),
      ruleCounters: data.ruleCounters[index],
      gate:
        config.connectionRules === undefined
          ? null
          : new ConnectionGate(
              config.connectionRules,
              data.gateMemory[index],
              table.blocks.length,
              threadIndex,
            ),
      routes: new Map(routes),
    });
  });
}
