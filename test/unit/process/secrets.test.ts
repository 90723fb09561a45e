import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { freePorts } from "../../../lab/free-port.js";
import { command } from "./running-daemon.js";

const secrets = {
  admin: "Zq9-admin-secret",
  later: "Zq9-admin-other",
  user: "Zq9-user-secret",
  mail: "Zq9-mail-secret",
  peer: "Zq9-peer-secret-of-both",
  pass: "Zq9-pass",
};

const [port, adminPort] = await freePorts(2);
const plain = (folder: string, password: string) => `
proxies:
  http:
    bind: 127.0.0.1:${port}
    servers: { web01: 127.0.0.1:9 }
    rules: [{ if: { path_beg: /private }, auth: { users: { ann: ${secrets.user} } } }]
global_defs: { notification_email: a@example.org, smtp_server: 127.0.0.1 9, smtp_user: u, smtp_password: ${secrets.mail} }
admin: { bind: "127.0.0.1:${adminPort}", stats: { password: "${password}" } }
stats_socket: ${folder}/stats.sock
drain_timeout: 0s
`;

function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`${line}\n`));
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

function holds(text: string): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));
}

t.test(
  "no secret is in the log at any level, the state, the answers of the socket, or what a reload says",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tandem-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const config = join(folder, "lb.yaml");
    const socket = join(folder, "stats.sock");
    writeFileSync(config, plain(folder, secrets.admin));
    const child = spawn(process.execPath, [command, "run", "--config", config, "--threads", "1"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LB_LOG_LEVEL: "trace" },
    });
    const exited = once(child, "exit");
    t.teardown(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        said += text;
      });
    }
    const until = async (word: string): Promise<void> => {
      while (!said.includes(word)) {
        if (child.exitCode !== null) throw new Error(`it has ended: ${said}`);
        await delay(20);
      }
    };
    await until('"msg":"serving"');
    await until("stats socket is open");
    await until("stats page is open");
    const wrong = `Basic ${Buffer.from(`admin:${secrets.later}`).toString("base64")}`;
    await fetch(`http://127.0.0.1:${adminPort}/stats`, { headers: { authorization: wrong } });
    child.kill("SIGUSR1");
    await until('"msg":"state"');
    writeFileSync(config, plain(folder, secrets.later));
    for (const line of [
      "show plan",
      "reload",
      "show info",
      "show stat",
      "show node",
      "show flight",
      "show flight changes",
      "show vrrp json",
    ]) {
      let answer = "";
      // A reload takes the socket away for a moment.
      for (let tries = 0; answer === "" && tries < 100; tries++)
        answer = await ask(socket, line).catch(() => delay(50).then(() => ""));
      t.not(answer, "", line);
      t.same(holds(answer), [], line);
    }
    t.match(said, /"msg":"reloaded"/);
    child.kill("SIGTERM");
    await exited;
    t.same(holds(said), []);
    t.ok(said.length > 1000, "something was said");
  },
);

t.test("check --print shows every secret as stars, also as JSON and from references", async (t) => {
  const folder = t.testdir({ "key.txt": `${secrets.later}\n` });
  const config = join(folder, "lb.yaml");
  writeFileSync(
    config,
    `${plain("/run", "${file:key.txt}")}peer_link: { key: ${secrets.peer} }
vrrp:
  A:
    interface: eth9
    virtual_router_id: 1
    authentication: { auth_type: PASS, auth_pass: "\${VRRP_PASS}" }
    virtual_ipaddress: 192.0.2.9/24
`,
  );
  for (const flags of [["--print"], ["--print", "--json"]]) {
    const run = spawnSync(process.execPath, [command, "check", ...flags, "--config", config], {
      encoding: "utf8",
      env: { ...process.env, VRRP_PASS: secrets.pass },
    });
    t.equal(run.status, 0, run.stderr);
    t.same(holds(run.stdout + run.stderr), []);
    t.equal(run.stdout.split("********").length - 1, 5, "five of them");
  }
});
