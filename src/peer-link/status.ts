import type { NodeLoad } from "./message.js";

/** What an operator may know of the peer links of this node. */
export interface PeerLinkStatus {
  readonly port: number;
  readonly partners: readonly PartnerStatus[];
  /** Connections that were refused, by reason code. */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface PartnerStatus {
  readonly address: string;
  /** Its name as it says itself; null: it has said nothing yet. */
  readonly node: string | null;
  readonly phase: "down" | "dialing" | "up" | "checking";
  /** Wall clock, ms since 1970, of the last change. */
  readonly sinceEpochMs: number;
  /** Why it is in this phase, without a full stop. */
  readonly reason: string;
  /** What it last said that it balances; null: it has not said. */
  readonly load: NodeLoad | null;
  /** What it last said of each virtual router. */
  readonly routers: readonly {
    readonly virtualRouterId: number;
    readonly family: 4 | 6;
    readonly state: string;
    readonly priority: number;
    readonly reason: string;
  }[];
}
