/**
 * What the dashboard in the browser is told, as JSON: a whole `DashboardState` each second, and the history once. Shared by
 * the control thread, which makes it, and by the page, which shows it.
 */
export interface DashboardState {
  readonly format: typeof dashboardFormat;
  readonly nowEpochMs: number;
  /** This node first, then the partners that it has heard or has a link with. */
  readonly nodes: readonly NodeSummary[];
  readonly instances: readonly InstanceSummary[];
  readonly proxies: readonly ProxySummary[];
  /** The servers of each partner with a peer link. */
  readonly partners: readonly PartnerServersSummary[];
  /** Where both nodes see the same server differently. */
  readonly findings: readonly Finding[];
  /** The oldest first. */
  readonly events: readonly DashboardEvent[];
  /** Why nothing can be changed from here; null: it can. */
  readonly readOnly: string | null;
  readonly sample: Sample;
}

/** A page of another version of this program loads itself again. */
export const dashboardFormat = 3;

export interface NodeSummary {
  readonly name: string;
  readonly isSelf: boolean;
  /** How this node knows of it: `version 0.1.0, up 3 days`, `peer link up`, `adverts alone`. */
  readonly how: string;
  /** Nothing is known of its present state. */
  readonly isSilent: boolean;
  /** State of each virtual router there; `instance` is the name that it has here. */
  readonly routers: readonly {
    readonly instance: string;
    readonly state: string;
    readonly priority: number;
  }[];
  readonly load: LoadSummary | null;
}

export interface LoadSummary {
  readonly requestsPerSecond: number | null;
  readonly connections: number;
  readonly serversUp: number;
  readonly serversTotal: number;
}

export interface InstanceSummary {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly state: string;
  readonly sinceEpochMs: number;
  readonly reason: string;
  /** Who is master and why, as far as this node knows. */
  readonly master: string;
  readonly ifStopped: string;
  readonly priority: number;
  readonly isDrained: boolean;
  readonly splitBrain: string | null;
  readonly advice: readonly string[];
}

export type Tone = "ok" | "warn" | "bad" | "dim";

export interface ProxySummary {
  readonly name: string;
  readonly listen: readonly string[];
  readonly requestsPerSecond: number | null;
  /** Of its servers together, in the last minute; null: nothing was answered. */
  readonly latency: Percentiles | null;
  readonly servers: readonly ServerSummary[];
}

/** Upper bounds in ms, to the head of the response, or in mode tcp to the connection; null: longer than 50 s. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface ServerSummary {
  readonly name: string;
  readonly address: string;
  readonly status: string;
  readonly tone: Tone;
  /** What its last check said, or why it is as it is. */
  readonly detail: string;
  readonly admin: "ready" | "drain" | "maint";
  readonly weight: number;
  readonly sessions: number;
  readonly requestsPerSecond: number;
  readonly responseMs: number;
  /** Of the last minute; null: nothing was answered. */
  readonly latency: Percentiles | null;
  /** Failed connections and bad responses since the start. */
  readonly errors: number;
}

export interface PartnerServersSummary {
  /** Its name, or its address while it has said none. */
  readonly node: string;
  /** It is reached, and has told a moment ago. */
  readonly isCurrent: boolean;
  /** Of what it told; null: it has told nothing. */
  readonly ageMs: number | null;
  /** How old this is, and why. */
  readonly note: string;
  readonly proxies: readonly { readonly name: string; readonly servers: readonly PartnerServer[] }[];
  /** Servers that it had no room for. */
  readonly left: number;
}

export interface PartnerServer {
  readonly name: string;
  readonly address: string;
  readonly status: string;
  readonly tone: Tone;
  readonly admin: "ready" | "drain" | "maint";
  readonly isDown: boolean;
  readonly sinceMs: number;
  /** What its last check there said. */
  readonly check: string;
  readonly weight: number;
  readonly sessions: number;
  readonly requestsPerSecond: number;
  readonly errors: number;
}

export interface Finding {
  readonly proxy: string;
  readonly server: string;
  readonly tone: Tone;
  readonly text: string;
}

export interface DashboardEvent {
  readonly epochMs: number;
  readonly tone: Tone;
  readonly text: string;
}

/** One second, with a value for each series. */
export interface Sample {
  readonly epochS: number;
  readonly values: readonly SampleValue[];
}

export interface SampleValue {
  readonly requests: number;
  readonly errors: number;
  /** null: nothing was answered yet. */
  readonly responseMs: number | null;
}

/** `GET /api/dashboard/history`: the names of the series, one for each proxy that clients come to, and what they were. */
export interface DashboardHistory {
  readonly series: readonly string[];
  readonly samples: readonly Sample[];
}
