import type { MessagePort } from "node:worker_threads";
import { LbError } from "../../errors.js";
import { DescriptorLedger } from "./direct/descriptor-ledger.js";
import type { LookUp } from "./direct/host-names.js";
import type { EngineLoop } from "./engine.js";
import { PortableLoop } from "./portable/portable-loop.js";

export interface LoopOptions {
  readonly engine: "auto" | "direct" | "portable";
  readonly port: MessagePort;
  readonly wakeDescriptor: number;
  readonly ledgerBuffer: SharedArrayBuffer;
  readonly lookUp: LookUp;
}

/**
 * The loop of a data thread, over the engine that was asked for. `auto` is the direct one where it can be had; `reason`
 * says why it cannot, and is null otherwise. LbError LB_ENGINE: the direct engine was asked for by name and cannot be had.
 */
export async function openLoop(
  options: LoopOptions,
): Promise<{ readonly loop: EngineLoop; readonly reason: string | null }> {
  if (options.engine === "portable") return { loop: new PortableLoop(options.port), reason: null };
  try {
    return { loop: await openDirectLoop(options), reason: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (options.engine === "auto") return { loop: new PortableLoop(options.port), reason };
    throw new LbError(
      "LB_ENGINE",
      `the direct engine cannot be used: ${reason}`,
      "write engine: auto, or engine: portable",
      { cause: error },
    );
  }
}

async function openDirectLoop({
  port,
  wakeDescriptor,
  ledgerBuffer,
  lookUp,
}: LoopOptions): Promise<EngineLoop> {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64"))
    throw new Error(`it needs Linux on x86-64 or arm64, and this is ${process.platform} on ${process.arch}`);
  // Only now: koffi is not there on every machine.
  const { DirectLoop } = await import("./direct/direct-loop.js");
  return new DirectLoop({ port, wakeDescriptor, ledger: new DescriptorLedger(ledgerBuffer), lookUp });
}
