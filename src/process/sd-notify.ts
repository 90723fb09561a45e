import { closeDescriptor, Family, openSocket, SocketType, sendTo } from "../netlink/system-calls.js";

/** SOCK_DGRAM, socket(2). */
const datagram = 2;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Messages to the service manager, sd_notify(3): `READY=1`, `STATUS=…`, `STOPPING=1`, `WATCHDOG=1`.
 *
 * Sent on the socket that NOTIFY_SOCKET names, a path or an abstract name with `@` in front, without waiting.
 */
export class SdNotify {
  /** Ms within which the manager wants to hear `WATCHDOG=1`; null: it does not ask this process. */
  readonly watchdogMs: number | null;
  private readonly descriptor: number;
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
    this.descriptor = openSocket(Family.unix, datagram | SocketType.nonBlocking, 0);
  }

  /** One or more assignments, such as `READY=1`. False: the manager took it not (gone, or its queue is full). */
  send(...assignments: string[]): boolean {
    // A newline would begin another assignment.
    const text = assignments.map((assignment) => assignment.replaceAll("\n", " ")).join("\n");
    try {
      sendTo(this.descriptor, Buffer.from(text), this.address);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    closeDescriptor(this.descriptor);
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

/** `struct sockaddr_un`, unix(7): a path ends with NUL, an abstract name begins with it. */
function unixAddress(name: string): Uint8Array {
  const path = Buffer.from(name.startsWith("@") ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.alloc(2 + path.length);
  address.writeUInt16LE(Family.unix, 0);
  path.copy(address, 2);
  return address;
}
