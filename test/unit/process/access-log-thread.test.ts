import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import t, { type Test } from "tap";
import { waitFor } from "../../../lab/clock.js";
import { freePort } from "../../../lab/free-port.js";
import { RunningDaemon } from "./running-daemon.js";

/** The daemon with another proxy, which logs to a file and answers by itself. */
async function startLogging(t: Test, engine: string) {
  const folder = mkdtempSync(join(tmpdir(), "lb-log-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [file, config, port] = [join(folder, "access.log"), join(folder, "lb.yaml"), await freePort()];
  writeFileSync(
    config,
    JSON.stringify({
      proxies: {
        logged: {
          bind: `127.0.0.1:${port}`,
          rules: [{ return: { body: "!" } }],
          servers: { none: "127.0.0.1:1" },
          log: { to: [`file:${file}`] },
        },
      },
    }),
  );
  const daemon = await RunningDaemon.start(t, [`--config=${config}`, "--threads=2", `--engine=${engine}`]);
  const lines = (): string[] => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []);
  const ask = async (path: string): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
    await response.text();
  };
  return { daemon, lines, ask };
}

for (const engine of ["portable", "direct"]) {
  t.test(`each request is in the access log when the daemon has ended (${engine})`, async (t) => {
    const { daemon, lines, ask } = await startLogging(t, engine);
    const paths = Array.from({ length: 200 }, (_, index) => `/${index}`);
    await Promise.all(paths.map((path) => ask(path)));
    daemon.process.kill("SIGTERM");
    t.equal(await daemon.exited, 0);
    const logged = lines().map((line) => /GET (\S+) /.exec(line)?.[1]);
    t.same(logged.sort(), paths.sort());
  });

  t.test(`after the death of the log thread the access log goes on (${engine})`, async (t) => {
    const { daemon, lines, ask } = await startLogging(t, engine);
    await ask("/before");
    await waitFor("the first line", 30_000, () => lines().length === 1, 20);
    writeFileSync(join(daemon.folder, "sabotage.log"), "throw");
    t.match(await daemon.line(({ msg }) => msg === "log thread died"), { reason: "it threw sabotage" });
    // Until another one is there, lines are lost. Each of the two data threads has to find its way to it.
    let round = 0;
    await waitFor(
      "a round of which no line is lost",
      60_000,
      async () => {
        const path = `/round-${++round}`;
        await Promise.all(Array.from({ length: 16 }, () => ask(path)));
        await setTimeout(500);
        return lines().filter((line) => line.includes(`GET ${path} `)).length === 16;
      },
      20,
    );
    daemon.process.kill("SIGTERM");
    t.equal(await daemon.exited, 0);
  });
}
