import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Test } from "tap";

/** Node has no Unix datagram sockets. Prints each datagram as a JSON text. */
const program = `
import json, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

/** A service manager's side of NOTIFY_SOCKET. */
export class DatagramReceiver {
  private constructor(
    /** For NOTIFY_SOCKET: a path, or an abstract name with `@` in front. */
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
  ) {}

  static async open(t: Test, kind: "path" | "abstract"): Promise<DatagramReceiver> {
    const folder = mkdtempSync(join(tmpdir(), "lb-"));
    const name = kind === "path" ? join(folder, "notify") : `@${folder}`;
    const child = spawn("python3", ["-c", program, name], { stdio: ["ignore", "pipe", "inherit"] });
    t.teardown(() => {
      child.kill();
      rmSync(folder, { recursive: true });
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const receiver = new DatagramReceiver(name, child, lines);
    t.equal(await receiver.next(), "bound");
    return receiver;
  }

  /** The next datagram. */
  async next(): Promise<string> {
    const { value } = await this.lines.next();
    return JSON.parse(String(value));
  }

  async close(): Promise<void> {
    this.child.kill();
    await once(this.child, "exit");
  }
}
