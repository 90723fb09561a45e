import { Nft } from "../handover/nft.js";
import type { Move } from "../handover/rules.js";
import type { RouteSocket } from "../netlink/route-socket.js";
import type { PeerMessage, StateMessage } from "../peer-link/message.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";

/** What a move needs of the peer links. */
export interface HandoverLinks {
  send(address: string, message: PeerMessage): boolean;
  isUp(address: string): boolean;
  isDialing(address: string): boolean;
  lastWord(address: string): StateMessage | null;
  linked(): readonly { readonly address: string; readonly said: StateMessage | null }[];
}

export interface HandoverOptions {
  readonly route: Pick<RouteSocket, "interface" | "putAddress" | "removeAddress">;
  readonly log: SpeakerLog;
  readonly links: HandoverLinks;
  /** How long the old master's connections may go on. */
  readonly drainMs: number;
  /** This node's own address on the way to a partner, and the interface's name. */
  place(instance: SpeakerInstance): { readonly interface: string; readonly address: string } | null;
  instance(partner: string, virtualRouterId: number, family: 4 | 6): SpeakerInstance | null;
  /** Connections that clients have with this node now. */
  connections(): number;
  /** This node's clients have another master now, and are served to the end: until `deadlineMs` at most. */
  onMovedAway(untilMs: number): void;
  /** The last of it is over. */
  onMoveEnded(): void;
}

/** A move that was made ready and does not come. */
export const unusedAfterMs = 5000;
/** Clients that have not heard of the move yet come here, at worst until it is announced a second time after 5 s. */
export const shortestLingerMs = 6000;
/** What the kernel's time-outs outlast ours by. */
export const lifetimeSlackMs = 2000;

/** What both sides of a move have: the tables, and whom to tell. */
export class MoveTools {
  readonly options: HandoverOptions;
  readonly nft = new Nft();
  #count = 0;

  constructor(options: HandoverOptions) {
    this.options = options;
  }

  move(instance: SpeakerInstance, drainMs: number): Move {
    this.#count++;
    const { virtualRouterId, family } = identify(instance);
    return {
      family,
      table: `tandem_${virtualRouterId}_${this.#count}`,
      addresses: instance.config.addresses
        .map(({ address }) => address)
        .filter((address) => !/^fe80:/i.test(address)),
      lifetimeMs: drainMs + lifetimeSlackMs,
    };
  }

  /** What cannot be undone ends by its time-out. */
  async clear(lines: readonly string[]): Promise<void> {
    try {
      await this.nft.run(lines);
    } catch (error) {
      this.options.log.warn({ event: "handover", err: error }, `nftables: ${messageOf(error)}`);
    }
  }

  note(instance: SpeakerInstance, message: string): void {
    const { name } = instance.config;
    this.options.log.info({ event: "handover", instance: name }, `${name}: ${message}`);
  }
}

export function identify({ config }: SpeakerInstance): {
  readonly virtualRouterId: number;
  readonly family: 4 | 6;
} {
  const family = config.addresses.some(({ address }) => address.includes(":")) ? 6 : 4;
  return { virtualRouterId: config.virtualRouterId, family };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
