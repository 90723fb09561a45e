import type { PeerLinkStatus } from "../peer-link/status.js";

/** What an operator may know of one VRRP instance: the value that passes to the control thread and on to users. */
export interface VrrpStatus {
  readonly name: string;
  readonly interface: string;
  readonly virtualRouterId: number;
  readonly state: VrrpStateName;
  /** Wall clock, ms since 1970, of the last transition. */
  readonly sinceEpochMs: number;
  /** Why the instance is in this state, as one sentence without a full stop. */
  readonly reason: string;
  /** The effective one, as advertised. */
  readonly priority: number;
  /** The configured one. */
  readonly basePriority: number;
  /** What makes the difference: `script check is down`, −20. */
  readonly contributions: readonly { readonly weight: number; readonly reason: string }[];
  /** What of the configuration will not do what it seems to, now that the partner has been heard. */
  readonly advice: readonly string[];
  /** Virtual addresses, `192.168.33.84/24`. */
  readonly addresses: readonly string[];
  /** The other routers heard, most recent first. */
  readonly partners: readonly PartnerStatus[];
  readonly advertsSent: number;
  readonly advertsReceived: number;
  /** Dropped adverts by reason code. */
  readonly drops: Readonly<Record<string, number>>;
  /** The same by reason and source, with what is wrong, most recent first. */
  readonly dropDetails: readonly DropStatus[];
  /** Times that this node became master since its start. */
  readonly becameMaster: number;
  /** Who is master and why, as far as this node knows. */
  readonly master: string;
  /** What would happen if this process ended now. */
  readonly ifStopped: string;
  /** An operator wants it to be backup. */
  readonly drained: boolean;
  readonly splitBrain: SplitBrainStatus;
  /** Null: there is no peer link. */
  readonly peerLink: PeerLinkStatus | null;
}

export interface DropStatus {
  readonly reason: string;
  readonly source: string;
  /** What is wrong with which value, and what to do. */
  readonly sentence: string;
  readonly count: number;
  readonly lastEpochMs: number;
}

/** Two masters at the same time, seen by one of them. */
export interface SplitBrainStatus {
  readonly active: boolean;
  /** Wall clock, ms since 1970; null: it is not active. */
  readonly sinceEpochMs: number | null;
  readonly other: string | null;
  /** How this node knows. */
  readonly how: string | null;
  /** Times since the start. */
  readonly times: number;
}

export type VrrpStateName = "INIT" | "BACKUP" | "MASTER" | "FAULT";

export interface PartnerStatus {
  readonly address: string;
  readonly priority: number;
  /** Wall clock, ms since 1970. */
  readonly lastHeardEpochMs: number;
}
