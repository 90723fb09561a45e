/// <reference path="./untyped/node-netlink.d.ts" />
import netlink, { type NetlinkSocket, type Packet } from "node-netlink";
import { LbError } from "../errors.js";
import { errnoName } from "./errno.js";
import { refusalError, talkError, timedOutText, timeoutCode } from "./netlink-errors.js";
import { MessageFlag } from "./rtnetlink-message.js";

const NETLINK_ROUTE = 0n;
/**
 * A request waits for a second in all. An answer takes some 0.3 ms, so one that has not come after the first span means
 * that node-netlink's reader has died in silence (an interrupted system call will do), and a fresh socket is tried. To
 * make a request twice does no harm: each says what shall be, not what to change.
 */
const FIRST_ATTEMPT_MS = 300;
const SECOND_ATTEMPT_MS = 700;
const OPEN_TIMEOUT_MS = 1000;

/**
 * One request after the other to the kernel's rtnetlink, over node-netlink: on a socket that is made anew when it no longer
 * answers. An open one keeps the process alive and one thread of libuv's pool busy.
 */
export class NetlinkChannel {
  #socket: NetlinkSocket | null;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** Throws LbError LB_NETLINK_*. */
  static async open(): Promise<NetlinkChannel> {
    return new NetlinkChannel(await openSocket());
  }

  /**
   * The packets of the answer to one request, in two attempts. Not while another one is under way. `what`: as an error says it.
   * Errors: LB_PERMISSION, LB_NETLINK_*.
   */
  async request(what: string, type: number, flags: number, payload: Uint8Array): Promise<Packet[]> {
    try {
      return await this.#attempt(what, type, flags, payload, FIRST_ATTEMPT_MS);
    } catch (error) {
      if (!(error instanceof LbError) || error.code !== timeoutCode) throw error;
    }
    return this.#attempt(what, type, flags, payload, SECOND_ATTEMPT_MS);
  }

  async #attempt(
    what: string,
    type: number,
    flags: number,
    payload: Uint8Array,
    timeout: number,
  ): Promise<Packet[]> {
    this.#socket ??= await openSocket();
    const socket = this.#socket;
    const header = {
      nlmsg_type: BigInt(type),
      nlmsg_flags: BigInt(flags | MessageFlag.request | MessageFlag.ack),
    };
    const answer = await socket
      .tryTalk({ header, payload: Buffer.from(payload) }, { timeout })
      .catch((cause) => {
        ignoreLateAnswers(socket);
        void this.close();
        throw talkError(what, cause);
      });
    if (answer.errorCode !== 0) throw refusalError(what, errnoName(answer.errorCode));
    return answer.packets;
  }

  /** A later request opens it again. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    // A socket whose reader has died never finishes closing, or has done so already.
    if (socket !== null) await withinTimeout(socket.close()).catch(() => undefined);
  }
}

/**
 * What was given up is asked again on another socket, and an error of ours says so if that fails as well. node-netlink would print two lines
 * of its own to stderr for the answer that comes after all.
 */
function ignoreLateAnswers(socket: NetlinkSocket): void {
  socket.on("message", () => undefined).removeAllListeners("message");
}

async function openSocket(): Promise<NetlinkSocket> {
  const opening = netlink.open({ family: NETLINK_ROUTE });
  try {
    return await withinTimeout(opening);
  } catch (cause) {
    // One that opens after all would hold its thread for ever.
    opening.then((late) => late.close()).catch(() => undefined);
    throw talkError("opening a netlink socket", cause);
  }
}

/** node-netlink works through libuv's pool of threads, and not at all while others occupy every one of them. */
async function withinTimeout<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(timedOutText)), OPEN_TIMEOUT_MS);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
