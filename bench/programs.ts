import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { sleep, waitFor } from "../lab/clock.js";

/** A program pinned to cores. It dies with this process, whatever happens to that. */
export class Program {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  #exited = false;
  #howItEnded = "";

  /**
   * @param cores as taskset wants them: `0`, `0,1`.
   * @param folder where the program runs and its output goes (`NAME.log`).
   */
  constructor(
    name: string,
    cores: string,
    folder: string,
    command: string,
    parameters: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.name = name;
    this.logFile = join(folder, `${name}.log`);
    const log = openSync(this.logFile, "w");
    // taskset and setpriv become the program by exec, so the process id is the program's own.
    this.#child = spawn(
      "taskset",
      ["-c", cores, "setpriv", "--pdeathsig", "SIGKILL", command, ...parameters],
      { cwd: folder, stdio: ["ignore", log, log], env: { ...process.env, ...environment } },
    );
    closeSync(log);
    this.#child.once("error", () => {
      this.#exited = true;
    });
    this.#child.once("exit", (code, signal) => {
      this.#exited = true;
      this.#howItEnded = signal === null ? `exit code ${code}` : `signal ${signal}`;
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Throws Error, with its last lines, when it has ended on its own. */
  checkRuns(): void {
    if (!this.#exited) return;
    const tail = this.log().split("\n").slice(-20).join("\n");
    throw new Error(`${this.name} ended (${this.#howItEnded}):\n${tail}`);
  }

  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** Waits until somebody accepts on that port of loopback. Throws Error with the program's last lines. */
  async listening(port: number): Promise<void> {
    await waitFor(`${this.name} on port ${port}`, 30_000, async () => {
      if (this.#exited)
        throw new Error(`${this.name} exited:\n${this.log().split("\n").slice(-8).join("\n")}`);
      return await accepts(port);
    });
  }

  async stop(): Promise<void> {
    if (this.#exited) return;
    this.#child.kill("SIGTERM");
    for (let waited = 0; waited < 3000 && !this.#exited; waited += 50) await sleep(50);
    if (!this.#exited) this.#child.kill("SIGKILL");
    while (!this.#exited) await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
