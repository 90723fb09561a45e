import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { run } from "../../lab/command.js";
import { freePort } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";

const script = join(projectRoot, "bin", "lb.js");
const answerLimitMs = 60_000;

/** A shell at a terminal (`script` makes one), typed into. */
class Terminal {
  private readonly child: ChildProcessWithoutNullStreams;
  private seen = "";
  private wake: () => void = () => {};

  constructor(t: Test, commandLine: string, environment: Readonly<Record<string, string>>) {
    const env = { PATH: process.env.PATH, TERM: "dumb", LC_ALL: "C.UTF-8", ...environment };
    this.child = spawn("script", ["-qfec", commandLine, "/dev/null"], { env });
    this.child.stdout.setEncoding("utf8");
    this.child.stdout.on("data", (text: string) => {
      this.seen += text;
      this.wake();
    });
    t.teardown(() => this.child.kill("SIGKILL"));
  }

  type(keys: string): void {
    this.child.stdin.write(keys);
  }

  /** Waits for it in what the shell has shown since the last call. Throws with what it shows instead. */
  async shows(expected: RegExp): Promise<void> {
    const deadline = setTimeout(() => this.wake(), answerLimitMs);
    const endMs = Date.now() + answerLimitMs;
    for (;;) {
      const found = expected.exec(this.seen);
      if (found !== null) {
        this.seen = this.seen.slice(found.index + found[0].length);
        clearTimeout(deadline);
        return;
      }
      if (Date.now() >= endMs) throw new Error(`${expected} is not in ${JSON.stringify(this.seen)}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

/** A daemon with two servers, and an environment in which `lb` is a command that finds it. */
async function environment(t: Test): Promise<{ folder: string; env: Readonly<Record<string, string>> }> {
  // A short path: a socket's may not be long.
  const folder = mkdtempSync(join(tmpdir(), "lb-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(script, join(bin, "lb"));
  const server = createServer((_, response) => response.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const file = join(folder, "lb.yaml");
  writeFileSync(
    file,
    `proxies: { http: { bind: "127.0.0.1:${await freePort()}", servers: { web01: "127.0.0.1:${port}", web02: "127.0.0.1:${port}" } } }
admin: false
stats_socket: ${join(folder, "s")}
`,
  );
  const daemon = spawn(process.execPath, [script, "--config", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => daemon.on("exit", resolve));
  t.teardown(async () => {
    daemon.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  });
  await new Promise<void>((resolve, reject) => {
    daemon.on("exit", () => reject(new Error("the daemon ended")));
    daemon.stdout.on("data", (text: Buffer) => {
      if (text.includes('"msg":"serving"')) resolve();
    });
  });
  return {
    folder,
    env: { PATH: `${bin}:${process.env.PATH}`, LB_CONFIG: file, HOME: folder, ZDOTDIR: folder },
  };
}

async function completes(t: Test, terminal: Terminal): Promise<void> {
  const keys: readonly (readonly [what: string, keys: string, shown: RegExp])[] = [
    ["a command", "lb re\t", /lb re.*load /],
    ["a word", "lb completion z\t", /lb completion z.*sh /],
    ["a flag", "lb drain --un\t", /lb drain --un.*do /],
    ["what two servers have in common", "lb server drain http/w\t", /http\/w.*eb0/],
    ["several commands", "lb s\t\t", /server[\s\S]*status|status[\s\S]*server/],
  ];
  for (const [what, typed, shown] of keys) {
    terminal.type(typed);
    await terminal.shows(shown);
    t.pass(what);
    // Ctrl-U, and a line of its own for the next one.
    terminal.type("\u0015echo ne''xt\n");
    await terminal.shows(/next\r\n/);
  }
}

t.test("bash completes commands, flags, words and the names of servers", async (t) => {
  const { folder, env } = await environment(t);
  const file = join(folder, "lb.bash");
  writeFileSync(file, await run(process.execPath, [script, "completion", "bash"]));
  const terminal = new Terminal(t, "bash --norc --noprofile -i", env);
  terminal.type(`PS1='> '; bind 'set enable-bracketed-paste off'; source ${file}; echo re''ady\n`);
  await terminal.shows(/ready\r\n/);
  await completes(t, terminal);
});

t.test("zsh completes the same", async (t) => {
  const { folder, env } = await environment(t);
  writeFileSync(join(folder, "_lb"), await run(process.execPath, [script, "completion", "zsh"]));
  const terminal = new Terminal(t, "zsh -f -i", env);
  terminal.type(
    `PS1='> '; unsetopt zle_bracketed_paste prompt_sp; fpath=(${folder} $fpath); autoload -Uz compinit; compinit -u -D; echo re''ady\n`,
  );
  await terminal.shows(/ready\r\n/);
  await completes(t, terminal);
});
