import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

type NftProcess = ChildProcessByStdio<Writable, null, Readable>;

interface Batch {
  readonly marker: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** To start takes some 10 ms, a line 1 ms, one of 200 elements 5 ms: on a busy machine ten times as much. */
const answerLimitMs = 1000;
const limitPerLineMs = 50;
const searchPath = ["/usr/sbin", "/sbin"];

/**
 * Debian's `nft`, as one process that lives as long as there are tables: they belong to it (`flags owner`), so the kernel
 * removes them when it is gone, and it ends when its standard input does, which is when this process does.
 *
 * Nothing here blocks: the process is started once per move, and its answers are awaited.
 */
export class Nft {
  #process: NftProcess | null = null;
  #waiting: Batch[] = [];
  #said = "";
  #count = 0;

  /** Runs the lines in order. Rejects with what nft says of the first one that it does not take, or that it is not there. */
  run(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return Promise.resolve();
    const nft = this.#start();
    // nft has no word for "done"; it repeats a line that it does not know on stderr, behind the errors before it.
    const marker = `done-${++this.#count}`;
    return new Promise((resolve, reject) => {
      const limitMs = answerLimitMs + lines.length * limitPerLineMs;
      const timer = setTimeout(() => this.#fail(new Error("nft did not answer in time")), limitMs);
      this.#waiting.push({ marker, resolve, reject, timer });
      nft.stdin.write(`${lines.join("\n")}\n${marker}\n`);
    });
  }

  /** Ends the process, and with it every table. */
  close(): void {
    const nft = this.#process;
    this.#process = null;
    nft?.stdin.end();
    this.#reject(new Error("nft was ended"));
  }

  #start(): NftProcess {
    if (this.#process !== null) return this.#process;
    const path = [...new Set([...(process.env.PATH ?? "").split(":"), ...searchPath])].join(":");
    const nft = spawn("nft", ["-i"], {
      stdio: ["pipe", "ignore", "pipe"],
      // A group of its own: Ctrl-C asks this process to hand over, and not nft to drop the tables.
      detached: true,
      env: { ...process.env, PATH: path, LC_ALL: "C" },
    });
    this.#process = nft;
    this.#said = "";
    nft.stdin.on("error", () => {});
    nft.on("error", (error: NodeJS.ErrnoException) => {
      const missing = "nft is not installed (apt-get install nftables)";
      this.#ended(nft, error.code === "ENOENT" ? missing : `nft could not be started: ${error.code}`);
    });
    nft.on("exit", (code, signal) => this.#ended(nft, `nft ended with ${signal ?? code}`));
    nft.stderr.setEncoding("utf8");
    nft.stderr.on("data", (text: string) => this.#read(text));
    return nft;
  }

  #read(text: string): void {
    this.#said += text;
    while (this.#waiting.length > 0) {
      const [batch] = this.#waiting;
      const at = this.#said.indexOf(`\n${batch.marker}\n`);
      if (at === -1) return;
      // The complaint about the marker itself is the line before it.
      const before = this.#said.slice(0, this.#said.lastIndexOf("\n", at - 1) + 1);
      this.#said = this.#said.slice(at + batch.marker.length + 2);
      this.#waiting.shift();
      clearTimeout(batch.timer);
      const complaint = /Error: (.*)\n(.*)/.exec(before);
      if (complaint === null) batch.resolve();
      else batch.reject(new Error(`nft says ${complaint[1]}, of: ${complaint[2].slice(0, 200)}`));
    }
    if (this.#waiting.length === 0) this.#said = "";
  }

  #fail(error: Error): void {
    this.#process?.kill("SIGKILL");
    this.#process = null;
    this.#reject(error);
  }

  #ended(nft: NftProcess, reason: string): void {
    if (this.#process !== nft) return;
    this.#process = null;
    this.#reject(new Error(reason));
  }

  #reject(error: Error): void {
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }
}
