import { BroadcastChannel, receiveMessageOnPort } from "node:worker_threads";

/** Those that this thread speaks on. */
const opened: BroadcastChannel[] = [];

/** A channel that this thread only speaks on; it keeps no process alive. */
export function speakOn(name: string): BroadcastChannel {
  const channel = new BroadcastChannel(name);
  channel.unref();
  opened.push(channel);
  return channel;
}

/**
 * Drops what the other threads have said on those channels, and returns how many messages that were. Whoever has opened a
 * channel is told everything that others say there. Where Node's loop turns it goes to nobody; in a thread of the direct engine
 * that loop does not turn, and the others' log lines would pile up for as long as the thread lives.
 */
export function dropHeard(): number {
  let count = 0;
  for (const channel of opened) while (hasHeard(channel)) count++;
  return count;
}

/** Node takes a BroadcastChannel here too; its types know of MessagePort alone. */
const hasHeard = (channel: BroadcastChannel): boolean =>
  Reflect.apply(receiveMessageOnPort, undefined, [channel]) !== undefined;
