import type { MessagePort } from "node:worker_threads";
import type { AdminConfig, Config, ProxyConfig, StatsSocketConfig } from "../config/config.js";
import type { AlertConfig, TrackedThings } from "../config/tracking-config.js";
import type { Certificates, ThreadTls } from "../proxy/tls/certificate.js";
import type { VrrpStatus } from "../vrrp/status.js";
import type { Found } from "../vrrp/tracking.js";
import type { Inquiry, InquiryPart } from "./inquiry.js";
import type { NumberedJob } from "./notices.js";
import type { Question } from "./reload-answer.js";

/** A listening socket in a data thread: that of `proxies[proxyIndex].listen[place]`. */
export interface ThreadListener {
  readonly proxyIndex: number;
  readonly place: number;
  readonly descriptor: number;
}

/** What the main thread hands to a data thread at its start. */
export interface DataThreadData {
  readonly threadIndex: number;
  readonly proxies: readonly ProxyConfig[];
  readonly engine: Config["engine"];
  /** One entry per proxy and listening address, each a descriptor of this thread's own. */
  readonly listeners: readonly ThreadListener[];
  /** False: clients are another's, or wait, until `accept`. */
  readonly accepts: boolean;
  readonly threads: number;
  /** Client connections of all proxies together. */
  readonly maxconn: number;
  readonly statsBuffer: SharedArrayBuffer;
  /** A `ServerTable`. */
  readonly serversBuffer: SharedArrayBuffer;
  /** Of `OperatorLimits`. */
  readonly limitsBuffer: SharedArrayBuffer;
  /** For each proxy the memory of its rate limits (`createRuleCounters`). */
  readonly ruleCounters: readonly (readonly SharedArrayBuffer[])[];
  /** For each proxy the memory of its connection rules (`createGateMemory`). */
  readonly gateMemory: readonly (readonly (SharedArrayBuffer | null)[])[];
  /** Of `ServerSlots`. */
  readonly slotsBuffer: SharedArrayBuffer;
  /** eventfd(2) that the main thread writes after each message: a loop that blocks in the kernel is woken by it. */
  readonly wakeDescriptor: number;
  /** A `DescriptorLedger`: what the thread opens past Node, for the main thread to close when it dies. */
  readonly ledgerBuffer: SharedArrayBuffer;
  readonly tls: ThreadTls;
  /** To the log thread, as in `log-thread`; null: there is none at the moment. */
  readonly logPort: MessagePort | null;
}

export type ToDataThread =
  /** Take clients from now on. */
  | { readonly kind: "accept" }
  /** The address is about to move: finish keep-alive connections with `Connection: close`, go on accepting. */
  | { readonly kind: "hand-over" }
  /**
   * The address has moved, and what is open may go on until the deadline: answers say `Connection: close`, what is left
   * then is cut. `stay` ends it: the address is back, or nothing was left.
   */
  | { readonly kind: "move-away"; readonly deadlineMs: number }
  | { readonly kind: "stay" }
  /**
   * Stop accepting, in `acceptMs`; finish what is in flight, answer `drained`; what is left at the deadline is cut.
   */
  | { readonly kind: "drain"; readonly deadlineMs: number; readonly acceptMs: number }
  /** An operator has disabled or stopped a frontend. */
  | { readonly kind: "entrances" }
  /** Clients that come from now on are shown these. */
  | { readonly kind: "certificates"; readonly certificates: Certificates }
  /** A log thread has been started: `LogBatch`es go to it over this port from now on. */
  | { readonly kind: "log-thread"; readonly port: MessagePort }
  /** Answered by `told`, with this number. */
  | { readonly kind: "inquire"; readonly id: number; readonly inquiry: Inquiry }
  /** To a `told` that was not the last of its number: the next one may come. */
  | { readonly kind: "go-on"; readonly id: number }
  /** Answer to `look-up`: address literals, or none and why. */
  | {
      readonly kind: "looked-up";
      readonly host: string;
      readonly addresses: readonly string[];
      readonly errorCode: string | null;
    };

export type FromDataThread =
  /** `reason`: why it is not the direct engine, though it might have been. */
  | { readonly kind: "ready"; readonly engine: "direct" | "portable"; readonly reason: string | null }
  /** A server's host name: a loop that blocks cannot ask for it. */
  | { readonly kind: "look-up"; readonly host: string }
  | { readonly kind: "drained"; readonly cutConnections: number }
  | { readonly kind: "told"; readonly id: number; readonly part: InquiryPart; readonly isLast: boolean };

