import { join } from "node:path";
import t, { type Test } from "tap";
import { findSocket, parseAnswer } from "../../../src/cli/ask-daemon.js";

function find(t: Test, yaml: string, socket?: string): Promise<string> {
  const config = join(t.testdir({ "lb.yaml": yaml }), "lb.yaml");
  const flags = socket === undefined ? {} : { "stats-socket": socket };
  return findSocket({ command: "status", config, print: false, flags });
}

t.test(
  "the socket is the flag's, the file's, or the default, even where the file cannot be read as the daemon does",
  async (t) => {
    t.equal(await find(t, "stats_socket: /a/s.sock\n", "/b/s.sock"), "/b/s.sock");
    t.equal(await find(t, "stats_socket: /a/s.sock\nnode: ${NOT_SET_ANYWHERE}\n"), "/a/s.sock");
    t.equal(await find(t, 'stats_socket: /a/s.sock\nnode: "${file:/not/there}"\nproxies: 5\n'), "/a/s.sock");
    t.equal(await find(t, "stats_socket: { path: /c/s.sock, level: operator }\n"), "/c/s.sock");
    t.equal(await find(t, "stats_socket: { level: operator }\n"), "/run/lb/stats.sock");
    t.equal(await find(t, "node: a\n"), "/run/lb/stats.sock");
  },
);

t.test("without a socket there is nobody to ask", async (t) => {
  await t.rejects(find(t, "stats_socket: false\n"), { code: "LB_NOT_RUNNING" });
  await t.rejects(find(t, "{}\n", "off"), { code: "LB_NOT_RUNNING" });
});

t.test("an answer that is none says whether the level or the version is to blame", async (t) => {
  t.throws(() => parseAnswer("Permission denied\n", () => null), { message: /does not allow/ });
  t.throws(() => parseAnswer("Unknown command.", () => null), {
    message: /not understood: "Unknown command\."/,
  });
  t.equal(parseAnswer(" 5\n", Number), 5);
});
