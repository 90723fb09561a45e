import { lookup } from "node:dns/promises";
import { writeSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { closeDescriptor } from "../netlink/listening-socket.js";
import { openEventDescriptor } from "../netlink/system-calls.js";
import { DescriptorLedger } from "../proxy/engine/direct/descriptor-ledger.js";
import type { DataThreadData, FromDataThread, ToDataThread } from "./messages.js";
import { startThread, type ThreadEvents, type ThreadHost } from "./thread-host.js";

const entry = new URL("../proxy/data-thread.js", import.meta.url);

/** 1 as eventfd(2) wants it, in either byte order of the machine. */
const one = new Uint8Array(BigUint64Array.of(1n).buffer);

/**
 * Starts a data thread, whose loop may block in the kernel: each message is followed by a wake-up, and so is the order to
 * end. When the thread is gone, what it had opened past Node is closed.
 */
export function startDataThread(
  name: string,
  data: Omit<DataThreadData, "wakeDescriptor" | "ledgerBuffer">,
  events: ThreadEvents<FromDataThread>,
): ThreadHost<ToDataThread> {
  const wakeDescriptor = openEventDescriptor();
  const ledger = new DescriptorLedger();
  let isGone = false;
  const wake = (): void => {
    if (!isGone) writeSync(wakeDescriptor, one);
  };
  const post = (message: ToDataThread, ports?: readonly MessagePort[]): void => {
    host.post(message, ports);
    wake();
  };
  const host = startThread<ToDataThread, FromDataThread>(
    name,
    entry,
    { ...data, wakeDescriptor, ledgerBuffer: ledger.buffer } satisfies DataThreadData,
    {
      message: (message) => {
        if (message.kind === "look-up") lookUp(message.host, post);
        else events.message(message);
      },
      gone: (reason, error) => {
        isGone = true;
        closeDescriptor(wakeDescriptor);
        for (const descriptor of ledger.list()) closeDescriptor(descriptor);
        events.gone(reason, error);
      },
    },
    data.logPort === null ? [] : [data.logPort],
  );
  return {
    post,
    terminate: () => {
      host.terminate();
      wake();
    },
  };
}

/** Every address of a host, in libuv's pool, for a thread that cannot wait for it. */
function lookUp(host: string, post: (message: ToDataThread) => void): void {
  lookup(host, { all: true }).then(
    (found) =>
      post({ kind: "looked-up", host, addresses: found.map(({ address }) => address), errorCode: null }),
    (error: NodeJS.ErrnoException) =>
      post({ kind: "looked-up", host, addresses: [], errorCode: error.code ?? "ENOTFOUND" }),
  );
}
