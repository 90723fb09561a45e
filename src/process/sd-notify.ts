import { UnixDatagramSocket, unixAddress } from "./unix-datagram.js";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Messages to the service manager, sd_notify(3): `READY=1`, `STATUS=…`, `STOPPING=1`, `WATCHDOG=1`.
 *
 * Sent on the socket that NOTIFY_SOCKET names, a path or an abstract name with `@` in front, without waiting.
 */
export class SdNotify {
  /** Ms within which the manager wants to hear `WATCHDOG=1`; null: it does not ask this process. */
  readonly watchdogMs: number | null;
  private readonly socket: UnixDatagramSocket;
  private readonly address: Uint8Array;

  /** Null where no service manager listens. */
  static open(environment: Environment): SdNotify | null {
    const name = environment.NOTIFY_SOCKET;
    if (name === undefined || !/^[/@]./.test(name) || Buffer.byteLength(name) > 107) return null;
    return new SdNotify(name, watchdogMs(environment));
  }

  private constructor(name: string, watchdogMs: number | null) {
    this.watchdogMs = watchdogMs;
    this.address = unixAddress(name);
    this.socket = new UnixDatagramSocket();
  }

  /** One or more assignments, such as `READY=1`. False: the manager took it not (gone, or its queue is full). */
  send(...assignments: string[]): boolean {
    // A newline would begin another assignment.
    const text = assignments.map((assignment) => assignment.replaceAll("\n", " ")).join("\n");
    try {
      this.socket.send(Buffer.from(text), this.address);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.socket.close();
  }
}

/** sd_watchdog_enabled(3): µs in WATCHDOG_USEC, for the process in WATCHDOG_PID if that is there. */
function watchdogMs(environment: Environment): number | null {
  const microseconds = Number(environment.WATCHDOG_USEC ?? "");
  if (!Number.isInteger(microseconds) || microseconds <= 0) return null;
  const pid = environment.WATCHDOG_PID;
  if (pid !== undefined && pid !== String(process.pid)) return null;
  return microseconds / 1000;
}
