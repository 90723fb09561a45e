import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { StatsListener } from "../../../src/process/stats-listener.js";

function folder(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "lb-listener-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

t.test("another mode replaces this process's own socket, in whose place it is moved", async (t) => {
  const directory = folder(t);
  const path = join(directory, "stats.sock");
  const first = StatsListener.open({ path, isDefault: false });
  t.throws(() => StatsListener.open({ path, isDefault: false }), { code: "LB_STATS_SOCKET_IN_USE" });
  const second = StatsListener.open({ path, isDefault: false, mode: 0o600 }, first);
  t.equal(statSync(path).mode & 0o777, 0o600);
  first.close();
  t.ok(statSync(path).isSocket(), "the first one's end leaves the second one's file");
  second.close();
  t.same(readdirSync(directory), []);
});

t.test("who leaves keeps the file for who has adopted the socket", async (t) => {
  const path = join(folder(t), "stats.sock");
  const config = { path, isDefault: false };
  const first = StatsListener.open(config);
  const adopted = StatsListener.adopt(config, first.descriptor);
  t.ok(statSync(path).isSocket());
  adopted.close();
  t.throws(() => statSync(path), { code: "ENOENT" });
});

t.test("an open that fails leaves nothing behind", async (t) => {
  const directory = folder(t);
  mkdirSync(join(directory, "run"));
  const path = join(directory, "run", "stats.sock");
  t.throws(() => StatsListener.open({ path, isDefault: false, group: "nobody-of-that-name" }), {
    code: "LB_STATS_SOCKET",
  });
  t.same(readdirSync(join(directory, "run")), []);
  writeFileSync(path, "precious");
  t.throws(() => StatsListener.open({ path, isDefault: false }), { code: "LB_STATS_SOCKET" });
  t.ok(statSync(path).isFile());
});

t.test(
  "another user's socket is replaced when nobody listens on it, as HAProxy leaves it behind",
  async (t) => {
    const directory = folder(t);
    const path = join(directory, "stats.sock");
    const config = { path, isDefault: false };
    const haproxy = createServer();
    await new Promise<void>((resolve) => haproxy.listen(`${path}.77.tmp`, resolve));
    renameSync(`${path}.77.tmp`, path);
    chmodSync(path, 0);
    const isRoot = process.getuid?.() === 0;
    const nobody = 65534;
    if (isRoot) chownSync(directory, nobody, nobody);
    const asOther = <T>(act: () => T): T => {
      if (isRoot) process.seteuid?.(nobody);
      try {
        return act();
      } finally {
        if (isRoot) process.seteuid?.(0);
      }
    };
    t.throws(() => asOther(() => StatsListener.open(config)), { code: "LB_STATS_SOCKET_IN_USE" });
    await new Promise((resolve) => haproxy.close(resolve));
    t.ok(statSync(path).isSocket(), "it is still there");
    const own = asOther(() => StatsListener.open(config));
    t.equal(statSync(path).mode & 0o777, 0o660);
    own.close();
  },
);
