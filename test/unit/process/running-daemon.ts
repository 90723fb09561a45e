import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";
import { freePort } from "../../../lab/free-port.js";

/** The built command. `npm run build` comes before the tests. */
export const command = new URL("../../../bin/lb.js", import.meta.url).pathname;
const sabotage = new URL("./sabotage.mjs", import.meta.url).href;

export interface LogLine {
  readonly level: string;
  readonly thread: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A plain balancer in a process of its own, in front of an HTTP server of this one. */
export class RunningDaemon {
  readonly lines: LogLine[] = [];
  readonly process: ChildProcess;
  readonly port: number;
  readonly folder: string;
  readonly exited: Promise<number | NodeJS.Signals | null>;
  private waiting: (() => void)[] = [];
  private hasEnded = false;

  private constructor(port: number, folder: string, process: ChildProcess, stdout: "read" | "unread") {
    this.port = port;
    this.folder = folder;
    this.process = process;
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
      process.on("exit", (code, signal) => resolve(code ?? signal));
    });
    if (process.stdout === null) throw new Error("stdout is a pipe");
    if (stdout === "unread") {
      this.exited = ended;
      return;
    }
    const reader = createInterface({ input: process.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line));
      for (const wake of this.waiting.splice(0)) wake();
    });
    const read = once(reader, "close");
    // Its last lines may still be in the pipe then; but a process that follows it has the other end as well.
    this.exited = ended.then(async (outcome) => {
      await Promise.race([read, sleep(1_000, null, { ref: false })]);
      this.hasEnded = true;
      return outcome;
    });
  }

  /** Starts it and waits until it serves. The server leaves requests for `/hold` unfinished. */
  static async start(
    t: Test,
    flags: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<RunningDaemon> {
    const daemon = await RunningDaemon.spawn(t, flags, environment);
    await daemon.line((line) => line.msg === "serving");
    return daemon;
  }

  static async spawn(
    t: Test,
    flags: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    stdout: "read" | "unread" = "read",
  ): Promise<RunningDaemon> {
    const server = await listen(
      createServer((request, response) => {
        if (request.url === "/hold") response.write("begun");
        else response.end("ok");
      }),
    );
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "lb-"));
    const child = spawn(
      process.execPath,
      [
        `--import=${sabotage}`,
        command,
        "--no-vrrp",
        `--listen=127.0.0.1:${port}`,
        `--backend=127.0.0.1:${(server.address() as AddressInfo).port}`,
        "--admin=off",
        ...(flags.some((flag) => flag.startsWith("--stats-socket=")) ? [] : ["--stats-socket=off"]),
        ...flags,
      ],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: { PATH: process.env.PATH, SABOTAGE: join(folder, "sabotage"), ...environment },
      },
    );
    const daemon = new RunningDaemon(port, folder, child, stdout);
    t.teardown(async () => {
      child.kill("SIGKILL");
      await daemon.exited;
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    });
    return daemon;
  }

  /** The first line that fits, past or future. */
  async line(fits: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(fits);
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`it has ended: ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        void this.exited.then(() => resolve());
      });
    }
  }

  /** The body of an answer over a new connection. */
  async get(path = "/"): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      headers: { connection: "close" },
    });
    return response.text();
  }
}

async function listen(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
