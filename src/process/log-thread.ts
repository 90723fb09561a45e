import { type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { describeLogTarget } from "../config/log-section.js";
import type { LogBatch } from "../proxy/log/batches.js";
import { openTarget, type TargetWriter } from "./access-log-writer.js";
import { createLog } from "./log.js";
import type { FromLogThread, ToLogThread } from "./messages.js";

/**
 * The entry of the log thread: writes access logs to files and syslog, so that neither a slow disk nor a host name that
 * must be looked up holds up traffic, checks or adverts. Each data thread has a port of its own to it. A target is opened
 * by the first batch for it, and a reload is none of its business.
 */
const log = createLog("log");
const targets = new Map<string, TargetWriter>();

const news = (target: string, reason: string | null): void => {
  const fields = { target, ...(reason !== null && { code: "LB_ACCESS_LOG", reason }) };
  if (reason === null) log.info(fields, "the access log is written again");
  else log.error(fields, "the access log cannot be written to; lines are lost until it can");
};

const write = (batch: LogBatch): void => {
  const name = describeLogTarget(batch.target);
  let writer = targets.get(name);
  if (writer === undefined) {
    writer = openTarget(batch, news);
    targets.set(name, writer);
  }
  writer.write(batch);
};

/** Those of the data threads that are there. */
const ports = new Set<MessagePort>();

function hear(port: MessagePort): void {
  ports.add(port);
  // The other end of the port is this package's own, and says `LogBatch`es.
  port.on("message", write);
  port.on("close", () => ports.delete(port));
}

/** What the data threads have said until now, and the loop has not come to. */
function hearTheRest(): void {
  for (const port of ports) {
    for (;;) {
      const received = receiveMessageOnPort(port);
      if (received === undefined) break;
      write(received.message);
    }
  }
}

const main = parentPort;
const tell = (message: FromLogThread): void => main?.postMessage(message);
main?.on("message", (order: ToLogThread) => {
  if (order.kind === "hear") {
    hear(order.port);
    return;
  }
  hearTheRest();
  void Promise.all([...targets.values()].map((writer) => writer.idle())).then(() =>
    tell({ kind: "written" }),
  );
});
tell({ kind: "ready" });
