import type { ServerTlsConfig } from "./tls-config.js";

/** One server of a proxy. What is left out has HAProxy's default. */
export interface ServerConfig {
  readonly name: string;
  /** IPv4 or IPv6 literal, or a host name. */
  readonly host: string;
  readonly port: number;
  /** 0–256: its share beside the others; 0 gets no request. Left out: 1. */
  readonly weight?: number;
  /** Serves when no other is up. */
  readonly backup?: true;
  /** In maintenance from the start. */
  readonly disabled?: true;
  /** How long a server that comes up takes to its full weight. Left out: none. */
  readonly slowStartMs?: number;
  /** Each connection to it begins with a PROXY header of this version. Left out: none is sent. */
  readonly sendProxy?: 1 | 2;
  /** Requests (sessions of `mode: tcp`) at once; further ones wait. Left out: no limit. */
  readonly maxconn?: number;
  /** So many may wait for this very server; further ones go to others. Left out: no limit. */
  readonly maxqueue?: number;
  /** Its value of the backend's cookie. Left out: none. */
  readonly cookie?: string;
  /** Left out: connections to it are in the clear. */
  readonly tls?: ServerTlsConfig;
  /** Left out: it is not checked, and counts as up. */
  readonly check?: CheckConfig;
  /** HAProxy's on-marked-down: its sessions are cut when it goes down or into maintenance. Left out: they go on. */
  readonly onMarkedDown?: "shutdown-sessions";
  /** HAProxy's on-marked-up: sessions at backup servers are cut when it takes requests again. Left out: they go on. */
  readonly onMarkedUp?: "shutdown-backup-sessions";
  /** Left out: no agent is asked. */
  readonly agent?: AgentConfig;
}

/** HAProxy's agent-check: somebody beside the server who says how it is. */
export interface AgentConfig {
  /** Left out: the server's own host. */
  readonly host?: string;
  readonly port: number;
  /** Between two questions. */
  readonly intervalMs: number;
  /** For a whole question, from its connection on. */
  readonly timeoutMs: number;
  /** Sent at the beginning. Left out: nothing. */
  readonly send?: string;
}

/** HAProxy's inter, fastinter, downinter, rise, fall, port, and `timeout check`. */
export interface CheckConfig {
  /** Between two checks of a server that is up, or down, without a doubt. */
  readonly intervalMs: number;
  /** While it is on its way up or down. */
  readonly fastIntervalMs: number;
  /** While it is down. */
  readonly downIntervalMs: number;
  /** Successes in a row that make it up, and failures in a row that make it down. */
  readonly rise: number;
  readonly fall: number;
  readonly port: number;
  /** For a whole check, from its connection on. */
  readonly timeoutMs: number;
  /** The check's connection begins with the server's PROXY header, of version 1 where it has none. Left out: no. */
  readonly sendProxy?: true;
  /** The check speaks TLS, as connections to the server do. Left out: no. */
  readonly overTls?: true;
  /** Left out: only checks count, not what happens to requests. */
  readonly observe?: ObserveConfig;
}

/** HAProxy's observe, error-limit, on-error: what requests say of a server's health. */
export interface ObserveConfig {
  /** layer4: whether it takes connections; layer7: also whether it answers, and with no 5xx but 501 and 505. */
  readonly layer: "layer4" | "layer7";
  /** So many errors in a row count as one event. */
  readonly errorLimit: number;
  readonly onError: OnError;
}

export type OnError = "fastinter" | "fail-check" | "sudden-death" | "mark-down";

/** HAProxy's option httpchk and http-check: what the checks of a proxy's servers ask, and what they must be answered. */
export interface HttpCheckConfig {
  readonly method: string;
  readonly uri: string;
  /** Left out: the server's own address. */
  readonly host?: string;
  readonly expect: CheckExpectation;
}

export type CheckExpectation =
  /** Ranges, both ends included. */
  | { readonly kind: "status"; readonly ranges: readonly StatusRange[] }
  /** In the body, as it stands. */
  | { readonly kind: "string"; readonly text: string };

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}
