import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t from "tap";
import { run, tryRun } from "../../lab/command.js";
import { freePort } from "../../lab/free-port.js";
import { projectRoot } from "../../lab/project-root.js";

t.test(
  "the package has all that runs: it is unpacked elsewhere, and serves with the direct engine",
  async (t) => {
    const built = await tryRun(process.execPath, [join(projectRoot, "scripts/deb.mjs")], 270_000);
    t.equal(built.code, 0, built.stderr);
    const file = built.stdout.trim().split("\n").at(-1) ?? "";
    t.match(await run("dpkg-deb", ["-f", file, "Package"]), "tandem-lb");
    const root = t.testdir({});
    await run("dpkg-deb", ["-x", file, root]);
    for (const path of [
      "usr/lib/systemd/system/lb.service",
      "usr/lib/sysusers.d/lb.conf",
      "usr/share/man/man8/lb.8.gz",
      "usr/share/man/man5/lb.yaml.5.gz",
      "usr/share/bash-completion/completions/lb",
      "usr/share/zsh/vendor-completions/_lb",
      "opt/lb/docs/lb.schema.json",
      "opt/lb/examples/pair.yaml",
    ]) {
      t.ok(existsSync(join(root, path)), path);
    }
    t.match(readFileSync(join(root, "usr/lib/systemd/system/lb.service"), "utf8"), "/opt/lb/bin/lb.js");
    const packages = readdirSync(join(root, "opt/lb/node_modules"));
    for (const name of ["tap", "typescript", "tsx", "fast-check"])
      t.notOk(packages.includes(name), `${name} is for development`);

    const lb = join(root, "opt/lb/bin/lb.js");
    t.equal(
      (await run(process.execPath, [lb, "version"])).trim(),
      `lb ${JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")).version}`,
    );
    // They load only when they are needed: that one is missing would be seen on the user's machine.
    const native = await tryRun("bash", [
      "-c",
      `cd ${join(root, "opt/lb")} && ${process.execPath} -e "for (const name of ['raw-socket','node-netlink','syscall-napi','buffer2address','koffi']) require(name)"`,
    ]);
    t.match(native, { code: 0 }, native.stderr);
    const config = join(root, "lb.yaml");
    writeFileSync(
      config,
      `proxies: { http: { bind: "127.0.0.1:0", servers: { web01: "127.0.0.1:9" } } }\nstats_socket: ${root}/s\n`,
    );
    t.equal((await tryRun(process.execPath, [lb, "check", "--config", config])).code, 2, "port 0 is none");
    writeFileSync(
      config,
      `proxies: { http: { bind: "127.0.0.1:${await freePort()}", servers: { web01: "127.0.0.1:9" } } }\nstats_socket: false\n`,
    );
    const serving = spawn("timeout", ["60", process.execPath, lb, "run", "--config", config]);
    const ended = once(serving, "exit");
    for await (const line of createInterface({ input: serving.stdout })) {
      const { msg, engine } = JSON.parse(line);
      if (msg !== "serving") continue;
      t.equal(engine, "direct");
      serving.kill();
    }
    t.same(await ended, [0, null]);
  },
);
