import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { nowMs } from "./clock.js";

export interface OutputLine {
  /** `nowMs()` when the line was read. */
  readonly atMs: number;
  readonly text: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A long-running program on one of the lab's hosts, with its output line by line. */
export class HostProcess {
  readonly name: string;
  readonly exited: Promise<Exit>;
  /** Standard output and standard error, in the order of their arrival. */
  readonly lines: OutputLine[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #listeners = new Set<(line: OutputLine) => void>();
  #exit: Exit | null = null;

  /**
   * The program dies with the lab, even if the lab is killed: setpriv asks the kernel for that. Both `ip netns exec`
   * and setpriv become the program by exec, so the process id is the program's own.
   */
  constructor(name: string, namespace: string, command: string, parameters: readonly string[]) {
    this.name = name;
    this.#child = spawn(
      "ip",
      ["netns", "exec", namespace, "setpriv", "--pdeathsig", "SIGKILL", command, ...parameters],
      // A group of its own: Ctrl-C is the lab's business alone.
      { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    this.exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    this.exited.catch(() => {});
    this.#read(this.#child.stdout);
    this.#read(this.#child.stderr);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} was not started`);
    return this.#child.pid;
  }

  /** null while it runs. */
  get exit(): Exit | null {
    return this.#exit;
  }

  onLine(listener: (line: OutputLine) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * The first line that matches, among those already there (from `sinceMs` on) and those to come.
   *
   * @throws Error with the program's last lines, when it exits or the time is over.
   */
  waitForLine(matches: (text: string) => boolean, timeoutMs: number, sinceMs = 0): Promise<OutputLine> {
    const there = this.lines.find((line) => line.atMs >= sinceMs && matches(line.text));
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const fail = (why: string): void => {
        end();
        reject(new Error(`${this.name}: ${why}. Its last lines:\n${this.tail()}`));
      };
      const listener = (line: OutputLine): void => {
        if (!matches(line.text)) return;
        end();
        resolve(line);
      };
      const timer = setTimeout(() => fail(`no such line within ${timeoutMs} ms`), timeoutMs);
      this.#listeners.add(listener);
      void this.exited.then((exit) => fail(`exited (${describeExit(exit)}) before the line came`));
    });
  }

  tail(count = 15): string {
    return this.lines
      .slice(-count)
      .map((line) => line.text)
      .join("\n");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @throws Error when it does not exit in time; it is killed then. */
  async stop(signal: NodeJS.Signals = "SIGTERM", timeoutMs = 20_000): Promise<Exit> {
    this.signal(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
    });
    const exit = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (exit !== null) return exit;
    this.signal("SIGKILL");
    await this.exited;
    throw new Error(
      `${this.name} did not exit within ${timeoutMs} ms of ${signal}. Its last lines:\n${this.tail()}`,
    );
  }

  #read(stream: Readable): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      const atMs = nowMs();
      const parts = `${rest}${chunk}`.split("\n");
      rest = parts.pop() ?? "";
      for (const text of parts) this.#emit({ atMs, text });
    });
    stream.on("end", () => {
      if (rest !== "") this.#emit({ atMs: nowMs(), text: rest });
    });
  }

  #emit(line: OutputLine): void {
    this.lines.push(line);
    for (const listener of [...this.#listeners]) listener(line);
  }
}

export function describeExit(exit: Exit): string {
  return exit.signal === null ? `code ${exit.code}` : `signal ${exit.signal}`;
}
