// Loaded into the daemon by the tests (`node --import`), in front of every one of its threads: the first data thread
// that finds the file $SABOTAGE does what it says, the main thread does so with $SABOTAGE.main, the control thread with
// $SABOTAGE.control and the log thread, which is given nothing at its start, with $SABOTAGE.log. The daemon itself has no
// such door.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";

const file = process.env.SABOTAGE;

function look(file) {
  if (!existsSync(file)) return;
  const order = readFileSync(file, "utf8");
  rmSync(file);
  if (order === "throw") throw new Error("sabotage");
  if (order === "spin") for (;;);
  if (order.startsWith("spin ")) {
    // Not performance.now, which comes here.
    const untilMs = Date.now() + Number(order.slice(5));
    while (Date.now() < untilMs);
  }
}

/** In a thread whose loop is not Node's no timer fires; but whoever turns a loop asks what time it is. */
function obey(file) {
  setInterval(() => look(file), 20).unref();
  const now = performance.now.bind(performance);
  performance.now = () => {
    look(file);
    return now();
  };
}

function obeyFromTheStart(file) {
  if (existsSync(`${file}.always`)) throw new Error("sabotage at the start");
  obey(file);
}

if (file !== undefined) {
  if (isMainThread) obey(`${file}.main`);
  else if (workerData?.threadIndex === 0) obeyFromTheStart(file);
  else if (workerData?.known !== undefined) obeyFromTheStart(`${file}.control`);
  else if (Object.keys(workerData ?? {}).length === 0) obeyFromTheStart(`${file}.log`);
}
