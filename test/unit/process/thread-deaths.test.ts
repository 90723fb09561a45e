import { spawnSync } from "node:child_process";
import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { RunningDaemon } from "./running-daemon.js";

for (const engine of ["portable", "direct"]) {
  t.test(
    `a data thread that throws is replaced, without a refused connection and without a lost descriptor (${engine})`,
    async (t) => {
      const daemon = await RunningDaemon.start(t, ["--threads=1", `--engine=${engine}`]);
      t.equal(await daemon.get(), "ok");
      const before = listeningDescriptors(daemon);
      writeFileSync(join(daemon.folder, "sabotage"), "throw");
      t.match(await daemon.line(({ msg }) => msg === "data thread died"), {
        level: "error",
        dataThread: "data-0",
        reason: "it threw sabotage",
        restartInMs: 0,
      });
      t.equal(await daemon.get(), "ok", "a client that comes meanwhile waits in the backlog");
      await daemon.line(({ msg, restarts }) => msg === "data thread serves again" && restarts === 1);
      t.equal(listeningDescriptors(daemon), before);
      daemon.process.kill("SIGTERM");
      t.equal(await daemon.exited, 0);
    },
  );

  t.test(
    `a data thread whose loop stands still is ended and replaced, and the node is unfit meanwhile (${engine})`,
    async (t) => {
      const daemon = await RunningDaemon.start(t, ["--threads=1", `--engine=${engine}`]);
      writeFileSync(join(daemon.folder, "sabotage"), "spin");
      await daemon.line(({ msg }) => msg === "data thread is stuck and is ended");
      t.match(await daemon.line(({ msg }) => msg === "this node cannot serve"), {
        reason: "data-0 is stuck",
      });
      await daemon.line(({ msg }) => msg === "data thread serves again");
      t.equal(await daemon.get(), "ok");
      await daemon.line(({ msg }) => msg === "this node can serve again");
    },
  );

  t.test(
    `a data thread that keeps dying makes the node unfit, without losing descriptors (${engine})`,
    async (t) => {
      const daemon = await RunningDaemon.start(t, ["--threads=2", `--engine=${engine}`]);
      const before = listeningDescriptors(daemon);
      writeFileSync(join(daemon.folder, "sabotage.always"), "");
      writeFileSync(join(daemon.folder, "sabotage"), "throw");
      t.match(await daemon.line(({ msg }) => msg === "this node cannot serve"), {
        reason: "data-0 keeps dying",
      });
      await daemon.line(({ restartInMs }) => restartInMs === 800);
      t.ok(
        listeningDescriptors(daemon) < before,
        "those that the dead threads never adopted were given back",
      );
      t.equal(await daemon.get(), "ok", "the other thread serves on");
      rmSync(join(daemon.folder, "sabotage.always"));
      await daemon.line(({ msg }) => msg === "data thread serves again");
    },
  );
}

t.test("data threads that cannot start end the start with a reason", async (t) => {
  const daemon = await RunningDaemon.spawn(t, ["--threads=1"]);
  writeFileSync(join(daemon.folder, "sabotage.always"), "");
  t.equal(await daemon.exited, 1);
  t.match(daemon.lines.at(-1), {
    level: "fatal",
    code: "LB_THREAD_START",
    msg: "the thread data-0 does not start",
  });
});

t.test(
  "an error that nobody foresaw in the main thread is logged with its stack and ends it with 70",
  async (t) => {
    const daemon = await RunningDaemon.start(t, ["--threads=1"]);
    writeFileSync(join(daemon.folder, "sabotage.main"), "throw");
    t.equal(await daemon.exited, 70);
    t.match(await daemon.line(({ level }) => level === "fatal"), {
      msg: "internal error in the main thread",
      err: { message: "sabotage", stack: /sabotage\.mjs/ },
    });
  },
);

/** How many descriptors of TCP sockets that listen on its port the daemon has. */
function listeningDescriptors(daemon: RunningDaemon): number {
  const port = daemon.port.toString(16).toUpperCase().padStart(4, "0");
  const table = spawnSync("cat", ["/proc/net/tcp"], { encoding: "utf8" }).stdout;
  const row = table.split("\n").find((line) => line.includes(`:${port} 00000000:0000 0A`));
  const inode = row?.trim().split(/\s+/)[9];
  const folder = `/proc/${daemon.process.pid}/fd`;
  return readdirSync(folder).filter((descriptor) => {
    try {
      return readlinkSync(join(folder, descriptor)) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  }).length;
}
