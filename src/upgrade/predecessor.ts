import { LbError } from "../errors.js";
import { closeDescriptor, duplicateDescriptor } from "../netlink/listening-socket.js";
import { Channel } from "./channel.js";
import {
  type Counts,
  type InheritMessage,
  readToSuccessor,
  type TakeMessage,
  type ToPredecessor,
  type ToSuccessor,
  upgradeProtocol,
  upgradeVariable,
} from "./message.js";

/** It has sent what is inherited before this process was there. */
const inheritLimitMs = 5000;
/** The start of a thread on a busy machine is in it. */
const takeLimitMs = 60_000;

/** The process whose place this one takes, as this one sees it. */
export class Predecessor {
  private readonly channel: Channel;
  private readonly queue: ToSuccessor[] = [];
  private isGone = false;
  private wake: () => void = () => {};
  /** What it left, with descriptors of this process's own. */
  inherit: InheritMessage | null = null;
  onCounts: (counts: Counts, connections: number) => void = () => {};
  onGone: () => void = () => {};

  private constructor(descriptor: number) {
    this.channel = new Channel(own(descriptor), {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => {
        this.isGone = true;
        this.wake();
        this.onGone();
      },
    });
  }

  /**
   * Null: this process takes nobody's place. Resolves when it is known what is inherited. Throws LbError LB_UPGRADE where the
   * environment names a descriptor on which nobody speaks.
   */
  static async meet(
    environment: Record<string, string | undefined>,
    version: string,
  ): Promise<Predecessor | null> {
    const named = environment[upgradeVariable];
    if (named === undefined) return null;
    // Programs that this one starts are no successors.
    delete environment[upgradeVariable];
    const descriptor = Number(named);
    let predecessor: Predecessor;
    try {
      predecessor = new Predecessor(descriptor);
    } catch (error) {
      throw new LbError(
        "LB_UPGRADE",
        `${upgradeVariable}=${named} names no descriptor of a process to follow`,
        `unset ${upgradeVariable}: the daemon sets it for its successor`,
        { cause: error },
      );
    }
    predecessor.tell({ kind: "hello", protocol: upgradeProtocol, version, pid: process.pid });
    const inherit = await predecessor.next("inherit", inheritLimitMs);
    if (inherit.protocol !== upgradeProtocol) {
      const reason = `this version takes over by protocol ${upgradeProtocol}, the running one offers ${inherit.protocol}: restart it`;
      predecessor.refuse(false, [reason]);
      throw new LbError("LB_UPGRADE", reason, "restart the service instead of upgrading it");
    }
    const sockets = inherit.sockets.map((socket) => ({ ...socket, descriptor: own(socket.descriptor) }));
    predecessor.inherit = { ...inherit, sockets };
    return predecessor;
  }

  /** Everything is open. Resolves when the other one stands still. Throws LbError LB_UPGRADE when it is gone or does not. */
  ready(): Promise<TakeMessage> {
    this.tell({ kind: "ready" });
    return this.next("take", takeLimitMs);
  }

  /** VRRP is this process's. Resolves when the service manager knows; what becomes of the other one matters no more. */
  async taken(): Promise<void> {
    this.tell({ kind: "taken" });
    await this.next("go", inheritLimitMs).catch(() => {});
  }

  /** This process cannot take over, and ends. `isConfig`: for what is in the configuration. */
  refuse(isConfig: boolean, problems: readonly string[]): void {
    this.tell({ kind: "refused", isConfig, problems: [...problems] });
    this.channel.close();
  }

  private tell(message: ToPredecessor): void {
    this.channel.send(message);
  }

  private async next<Kind extends ToSuccessor["kind"]>(
    kind: Kind,
    limitMs: number,
  ): Promise<Extract<ToSuccessor, { kind: Kind }>> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.wake();
    }, limitMs);
    try {
      for (;;) {
        const message = this.queue.shift();
        if (isKind(message, kind)) return message;
        if (message !== undefined) continue;
        if (isLate || this.isGone) {
          throw new LbError(
            "LB_UPGRADE",
            `the running process ${this.isGone ? "is gone" : "says nothing"}, and this one does not follow it`,
            "start the service anew",
          );
        }
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private onMessage(value: unknown): void {
    const message = readToSuccessor(value);
    if (message === null) return;
    if (message.kind === "counts") this.onCounts(message.counts, message.connections);
    else this.queue.push(message);
    this.wake();
  }
}

function isKind<Kind extends ToSuccessor["kind"]>(
  message: ToSuccessor | undefined,
  kind: Kind,
): message is Extract<ToSuccessor, { kind: Kind }> {
  return message?.kind === kind;
}

/** An inherited descriptor is everybody's whom this process starts; its duplicate is not. */
function own(descriptor: number): number {
  const copy = duplicateDescriptor(descriptor);
  closeDescriptor(descriptor);
  return copy;
}
