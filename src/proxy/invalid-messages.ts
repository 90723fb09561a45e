import { ThreadCell } from "./stats/layout.js";
import type { StatsTable } from "./stats/table.js";

/** A request or a response that broke a rule of HTTP, as HAProxy keeps it for `show errors`. */
export interface InvalidMessage {
  readonly kind: "request" | "response";
  /** Whose it is: the frontend of a request, the backend of a response. */
  readonly proxy: string;
  /** The other side's: the backend that a request had got to, or the frontend of a response; null: none. */
  readonly otherSide: string | null;
  readonly server: string | null;
  readonly atEpochMs: number;
  /** Its number, from 0, among those of the process. */
  readonly event: number;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** The parser's reason, such as `bare-lf`. */
  readonly reason: string;
  /** A copy of what came, at most `keptBytes`: the head, or the piece of the body that broke. */
  readonly bytes: Uint8Array;
  /** Offset in `bytes` of the byte that broke it; null: what is in `bytes` is a head, and a parse of it tells. */
  readonly at: number | null;
  readonly maxHeadBytes: number;
}

/** Who broke a rule, and where in `bytes[start, end)`; the rest of `InvalidMessage` is added. */
export interface Breach extends Omit<InvalidMessage, "event" | "at"> {
  readonly start: number;
  readonly end: number;
  /** Offset in `bytes`, as `start` is. */
  readonly at: number | null;
}

/** HAProxy's buffer. */
export const keptBytes = 16_384;

/**
 * The last invalid request and the last invalid response of every proxy in one data thread: nothing is kept of those before,
 * so what this holds is bounded by the configuration. It costs nothing until a message is invalid.
 */
export class InvalidMessages {
  private readonly kept = new Map<string, InvalidMessage>();

  constructor(
    private readonly table: StatsTable,
    private readonly threadIndex: number,
  ) {}

  keep(breach: Breach): void {
    const { start, end, bytes, at, ...facts } = breach;
    const { blocks } = this.table;
    const event = blocks.reduce((sum, block) => sum + block[ThreadCell.invalidMessages], 0);
    blocks[this.threadIndex][ThreadCell.invalidMessages]++;
    this.kept.set(`${facts.kind} ${facts.proxy}`, {
      ...facts,
      event,
      // Not `slice`, which copies nothing of a Buffer.
      bytes: new Uint8Array(bytes.subarray(start, Math.min(end, start + keptBytes))),
      at: at === null ? null : at - start,
    });
  }

  list(): InvalidMessage[] {
    return [...this.kept.values()];
  }
}
