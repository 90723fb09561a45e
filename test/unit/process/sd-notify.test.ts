import t from "tap";
import { SdNotify } from "../../../src/process/sd-notify.js";
import { DatagramReceiver } from "./datagram-receiver.js";

for (const kind of ["path", "abstract"] as const) {
  t.test(`a service manager with a socket of kind ${kind} gets each message as one datagram`, async (t) => {
    const receiver = await DatagramReceiver.open(t, kind);
    const notify = SdNotify.open({ NOTIFY_SOCKET: receiver.name });
    t.equal(notify?.send("READY=1", "STATUS=serving\nEXIT_STATUS=1"), true);
    t.equal(await receiver.next(), "READY=1\nSTATUS=serving EXIT_STATUS=1");
    t.equal(notify?.send("WATCHDOG=1"), true);
    t.equal(await receiver.next(), "WATCHDOG=1");
    await receiver.close();
    t.equal(notify?.send("STOPPING=1"), false, "and a manager that is gone hurts nobody");
    notify?.close();
  });
}

t.test("without a service manager there is nothing to notify", async (t) => {
  t.equal(SdNotify.open({}), null);
  t.equal(SdNotify.open({ NOTIFY_SOCKET: "" }), null);
  t.equal(SdNotify.open({ NOTIFY_SOCKET: "vsock:2:1234" }), null);
});

t.test("the watchdog is for the process that it names", async (t) => {
  const watchdogMs = (environment: Record<string, string>): number | null | undefined => {
    const notify = SdNotify.open({ NOTIFY_SOCKET: "/nowhere/at/all", ...environment });
    notify?.close();
    return notify?.watchdogMs;
  };
  t.equal(watchdogMs({ WATCHDOG_USEC: "10000000" }), 10_000);
  t.equal(watchdogMs({ WATCHDOG_USEC: "10000000", WATCHDOG_PID: String(process.pid) }), 10_000);
  t.equal(watchdogMs({ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "1" }), null);
  t.equal(watchdogMs({}), null);
  t.equal(watchdogMs({ WATCHDOG_USEC: "soon" }), null);
});