export type ToLogThread =
  /** A data thread says `LogBatch`es over this port. */
  | { readonly kind: "hear"; readonly port: MessagePort }
  /** Write what the data threads have said until now, and answer `written`. */
  | { readonly kind: "write" };

export type FromLogThread = { readonly kind: "ready" } | { readonly kind: "written" };

/** What the main thread hands to the control thread at its start. */
export interface ControlThreadData {
  readonly node: string;
  readonly proxies: readonly ProxyConfig[];
  readonly vrrpConfigured: boolean;
  /** Listening TCP socket of the admin server, opened by the main thread, or null. */
  readonly admin: { readonly descriptor: number; readonly config: AdminConfig } | null;
  /** Listening Unix socket of the stats socket, opened by the main thread, or null. */
  readonly statsSocket: { readonly descriptor: number; readonly config: StatsSocketConfig } | null;
  /** False: whoever comes to these two is another's, or waits, until `accept`. */
  readonly accepts: boolean;
  readonly threads: number;
  readonly engine: "direct" | "portable";
  readonly maxconn: number;
  readonly statsBuffer: SharedArrayBuffer;
  /** A `ServerTable`. */
  readonly serversBuffer: SharedArrayBuffer;
  /** Of `OperatorLimits`. */
  readonly limitsBuffer: SharedArrayBuffer;
  readonly startedEpochMs: number;
  /** For checks over TLS. */
  readonly certificates: Certificates;
  /** What this thread is to follow, and what was found before it. */
  readonly tracking: TrackedThings;
  readonly known: readonly TrackedFact[];
  readonly alerts: AlertConfig;
}

/** What is found of one thing that is tracked. */
export type TrackedFact =
  | { readonly of: "script" | "process"; readonly name: string; readonly found: Found }
  | { readonly of: "file"; readonly name: string; readonly value: number };

export type ToControlThread =
  /** Take operators from now on. */
  | { readonly kind: "accept" }
  /** Take nobody more on the stats socket: what is answered next is said of the thread or process that follows. */
  | { readonly kind: "withdraw" }
  | { readonly kind: "vrrp"; readonly instances: readonly VrrpStatus[] }
  /** A lazily opened admin socket (the interface's address came late). */
  | { readonly kind: "admin"; readonly descriptor: number; readonly config: AdminConfig }
  /** To `ask` of this number. */
  | { readonly kind: "answered"; readonly id: number; readonly text: string }
  /** To `inquire` of this number; `part` null: that was all, and `silent` threads have not told everything. */
  | { readonly kind: "told"; readonly id: number; readonly part: InquiryPart | null; readonly silent: number }
  | { readonly kind: "notify"; readonly jobs: readonly NumberedJob[] }
  /** Whether somebody looks at a partner's dashboard: then `servers` is to come each second. */
  | { readonly kind: "watched"; readonly isWatched: boolean }
  /** What the partner at `address` says of its servers, unread. */
  | { readonly kind: "partner-servers"; readonly address: string; readonly report: string }
  /** `last`: the process ends too, so whoever is to be told must be told now. */
  | { readonly kind: "stop"; readonly last: boolean };

/** What an operator asks of the node. */
export type ControlRequest = "drain" | "undrain";

export type FromControlThread =
  | { readonly kind: "ready" }
  | { readonly kind: "tracked"; readonly fact: TrackedFact }
  /** The job must not be done again by another control thread. */
  | { readonly kind: "notified"; readonly id: number }
  /** A server of a proxy that reached none took a connection. */
  | { readonly kind: "server-reached"; readonly proxy: string; readonly server: string }
  | { readonly kind: "request"; readonly request: ControlRequest }
  /** Whether somebody looks at this node's dashboard has changed. */
  | { readonly kind: "watching"; readonly isWatching: boolean }
  /** A `ServerReport` for the partners that watch. */
  | { readonly kind: "servers"; readonly report: string }
  | { readonly kind: "ask"; readonly id: number; readonly question: Question }
  | { readonly kind: "inquire"; readonly id: number; readonly inquiry: Inquiry }
  /** The stats socket or admin server could not be opened. */
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly message: string;
      readonly advice: string;
      readonly fatal: boolean;
    }
  | { readonly kind: "stopped" };
