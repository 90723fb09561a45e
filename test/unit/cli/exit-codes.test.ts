import { spawnSync } from "node:child_process";
import { join } from "node:path";
import t from "tap";

/** The built command: `npm run build` comes before the tests. */
const command = new URL("../../../bin/lb.js", import.meta.url).pathname;

function lb(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [command, ...args], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, ...environment },
  });
}

const good = "proxies: { http: { bind: ':8080', servers: { web01: 127.0.0.1:9 } } }\n";
const bad = "proxies:\n  http:\n    bind: ':8080'\n    severs: { web01: 127.0.0.1:9 }\n";

t.test("check says ok and ends with 0, from a file, from LB_CONFIG and for the demo", async (t) => {
  const file = join(t.testdir({ "lb.yaml": good }), "lb.yaml");
  t.match(lb(["check", "--config", file]), { status: 0, stdout: `ok: ${file}\n`, stderr: "" });
  t.match(lb(["check"], { LB_CONFIG: file }), { status: 0, stdout: `ok: ${file}\n` });
});

t.test("check tells every problem on stderr and ends with 2", async (t) => {
  const file = join(t.testdir({ "lb.yaml": bad }), "lb.yaml");
  t.same(lb(["check", "--config", file]).stderr.trim().split("\n"), [
    `${file}:2:3: http has no servers. Add at least one, such as servers: { web01: 192.168.33.68:80 }.`,
    `${file}:4:5: "severs" is not known here. Did you mean servers?`,
  ]);
  t.match(lb(["check", "--config", file]), { status: 2, stdout: "" });
});

t.test("check tells warnings and still ends with 0", async (t) => {
  const file = join(
    t.testdir({ "lb.yaml": `${good.trim().slice(0, -3)}, timeout: { client: 5 } } }\n` }),
    "lb.yaml",
  );
  const { status, stderr } = lb(["check", "--config", file]);
  t.equal(status, 0);
  t.match(stderr, /^warning: .*:1:\d+: client 5 counts milliseconds, as in HAProxy\. Write 5s/);
});

t.test("check --print shows a file that check accepts, passwords hidden", async (t) => {
  const folder = t.testdir({ "lb.yaml": `${good}admin: { stats: { password: sesame } }\n` });
  const printed = lb(["check", "--print", "--config", join(folder, "lb.yaml")]);
  t.equal(printed.status, 0);
  t.notMatch(printed.stdout, /sesame/);
  t.match(printed.stdout, "web01: 127.0.0.1:9");
});

t.test("run refuses a wrong file and wrong flags with 2, before it opens anything", async (t) => {
  const file = join(t.testdir({ "lb.yaml": bad }), "lb.yaml");
  t.match(lb(["--config", file]), { status: 2, stdout: "" });
  const { status, stderr } = lb(["run", "--priority", "0"]);
  t.equal(status, 2);
  t.equal(stderr, '--priority: "0" is not a whole number from 1 to 255. Write, for example, --priority 1.\n');
});

t.test("a mistyped flag ends with 2 and the usage", async (t) => {
  const { status, stderr } = lb(["--prioritty=1"]);
  t.equal(status, 2);
  t.match(stderr, /^lb: LB_USAGE: --prioritty is not a flag\. Did you mean --priority\?\nusage: lb /);
});

t.test("a configuration that was asked for and is not there ends with 6", async (t) => {
  t.match(lb(["--config", "/nowhere/lb.yaml"]), {
    status: 6,
    stderr:
      "lb: LB_NO_CONFIG: --config names /nowhere/lb.yaml, which is not there. Correct the path, or leave it out to run the built-in demo.\n",
  });
  t.match(lb(["check"], { LB_CONFIG: "/nowhere/lb.yaml" }), { status: 6, stderr: /LB_CONFIG names/ });
});

t.test("a configuration that is a folder ends with 2", async (t) => {
  t.match(lb(["check", "--config", "/"]), {
    status: 2,
    stderr: /^lb: LB_CONFIG_UNREADABLE: \/ cannot be read \(EISDIR\)\./,
  });
});

t.test(
  "what needs a privilege that is not there ends with 4 and says which",
  { skip: process.getuid?.() !== 0 && "needs root to become nobody" },
  async (t) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [command, "--no-vrrp", "--listen=127.0.0.1:1", "--backend=127.0.0.1:9", "--stats-socket=off"],
      { encoding: "utf8", uid: 65_534, gid: 65_534, env: { PATH: process.env.PATH } },
    );
    t.equal(status, 4);
    t.match(
      stderr,
      /^lb: LB_PERMISSION: listening on 127\.0\.0\.1:1: not permitted\. .*CAP_NET_BIND_SERVICE/,
    );
  },
);

t.test("version and help end with 0", async (t) => {
  t.match(lb(["--version"]), { status: 0, stdout: /^lb \d+\.\d+\.\d+\n$/ });
  t.match(lb(["version"]), { status: 0, stdout: /^lb \d+\.\d+\.\d+\n$/ });
  t.match(lb(["help"]), { status: 0, stdout: /usage: lb \[run\]/ });
});
