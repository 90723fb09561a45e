import { type MessagePort, parentPort, threadId, workerData } from "node:worker_threads";
import { AccessLogChannel } from "../process/access-log-channel.js";
import { createLog, createRecordedLog, type Log } from "../process/log.js";
import type { DataThreadData, FromDataThread, ToDataThread } from "../process/messages.js";
import { createProxies } from "./create-proxies.js";
import type { LookUpAnswer } from "./engine/direct/host-names.js";
import type { EngineLoop } from "./engine/engine.js";
import { openLoop } from "./engine/open-loop.js";
import { Inquired } from "./inquired.js";
import { InvalidMessages } from "./invalid-messages.js";
import { LogBatches } from "./log/batches.js";
import type { ExchangeLogOptions } from "./log/exchange-log.js";
import { logDate } from "./log/log-line.js";
import type { ProxyInstance } from "./proxy-instance.js";
import { RateLimit } from "./rate-limit.js";
import type { ProxyEvent } from "./route.js";
import { ThreadCell } from "./stats/layout.js";
import { StatsTable } from "./stats/table.js";
import { ThreadListeners } from "./thread-listeners.js";
import type { Certificates } from "./tls/certificate.js";

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
/** A connection that has asked nothing for so long after its address has moved is closed. */
const movedIdleMs = 5_000;
const closeIdleEveryMs = 1_000;
const logLinesPerSecond = 10;
/** The lines of an access log that have come together leave so often. */
const flushEveryMs = 200;

/**
 * The entry of a data thread: owns its connections and pools, shares nothing but the cells of its block of counters.
 * The main thread starts it with `DataThreadData` and speaks to it in `ToDataThread` messages.
 */
class DataThread {
  readonly inquired: Inquired;
  private readonly proxies: readonly ProxyInstance[];
  private readonly listeners: ThreadListeners;
  private readonly cells: Float64Array;
  private endMove: () => void = () => {};
  private readonly accessLog: AccessLogChannel;
  private readonly batches = new LogBatches((batch) => this.accessLog.post(batch));

  constructor(
    data: DataThreadData,
    private readonly loop: EngineLoop,
    private readonly tell: (message: FromDataThread) => void,
  ) {
    const { threadIndex } = data;
    const { engine } = loop;
    this.accessLog = new AccessLogChannel(parentPort, data.logPort);
    const table = new StatsTable(data.proxies, data.threads, data.statsBuffer);
    this.cells = table.blocks[threadIndex];
    const log = createLog(`data-${threadIndex}`);
    const recorded = createRecordedLog(`data-${threadIndex}`);
    const limited = (limit: RateLimit, into: Log): ProxyEvent => {
      return (fields, message) => {
        const suppressed = limit.admit(engine.now());
        if (suppressed !== null) into.warn(suppressed > 0 ? { ...fields, suppressed } : fields, message);
      };
    };
    const event = limited(new RateLimit(logLinesPerSecond, 1_000), log);
    // Apart from the others: a storm of failed requests must not hide that a server went down.
    const told = limited(new RateLimit(logLinesPerSecond, 1_000), log);
    const noted = limited(new RateLimit(logLinesPerSecond, 1_000), recorded);
    const failed: ExchangeLogOptions["failed"] = (fields, message, isInAccessLog) =>
      (isInAccessLog ? noted : told)(fields, message);
    const invalid = new InvalidMessages(table, threadIndex);
    this.proxies = createProxies({ data, engine, table, sink: this.batches, invalid, event, failed });
    this.inquired = new Inquired({
      proxies: this.proxies,
      invalid,
      threadId,
      now: () => engine.now(),
      date: (ms) => logDate(Date.now() - engine.now() + ms, -new Date().getTimezoneOffset()),
      tell: (id, part, isLast) => tell({ kind: "told", id, part, isLast }),
    });
    this.listeners = new ThreadListeners(
      data.listeners.map(({ proxyIndex, place, descriptor }) =>
        this.proxies[proxyIndex].entrance(descriptor, place, data.tls),
      ),
    );
    if (data.accepts) this.accept();
    loop.every(heartbeatMs, () => this.beat());
    if (data.proxies.some(({ log }) => log !== undefined))
      loop.every(flushEveryMs, () => this.batches.flush());
    this.beat();
  }

  accept(): void {
    this.listeners.accept();
  }

  lookAtEntrances(): void {
    for (const proxy of this.proxies) proxy.lookAtEntrances();
  }

  renewCertificates(certificates: Certificates): void {
    for (const proxy of this.proxies) proxy.renewCertificates(certificates);
  }

  logThreadStarted(port: MessagePort): void {
    this.accessLog.connect(port);
  }

  handOver(): void {
    for (const proxy of this.proxies) proxy.handOver();
    this.loop.after(lastCloseMs, () => {
      for (const proxy of this.proxies) proxy.closeIdle(lastIdleMs);
    });
  }

