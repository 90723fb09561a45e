import type { LogBatch } from "../proxy/log/batches.js";
import { type AccessLogText, logChannelName } from "./log.js";
import { speakOn } from "./one-way-channel.js";

/** Carries the data threads' batches to the log thread. */
export const accessLogChannelName = "lb-access-log";

/**
 * A data thread's way to the access logs: lines for stdout go where the daemon's own go, to the main thread, so that
 * nothing is written between two of them; all others to the log thread.
 */
export function openAccessLogChannel(): (batch: LogBatch) => void {
  const toMain = speakOn(logChannelName);
  const toLogThread = speakOn(accessLogChannelName);
  return (batch) => {
    if (batch.target.kind === "stdout") toMain.postMessage({ access: batch.text } satisfies AccessLogText);
    else toLogThread.postMessage(batch);
  };
}
