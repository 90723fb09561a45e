import { setTimeout as sleep } from "node:timers/promises";
import netlink from "node-netlink";
import t, { type Test } from "tap";
import { NetlinkChannel } from "../../../src/netlink/netlink-channel.js";

const getLink = 18;
const dump = 0x300;
const linkHeaderBytes = 16;
/** More than the first attempt waits. */
const lateMs = 450;

t.test("an answer that comes after it was given up is asked for again, and prints nothing", async (t) => {
  const { late } = await delayFirstAnswer(t);
  const opened = t.capture(netlink, "open", netlink.open);
  const printed = t.capture(console, "warn", () => {});
  const channel = await NetlinkChannel.open();
  t.teardown(() => channel.close());
  const packets = await channel.request("the links", getLink, dump, Buffer.alloc(linkHeaderBytes));
  t.ok(packets.length > 0, "the second attempt has it");
  t.equal(opened().length, 2, "over a socket of its own");
  await late;
  await sleep(50);
  t.same(
    printed().map(({ args }) => args),
    [],
  );
});

/** node-netlink's own reader has the answer, and tells of it too late. Resolves when it has. */
async function delayFirstAnswer(t: Test): Promise<{ readonly late: Promise<void> }> {
  const name = "po6";
  const { default: calls } = await import(name);
  const { recvmsg } = calls;
  let told = (): void => {};
  const late = new Promise<void>((resolve) => {
    told = resolve;
  });
  calls.recvmsg = async (words: unknown): Promise<unknown> => {
    calls.recvmsg = recvmsg;
    const answer = await recvmsg(words);
    await sleep(lateMs);
    told();
    return answer;
  };
  t.teardown(() => {
    calls.recvmsg = recvmsg;
  });
  return { late };
}