  /**
   * What is open goes on, and each answer sends its client to the new master. Who asks nothing for so long is closed;
   * before that a request may be on its way.
   */
  moveAway(deadlineMs: number): void {
    this.stay();
    for (const proxy of this.proxies) proxy.closing = true;
    let isOver = false;
    const closeIdle = (): void => {
      if (isOver) return;
      for (const proxy of this.proxies) proxy.closeIdle(movedIdleMs);
      this.loop.after(closeIdleEveryMs, closeIdle);
    };
    closeIdle();
    const deadline = this.loop.after(deadlineMs, () => {
      for (const proxy of this.proxies) proxy.cut();
    });
    this.endMove = () => {
      isOver = true;
      deadline.cancel();
    };
  }

  stay(): void {
    this.endMove();
    this.endMove = () => {};
    for (const proxy of this.proxies) proxy.stay();
  }

  /**
   * The listeners close, at once or a little later. Connections get a moment in which their next request is still answered, with
   * `Connection: close`: it may be on its way.
   */
  drain(deadlineMs: number, acceptMs: number): void {
    this.endMove();
    let isAccepting = acceptMs > 0;
    const stopAccepting = (): void => {
      isAccepting = false;
      this.listeners.close();
    };
    if (isAccepting) {
      this.loop.after(acceptMs, () => {
        stopAccepting();
        finishIfEmpty();
      });
    } else {
      stopAccepting();
    }
    for (const proxy of this.proxies) proxy.handOver();
    let isFinished = false;
    const finish = (): void => {
      // Cutting the last client empties its proxy, which would finish a second time.
      if (isFinished) return;
      isFinished = true;
      deadline.cancel();
      const cutConnections = this.proxies.reduce((sum, proxy) => sum + proxy.cut(), 0);
      this.batches.flush();
      this.loop.engine.destroy();
      this.tell({ kind: "drained", cutConnections });
      this.loop.stop();
    };
    const finishIfEmpty = (): void => {
      if (!isAccepting && this.proxies.every((proxy) => proxy.clients.size === 0)) finish();
    };
    const deadline = this.loop.after(deadlineMs, finish);
    for (const proxy of this.proxies) proxy.emptied = finishIfEmpty;
    finishIfEmpty();
    this.loop.after(acceptMs + lastRequestMs, () => {
      for (const proxy of this.proxies) proxy.drain();
      finishIfEmpty();
    });
  }

  private beat(): void {
    // Where nobody is picked, as with a cookie, this is who looks.
    for (const { backend } of this.proxies) {
      backend.targets.look();
      backend.lookAtLimits();
    }
    this.cells[ThreadCell.heartbeat]++;
    this.cells[ThreadCell.connectionsCurrent] = this.proxies.reduce(
      (sum, proxy) => sum + proxy.clients.size,
      0,
    );
    this.cells[ThreadCell.idlePercent] = this.loop.idlePercent();
    const { used, free } = this.loop.engine.pipeCounts;
    this.cells[ThreadCell.pipesUsed] = used;
    this.cells[ThreadCell.pipesFree] = free;
  }
}

const port = parentPort;
if (port !== null) {
  const data = workerData as DataThreadData;
  const tell = (message: FromDataThread): void => port.postMessage(message);
  /** Host names that the main thread is looking up for this one. */
  const asked = new Map<string, LookUpAnswer[]>();
  const { loop, reason } = await openLoop({
    engine: data.engine,
    port,
    wakeDescriptor: data.wakeDescriptor,
    ledgerBuffer: data.ledgerBuffer,
    lookUp: (host, answer) => {
      const waiting = asked.get(host);
      if (waiting !== undefined) {
        waiting.push(answer);
        return;
      }
      asked.set(host, [answer]);
      tell({ kind: "look-up", host });
    },
  });
  const thread = new DataThread(data, loop, tell);
  tell({ kind: "ready", engine: loop.engine.name, reason });
  loop.run((message) => {
    // The other end of the port is this package's own.
    const order = message as ToDataThread;
    switch (order.kind) {
      case "accept":
        thread.accept();
        break;
      case "hand-over":
        thread.handOver();
        break;
      case "move-away":
        thread.moveAway(order.deadlineMs);
        break;
      case "stay":
        thread.stay();
        break;
      case "drain":
        thread.drain(order.deadlineMs, order.acceptMs);
        break;
      case "entrances":
        thread.lookAtEntrances();
        break;
      case "certificates":
        thread.renewCertificates(order.certificates);
        break;
      case "log-thread":
        thread.logThreadStarted(order.port);
        break;
      case "inquire":
        thread.inquired.take(order.id, order.inquiry);
        break;
      case "go-on":
        thread.inquired.goOn(order.id);
        break;
      case "looked-up": {
        const waiting = asked.get(order.host) ?? [];
        asked.delete(order.host);
        for (const answer of waiting) answer(order.addresses, order.errorCode);
      }
    }
  });
}
