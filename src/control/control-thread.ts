/** The control thread's entry. An exception or rejection that nobody foresaw ends it, and main starts another. */
import { parentPort, workerData } from "node:worker_threads";
import { logConsole } from "../process/console-lines.js";
import { createLog } from "../process/log.js";
import type { ControlThreadData, ToControlThread } from "../process/messages.js";
import { Control } from "./control.js";

if (parentPort === null) throw new Error("the control thread is started by the main thread");
const port = parentPort;
const data: ControlThreadData = workerData;

const log = createLog("control");
logConsole(log);
const control = new Control(data, log, (message) => {
  port.postMessage(message);
  // With no orders to wait for and every handle gone, the thread ends by itself.
  if (message.kind === "stopped") port.off("message", take);
});

// One message after the other, and none before the start is over.
let turn = control.start();
const take = (message: ToControlThread): void => {
  turn = turn.then(() => control.handle(message));
};
port.on("message", take);
