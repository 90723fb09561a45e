import { performance } from "node:perf_hooks";
import type { MessagePort } from "node:worker_threads";
import type { EngineLoop, LoopTimer } from "../engine.js";
import { PortableEngine } from "./portable-engine.js";

/** Node's own loop. */
export class PortableLoop implements EngineLoop {
  readonly engine = new PortableEngine();
  private before = performance.eventLoopUtilization();

  constructor(private readonly port: MessagePort) {}

  after(ms: number, callback: () => void): LoopTimer {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  }

  every(ms: number, callback: () => void): LoopTimer {
    const timer = setInterval(callback, ms);
    return { cancel: () => clearInterval(timer) };
  }

  idlePercent(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.before);
    this.before = now;
    return Math.round(100 * (1 - utilization));
  }

  run(receive: (message: unknown) => void): void {
    this.port.on("message", receive);
  }

  /** The thread stays until the main thread ends it. */
  stop(): void {}
}
