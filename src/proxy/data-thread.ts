import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { createLog } from "../process/log.js";
import type { DataThreadData, FromDataThread, ToDataThread } from "../process/messages.js";
import type { Engine, Listener } from "./engine/engine.js";
import { PortableEngine } from "./engine/portable/portable-engine.js";
import { ProxyCounters } from "./proxy-counters.js";
import { ProxyInstance } from "./proxy-instance.js";
import { RateLimit } from "./rate-limit.js";
import { ThreadCell } from "./stats/layout.js";
import { monotonicMs } from "./stats/monotonic.js";
import { StatsTable } from "./stats/table.js";

/** How often the thread shows that its loop turns; the main thread takes 2 s of silence for a stuck one. */
const heartbeatMs = 200;
/**
 * A partner takes over a skew after our priority 0, about 0.6 s at the usual priorities. Shortly before that, who had no
 * request in the meantime is told that the connection ends.
 */
const lastCloseMs = 400;
const lastIdleMs = 250;
/** A drain waits this long for requests that are on their way. */
const lastRequestMs = 1_000;
const logLinesPerSecond = 10;

/**
 * The entry of a data thread: owns its connections and pools, shares nothing but the cells of its block of counters.
 * The main thread starts it with `DataThreadData` and speaks to it in `ToDataThread` messages.
 */
class DataThread {
  private readonly engine: Engine = new PortableEngine();
  private readonly proxies: readonly ProxyInstance[];
  private readonly listeners: readonly Listener[];
  private readonly cells: Float64Array;
  private loopBefore = performance.eventLoopUtilization();

  constructor(
    data: DataThreadData,
    private readonly tell: (message: FromDataThread) => void,
  ) {
    const { threadIndex } = data;
    const table = new StatsTable(data.proxies, data.threads, data.statsBuffer);
    this.cells = table.blocks[threadIndex];
    const log = createLog(`data-${threadIndex}`);
    const limit = new RateLimit(logLinesPerSecond, 1_000);
    const event = (fields: Record<string, string | number>, message: string): void => {
      const suppressed = limit.admit(this.engine.now());
      if (suppressed !== null) log.warn(suppressed > 0 ? { ...fields, suppressed } : fields, message);
    };
    const monotonicOffsetMs = monotonicMs() - this.engine.now();
    this.proxies = data.proxies.map((config, index) => {
      const counters = new ProxyCounters(table, threadIndex, index, config.servers.length);
      return new ProxyInstance(config, this.engine, counters, event, threadIndex, monotonicOffsetMs);
    });
    this.listeners = data.listeners.map(({ proxyIndex, descriptor }) =>
      this.engine.listen(descriptor, (connection) => this.proxies[proxyIndex].accept(connection)),
    );
    setInterval(() => this.beat(), heartbeatMs);
    this.beat();
  }

  handle(message: ToDataThread): void {
    if (message.kind === "hand-over") {
      this.handOver();
    } else {
      this.drain(message.deadlineMs);
    }
  }

  private handOver(): void {
    for (const proxy of this.proxies) proxy.handOver();
    setTimeout(() => {
      for (const proxy of this.proxies) proxy.closeIdle(lastIdleMs);
    }, lastCloseMs);
  }

  /**
   * The listeners close at once. Connections get a moment in which their next request is still answered, with
   * `Connection: close`: it may be on its way.
   */
  private drain(deadlineMs: number): void {
    for (const listener of this.listeners) listener.close();
    for (const proxy of this.proxies) proxy.handOver();
    let isFinished = false;
    const finish = (): void => {
      // Cutting the last client empties its proxy, which would finish a second time.
      if (isFinished) return;
      isFinished = true;
      clearTimeout(deadline);
      const cutConnections = this.proxies.reduce((sum, proxy) => sum + proxy.cut(), 0);
      this.engine.destroy();
      this.tell({ kind: "drained", cutConnections });
    };
    const finishIfEmpty = (): void => {
      if (this.proxies.every((proxy) => proxy.clients.size === 0)) finish();
    };
    const deadline = setTimeout(finish, deadlineMs);
    for (const proxy of this.proxies) proxy.emptied = finishIfEmpty;
    finishIfEmpty();
    setTimeout(() => {
      for (const proxy of this.proxies) proxy.drain();
      finishIfEmpty();
    }, lastRequestMs);
  }

  private beat(): void {
    this.cells[ThreadCell.heartbeat]++;
    this.cells[ThreadCell.connectionsCurrent] = this.proxies.reduce(
      (sum, proxy) => sum + proxy.clients.size,
      0,
    );
    const loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loop, this.loopBefore);
    this.loopBefore = loop;
    this.cells[ThreadCell.idlePercent] = Math.round(100 * (1 - utilization));
  }
}

const port = parentPort;
if (port !== null) {
  const thread = new DataThread(workerData as DataThreadData, (message) => port.postMessage(message));
  port.on("message", (message: ToDataThread) => thread.handle(message));
  port.postMessage({ kind: "ready", engine: "portable" } satisfies FromDataThread);
}
