import { type ChildProcess, spawn } from "node:child_process";
import { freePort } from "../../../lab/free-port.js";

/** A web server in a process of its own, for loads and for kill -9: answers its name some ms after the whole request. */
const program = `
const [port, text, delayMs] = process.argv.slice(1);
const body = Buffer.from(text);
require("node:http").createServer({ keepAliveTimeout: 60000 }, (request, response) => {
  const answer = () => {
    response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
    response.end(body);
  };
  request.resume().on("end", () => (Number(delayMs) > 0 ? setTimeout(answer, Number(delayMs)) : answer()));
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 }, () => console.log("ready"));
`;

export class Pages {
  private child: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly text: string,
    private readonly delayMs: number,
  ) {}

  static async start(text: string, delayMs = 0): Promise<Pages> {
    const port = await freePort();
    const pages = new Pages(port, text, delayMs);
    await pages.revive();
    return pages;
  }

  kill(): void {
    this.child?.kill("SIGKILL");
  }

  async revive(): Promise<void> {
    const words = [process.execPath, "-e", program, String(this.port), this.text, String(this.delayMs)];
    const child = spawn("setpriv", ["--pdeathsig", "SIGKILL", ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.child = child;
    await new Promise((resolve) => child.stdout.once("data", resolve));
  }
}
