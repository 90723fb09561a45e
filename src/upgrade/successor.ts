import { spawn } from "node:child_process";
import { LbError } from "../errors.js";
import { closeDescriptor } from "../netlink/listening-socket.js";
import { openSocketPair } from "../netlink/system-calls.js";
import { Channel } from "./channel.js";
import {
  type Counts,
  type InheritedSocket,
  type InheritMessage,
  readToPredecessor,
  type TakeMessage,
  type ToPredecessor,
  upgradeProtocol,
  upgradeVariable,
} from "./message.js";

/** In which the new program must be ready to take over: it opens everything that a start opens. */
const readyLimitMs = 30_000;

/** Behind the standard streams comes the socket pair, and then what is inherited. */
const channelDescriptor = 3;

/**
 * The shell is gone before the program runs, so that init is its parent from the beginning: whoever supervises this
 * process learns of the end of the other one.
 */
const detached = '"$@" <&0 &';

/** How this process was started, and what the new one is started with. */
export interface StartedBy {
  readonly execPath: string;
  /** With `execArgv`. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The process that follows this one, as this one sees it. */
export class Successor {
  pid: number | null = null;
  version = "";
  private readonly channel: Channel;
  private isGone = false;
  private refusal: Extract<ToPredecessor, { kind: "refused" }> | null = null;
  private readonly heard = new Set<ToPredecessor["kind"]>();
  private wake: () => void = () => {};
  private tellGone: () => void = () => {};

  private constructor(
    inherit: Omit<InheritMessage, "kind" | "protocol" | "sockets">,
    sockets: readonly InheritedSocket[],
    { execPath, words, environment }: StartedBy,
  ) {
    const [own, theirs] = openSocketPair();
    this.channel = new Channel(own, {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.onEnd(),
    });
    try {
      const shell = spawn("/bin/sh", ["-c", detached, "lb", execPath, ...words], {
        stdio: ["inherit", "inherit", "inherit", theirs, ...sockets.map(({ descriptor }) => descriptor)],
        env: { ...environment, [upgradeVariable]: String(channelDescriptor), WATCHDOG_PID: undefined },
      });
      shell.on("error", () => this.onEnd());
    } finally {
      closeDescriptor(theirs);
    }
    this.channel.send({
      kind: "inherit",
      protocol: upgradeProtocol,
      ...inherit,
      sockets: sockets.map((socket, i) => ({ ...socket, descriptor: channelDescriptor + 1 + i })),
    } satisfies InheritMessage);
  }

  /** Starts it. It says nothing to clients or partners before it is asked to. */
  static start(
    inherit: Omit<InheritMessage, "kind" | "protocol" | "sockets">,
    sockets: readonly InheritedSocket[],
    by: StartedBy,
  ): Successor {
    return new Successor(inherit, sockets, by);
  }

  /** Resolves when it is ready to take over. Throws LbError LB_UPGRADE, LB_UPGRADE_REFUSED; then it is gone. */
  async ready(): Promise<void> {
    await this.hears("ready", readyLimitMs, { ended: "before it was ready", late: "is not ready" });
  }

  /** Resolves when it has taken VRRP over, within `limitMs`. Throws LbError LB_UPGRADE; then it is gone. */
  async take(message: Omit<TakeMessage, "kind">, limitMs: number): Promise<void> {
    this.channel.send({ kind: "take", ...message } satisfies TakeMessage);
    await this.hears("taken", limitMs, { ended: "while it took over", late: "has not taken over" });
  }

  /** From now on it is the main process. */
  go(): void {
    this.channel.send({ kind: "go" });
  }

  /** `listener` is called when the process that has taken over is gone, at once if it is by now. */
  onGone(listener: () => void): void {
    this.tellGone = listener;
    if (this.isGone) listener();
  }

  /** What this process has counted by now, and how many client connections are open here. */
  count(counts: Counts, connections: number): void {
    this.channel.send({ kind: "counts", counts, connections });
  }

  /** This process ends: nothing more is to be counted. */
  leave(): void {
    this.channel.close();
  }

  /** Ends it wherever it is. Resolves when it is gone, after a second at the latest. */
  async end(): Promise<void> {
    if (this.isGone) return;
    if (this.pid === null) this.channel.close();
    else
      try {
        process.kill(this.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    await this.until(() => this.isGone, 1000);
    this.channel.close();
  }

  private async hears(
    kind: ToPredecessor["kind"],
    limitMs: number,
    failures: { readonly ended: string; readonly late: string },
  ): Promise<void> {
    await this.until(() => this.isGone || this.refusal !== null || this.heard.has(kind), limitMs);
    const { refusal, isGone } = this;
    if (this.heard.has(kind) && !isGone && refusal === null) return;
    await this.end();
    if (refusal?.isConfig === true) {
      const problems = refusal.problems.join("\n");
      throw new LbError("LB_UPGRADE_REFUSED", problems, "mend what the new program does not take");
    }
    if (refusal !== null) {
      const reason = `the new program did not start: ${refusal.problems.join("; ")}`;
      throw new LbError("LB_UPGRADE", reason, "see its log lines above");
    }
    throw new LbError(
      "LB_UPGRADE",
      `the new program ${isGone ? `ended ${failures.ended}` : `${failures.late} after ${limitMs / 1000} s`}`,
      "see the log lines above for its reason",
    );
  }

  private async until(condition: () => boolean, limitMs: number): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.wake();
    }, limitMs);
    while (!condition() && !isLate) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    clearTimeout(timer);
  }

  private onMessage(value: unknown): void {
    const message = readToPredecessor(value);
    if (message === null) return;
    this.heard.add(message.kind);
    if (message.kind === "hello") {
      this.pid = message.pid;
      this.version = message.version;
    }
    if (message.kind === "refused") this.refusal = message;
    this.wake();
  }

  private onEnd(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.wake();
    this.tellGone();
  }
}
