/** What an instance follows besides its own health. Words and meanings are keepalived's. */
export interface TrackConfig {
  readonly interfaces: readonly TrackedItem[];
  readonly scripts: readonly TrackedItem[];
  readonly files: readonly TrackedItem[];
  readonly processes: readonly TrackedItem[];
}

/** One thing followed by one instance. */
export interface TrackedItem {
  /** An interface's name, or the name of a `vrrp_script`, `vrrp_track_file` or `vrrp_track_process`. */
  readonly name: string;
  /** Added to the priority: a positive one while it is up, a negative one while it is down. 0: down is a fault. */
  readonly weight: number;
  /** keepalived's `reverse`: the other way round. */
  readonly reverse: boolean;
}

/** What the items of all instances refer to, by name. */
export interface TrackedThings {
  readonly scripts: readonly ScriptConfig[];
  readonly files: readonly TrackFileConfig[];
  readonly processes: readonly TrackProcessConfig[];
}

/** `vrrp_script`: up when its exit code is 0. */
export interface ScriptConfig {
  readonly name: string;
  /** The program and its arguments; no shell is between. */
  readonly script: readonly string[];
  readonly intervalMs: number;
  /** When it is ended, and counts as failed. */
  readonly timeoutMs: number;
  /** So many successes in a row make it up, so many failures down. */
  readonly rise: number;
  readonly fall: number;
  /** Down until its first success, and not unknown. */
  readonly initFail: boolean;
  readonly user: UserConfig | null;
}

/** Under whom a script runs; `group` null: the user's own. */
export interface UserConfig {
  readonly user: string;
  readonly group: string | null;
}

/** `vrrp_track_file`: a number in a file, times the weight, is added to the priority. */
export interface TrackFileConfig {
  readonly name: string;
  readonly file: string;
  /** Written at the start: always, or if the file is not there. */
  readonly init: { readonly value: number; readonly overwrite: boolean } | null;
}

/** `vrrp_track_process`: up while so many processes of that name run. */
export interface TrackProcessConfig {
  readonly name: string;
  /** The name in /proc/PID/comm, or with arguments or `fullCommand` what stands in /proc/PID/cmdline. */
  readonly process: readonly string[];
  readonly fullCommand: boolean;
  readonly quorum: number;
  /** How long it must be otherwise before it counts: a reload ends and starts processes. */
  readonly forkDelayMs: number;
  readonly terminateDelayMs: number;
}

/** `vrrp_sync_group`. What its members track is added up for all of them, with what the group tracks itself. */
export interface SyncGroupConfig {
  readonly name: string;
  /** Names of instances. */
  readonly members: readonly string[];
  readonly track: TrackConfig;
  readonly notify: NotifyConfig;
}

/** Who is told of an instance's or a group's transitions. */
export interface NotifyConfig {
  readonly master: NotifyScript | null;
  readonly backup: NotifyScript | null;
  readonly fault: NotifyScript | null;
  readonly stop: NotifyScript | null;
  /** After the others, with four more arguments: `INSTANCE|GROUP name STATE priority`. */
  readonly any: NotifyScript | null;
  /** Whether the FIFO hears of changed priorities too. */
  readonly priorityChanges: boolean;
  readonly smtpAlert: boolean;
}

export interface NotifyScript {
  readonly script: readonly string[];
  readonly user: UserConfig | null;
}

/** How this node's own health counts, as a weight below 0; "fault": it gives up; null: it does not count. */
export interface FitnessConfig {
  /** A data thread is stuck or keeps dying, or none serves. */
  readonly threads: Weight;
  /** A listening socket no longer listens. */
  readonly listeners: Weight;
  /** A proxy has no server that can be reached. Both nodes may see this alike: never "fault". */
  readonly servers: number | null;
  /** The control thread is missing, and with it what it tracks. */
  readonly control: Weight;
}

export type Weight = number | "fault" | null;

/** keepalived's `global_defs`, as far as they are about telling others. */
export interface AlertConfig {
  readonly fifo: FifoConfig | null;
  readonly mail: MailConfig | null;
  /** How long one notify script may take before it is ended and the next one runs. */
  readonly scriptTimeoutMs: number;
}

export interface FifoConfig {
  readonly path: string;
  /** Reads it: started with the FIFO's path as its last argument, and again when it ends. */
  readonly script: NotifyScript | null;
}

export interface MailConfig {
  readonly to: readonly string[];
  readonly from: string;
  readonly host: string;
  readonly port: number;
  /** Name in EHLO; null: the host name. */
  readonly heloName: string | null;
  readonly connectTimeoutMs: number;
  readonly credentials: { readonly user: string; readonly password: string } | null;
  /** auto: STARTTLS where the server has it, without asking who it is; the others insist, and check its certificate. */
  readonly tls: "auto" | "off" | "starttls" | "implicit";
  /** keepalived's `router_id`: in the subject. */
  readonly routerId: string;
}
