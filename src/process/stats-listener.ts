import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { StatsSocketConfig } from "../config/config.js";
import { socketOwner } from "../control/socket-owner.js";
import { LbError } from "../errors.js";
import {
  bindSocket,
  closeDescriptor,
  connectSocket,
  Family,
  listenOnSocket,
  openSocket,
  SocketType,
  SystemCallError,
} from "../netlink/system-calls.js";
import { unixAddress } from "./unix-datagram.js";

/** `sun_path` holds 108 bytes, one of them the final zero. */
const maxPathBytes = 107;
/** Who comes while a control thread is replaced waits here. */
const backlog = 128;

/**
 * The listening socket of the stats socket, and its file. The main thread keeps it open, so that nobody is refused while
 * the control thread is replaced or a successor takes over.
 */
export class StatsListener {
  private constructor(
    readonly config: StatsSocketConfig,
    readonly descriptor: number,
    private readonly inode: number | null,
  ) {}

  /**
   * Opens the socket with mode 0660, if `config` does not say otherwise, and makes its directory if it is missing. A socket
   * file on which nobody answers any more is replaced, and so is one of this process, `before`: who connects meanwhile
   * reaches either.
   *
   * Throws LbError: LB_STATS_SOCKET_IN_USE if another process answers there, LB_STATS_SOCKET otherwise.
   */
  static open(config: StatsSocketConfig, before: StatsListener | null = null): StatsListener {
    const { path } = config;
    // Bound under a name of its own and moved into place, so that nobody ever finds it with another mode.
    const temporary = join(dirname(path), `.lb-${process.pid}-${Date.now().toString(36)}`);
    if (Math.max(Buffer.byteLength(path), Buffer.byteLength(temporary)) > maxPathBytes) {
      throw new LbError(
        "LB_STATS_SOCKET",
        `the path of the stats socket, ${path}, is longer than a socket's may be`,
        `choose a path of less than ${maxPathBytes - 20} bytes`,
      );
    }
    let descriptor: number | null = null;
    try {
      mkdirSync(dirname(path), { recursive: true });
      if (before?.config.path !== path || !before.isThere()) refuseIfInUse(path);
      descriptor = openSocket(Family.unix, SocketType.stream | SocketType.nonBlocking, 0);
      bindSocket(descriptor, unixAddress(temporary));
      chmodSync(temporary, config.mode ?? 0o660);
      const { uid, gid } = socketOwner(config);
      if (uid !== null || gid !== null) chownSync(temporary, uid ?? -1, gid ?? -1);
      listenOnSocket(descriptor, backlog);
      renameSync(temporary, path);
      return new StatsListener(config, descriptor, lstatSync(path).ino);
    } catch (error) {
      if (descriptor !== null) {
        closeDescriptor(descriptor);
        if (lookUp(temporary) !== undefined) unlinkSync(temporary);
      }
      throw describeFailure(path, error);
    }
  }

  /** One that another process has opened. */
  static adopt(config: StatsSocketConfig, descriptor: number): StatsListener {
    return new StatsListener(config, descriptor, lookUp(config.path)?.ino ?? null);
  }

  /** Whether the file is still this one's. */
  private isThere(): boolean {
    return this.inode !== null && lookUp(this.config.path)?.ino === this.inode;
  }

  /** Closes this process's descriptor; the file stays for whoever else listens. */
  leave(): void {
    closeDescriptor(this.descriptor);
  }

  /** Closes it, and removes the file if it is still this one's. */
  close(): void {
    if (this.isThere()) unlinkSync(this.config.path);
    this.leave();
  }
}

/** Whether both say the same of the socket itself; the level is the control thread's business. */
export function sameStatsSocket(a: StatsSocketConfig, b: StatsSocketConfig): boolean {
  return a.path === b.path && a.mode === b.mode && a.user === b.user && a.group === b.group;
}

function lookUp(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Returns if `path` is free or a socket that nobody listens on. */
function refuseIfInUse(path: string): void {
  const found = lookUp(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new LbError(
      "LB_STATS_SOCKET",
      `${path} exists and is not a socket`,
      "remove it, or choose another path for the stats socket",
    );
  }
  if (!answers(path)) return;
  throw new LbError(
    "LB_STATS_SOCKET_IN_USE",
    `another process answers on the stats socket ${path}`,
    "stop it (is an lb or HAProxy running?), or choose another path with --stats-socket",
  );
}

function answers(path: string): boolean {
  const probe = openSocket(Family.unix, SocketType.stream | SocketType.nonBlocking, 0);
  try {
    connectSocket(probe, unixAddress(path));
    return true;
  } catch (error) {
    const code = error instanceof SystemCallError ? error.code : "";
    // EAGAIN: its queue is full, so somebody holds it.
    if (code === "EAGAIN") return true;
    if (code === "ECONNREFUSED" || code === "ENOENT") return false;
    if (code === "EACCES") return isListenedOn(path);
    throw error;
  } finally {
    closeDescriptor(probe);
  }
}

/**
 * Of a socket that this user may not connect to, such as HAProxy leaves behind. The kernel knows it under the name that it was
 * bound to: HAProxy moves `PATH.PID.tmp` to PATH.
 */
function isListenedOn(path: string): boolean {
  return readFileSync("/proc/net/unix", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([, , , flags, , , , name]) => isAccepting(flags) && (name === path || name?.startsWith(`${path}.`)),
    );
}

/** __SO_ACCEPTCON of linux/net.h. */
function isAccepting(flags: string | undefined): boolean {
  return (Number.parseInt(flags ?? "", 16) & 0x10000) !== 0;
}

function describeFailure(path: string, error: unknown): LbError {
  if (error instanceof LbError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LbError(
    "LB_STATS_SOCKET",
    `cannot open the stats socket ${path}: ${reason}`,
    "see that its directory exists and may be written (under systemd by lb.service too: lb check), or choose another path with --stats-socket",
    { cause: error },
  );
}
