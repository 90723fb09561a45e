import { setImmediate } from "node:timers/promises";
import { BroadcastChannel, parentPort } from "node:worker_threads";
import { describeLogTarget } from "../config/log-section.js";
import type { LogBatch } from "../proxy/log/batches.js";
import { accessLogChannelName } from "./access-log-channel.js";
import { openTarget, type TargetWriter } from "./access-log-writer.js";
import { createLog } from "./log.js";

/**
 * The entry of the log thread: writes access logs to files and syslog, so that neither a slow disk nor a host name that
 * must be looked up holds up traffic, checks or adverts. A target is opened by the first batch for it, and a reload is
 * none of its business. Any message asks it to write what it has; the answer comes when that is done.
 */
const log = createLog("log");
const targets = new Map<string, TargetWriter>();

const news = (target: string, reason: string | null): void => {
  const fields = { target, ...(reason !== null && { code: "LB_ACCESS_LOG", reason }) };
  if (reason === null) log.info(fields, "the access log is written again");
  else log.error(fields, "the access log cannot be written to; lines are lost until it can");
};

const channel = new BroadcastChannel(accessLogChannelName);
channel.onmessage = (event: unknown) => {
  // The other end of the channel is this package's own.
  const batch = Reflect.get(Object(event), "data") as LogBatch;
  const name = describeLogTarget(batch.target);
  let writer = targets.get(name);
  if (writer === undefined) {
    writer = openTarget(batch, news);
    targets.set(name, writer);
  }
  writer.write(batch);
};

const port = parentPort;
port?.on("message", () => {
  void (async () => {
    // The data threads' last batches come in on the next turns of the loop.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
    await Promise.all([...targets.values()].map((writer) => writer.idle()));
    port.postMessage("written");
  })();
});
port?.postMessage("ready");
