import type { ConnectTarget } from "../engine.js";
import type { SocketAddress } from "./kernel.js";
import { encodeSocketAddress } from "./socket-address.js";

/**
 * Looks a host name up outside of this thread, whose loop blocks, and answers on a later turn: literals, the preferred one
 * first; none when there is none, and then `errorCode` says why.
 */
export type LookUp = (host: string, answer: LookUpAnswer) => void;
export type LookUpAnswer = (addresses: readonly string[], errorCode: string | null) => void;

/** An answer that is older is asked for again at the next use, and serves until the new one is there. */
const freshMs = 10_000;

interface Entry {
  addresses: readonly SocketAddress[];
  answeredMs: number;
  asking: boolean;
  readonly waiting: ((addresses: readonly SocketAddress[], errorCode: string) => void)[];
}

/** Where the targets of one thread are. A name's last good answer is held as long as no better one comes. */
export class HostNames {
  private readonly entries = new Map<ConnectTarget, Entry>();

  constructor(
    private readonly lookUp: LookUp,
    private readonly now: () => number,
  ) {}

  /** The addresses of `target` in the order in which to try them, or null: they come by `answer`. */
  addresses(
    target: ConnectTarget,
    answer: (addresses: readonly SocketAddress[], errorCode: string) => void,
  ): readonly SocketAddress[] | null {
    const entry = this.entries.get(target) ?? this.add(target);
    if (entry.answeredMs === Infinity) return entry.addresses;
    if (!entry.asking && this.now() - entry.answeredMs > freshMs) this.ask(target, entry);
    if (entry.addresses.length > 0) return entry.addresses;
    entry.waiting.push(answer);
    return null;
  }

  private add(target: ConnectTarget): Entry {
    const literal = encodeSocketAddress(target.host, target.port);
    const entry: Entry = {
      addresses: literal === null ? [] : [literal],
      answeredMs: literal === null ? Number.NEGATIVE_INFINITY : Infinity,
      asking: false,
      waiting: [],
    };
    this.entries.set(target, entry);
    return entry;
  }

  private ask(target: ConnectTarget, entry: Entry): void {
    entry.asking = true;
    this.lookUp(target.host, (literals, errorCode) => {
      entry.asking = false;
      const addresses = literals
        .map((literal) => encodeSocketAddress(literal, target.port))
        .filter((address) => address !== null);
      if (addresses.length > 0) {
        entry.addresses = addresses;
        entry.answeredMs = this.now();
      }
      for (const answer of entry.waiting.splice(0)) answer(entry.addresses, errorCode ?? "ENOTFOUND");
    });
  }
}
