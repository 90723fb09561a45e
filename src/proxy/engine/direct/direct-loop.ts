import { performance } from "node:perf_hooks";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { EngineLoop, LoopTimer } from "../engine.js";
import type { DescriptorLedger } from "./descriptor-ledger.js";
import { DirectEngine } from "./direct-engine.js";
import type { LookUp } from "./host-names.js";

/** The loop turns at least so often, so that an end that nobody wakes it for is seen. */
const longestWaitMs = 200;

export interface DirectLoopOptions {
  /** Where the main thread's messages arrive. */
  readonly port: MessagePort;
  /** eventfd(2) of the main thread, written after each message and before the thread is ended. */
  readonly wakeDescriptor: number;
  readonly ledger: DescriptorLedger;
  readonly lookUp: LookUp;
}

/** The loop of a data thread that blocks in the kernel. Node's own loop does not turn in such a thread. */
export class DirectLoop implements EngineLoop {
  readonly engine: DirectEngine;
  private readonly port: MessagePort;
  private readonly wakeDescriptor: number;
  private isStopped = false;
  private lookedMs = performance.now();
  private waitedMs = 0;

  /** Throws where the system calls cannot be made. */
  constructor({ port, wakeDescriptor, ledger, lookUp }: DirectLoopOptions) {
    this.engine = new DirectEngine({ lookUp, ledger });
    this.port = port;
    this.wakeDescriptor = wakeDescriptor;
  }

  after(ms: number, callback: () => void): LoopTimer {
    return this.engine.after(ms, callback);
  }

  every(ms: number, callback: () => void): LoopTimer {
    return this.engine.every(ms, callback);
  }

  idlePercent(): number {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.lookedMs;
    const waitedMs = this.engine.waitedMs - this.waitedMs;
    this.lookedMs = nowMs;
    this.waitedMs = this.engine.waitedMs;
    return elapsedMs <= 0 ? 100 : Math.min(100, Math.round((100 * waitedMs) / elapsedMs));
  }

  run(receive: (message: unknown) => void): void {
    const takeMessages = (): void => {
      for (;;) {
        const received = receiveMessageOnPort(this.port);
        if (received === undefined) return;
        receive(received.message);
      }
    };
    this.engine.watchWakeUps(this.wakeDescriptor, takeMessages);
    try {
      takeMessages();
      while (!this.isStopped) this.engine.turn(longestWaitMs);
    } finally {
      this.engine.destroy();
      this.engine.close();
    }
  }

  stop(): void {
    this.isStopped = true;
  }
}
