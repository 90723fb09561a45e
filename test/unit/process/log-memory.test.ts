import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import t from "tap";
import { waitFor } from "../../../lab/clock.js";
import { freePort } from "../../../lab/free-port.js";
import { command } from "./running-daemon.js";

const clients = 8;
const askedAtOnce = 20;
const pathBytes = 8_000;

/** `rounds` times some requests at once over one connection; each answer ends with `done.`. */
function ask(port: number, rounds: number): Promise<void> {
  const requests = `GET /${"x".repeat(pathBytes)} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(askedAtOnce);
  return new Promise((resolve, reject) => {
    let left = rounds;
    let answers = 0;
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => socket.write(requests));
    socket.on("error", reject);
    socket.on("end", () => reject(new Error("the proxy has closed the connection")));
    socket.on("data", (bytes) => {
      for (const byte of bytes) if (byte === 0x21) answers++;
      if (answers < askedAtOnce) return;
      answers = 0;
      if (--left > 0) socket.write(requests);
      else {
        socket.destroy();
        resolve();
      }
    });
  });
}

t.test(
  "an access log of many times the memory leaves none of it behind in the other data threads",
  async (t) => {
    const [port, folder] = [await freePort(), t.testdir()];
    const file = join(folder, "lb.yaml");
    writeFileSync(
      file,
      JSON.stringify({
        threads: 2,
        admin: false,
        stats_socket: false,
        proxies: {
          web: {
            bind: `127.0.0.1:${port}`,
            rules: [{ return: { body: "!" } }],
            servers: { none: "127.0.0.1:1" },
            log: true,
          },
        },
      }),
    );
    const lb = spawn(process.execPath, [command, "--no-vrrp", "--config", file], { stdio: "ignore" });
    t.teardown(() => lb.kill("SIGKILL"));
    await waitFor(
      "the proxy",
      60_000,
      () =>
        ask(port, 1).then(
          () => true,
          () => false,
        ),
      100,
    );
    const residentMb = (): number =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${lb.pid}/status`, "utf8"))?.[1]) / 1_024;
    const askAll = (rounds: number) => Promise.all(Array.from({ length: clients }, () => ask(port, rounds)));
    await askAll(50);
    const before = residentMb();
    await askAll(400);
    const grown = residentMb() - before;
    const logged = (clients * 400 * askedAtOnce * pathBytes) / 1_048_576;
    t.ok(
      logged > 300 && grown < logged / 2,
      `${Math.round(grown)} MB more behind ${Math.round(logged)} MB of lines`,
    );
  },
);
