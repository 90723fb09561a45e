import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { projectRoot } from "../../lab/project-root.js";
import { LbError } from "../../src/errors.js";

t.test("an error carries its code, its message and what to do", async (t) => {
  const error = new LbError("LB_TEST", "port 80 is taken", "stop the other server");
  t.match(error, { code: "LB_TEST", message: "port 80 is taken", advice: "stop the other server" });
});

t.test("docs/errors.md has every code that the sources can give, and no other", async (t) => {
  const sources = readdirSync(join(projectRoot, "src"), { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts"),
  );
  const given = new Set<string>();
  for (const file of sources) {
    const text = readFileSync(join(projectRoot, "src", file), "utf8");
    for (const [, code] of text.matchAll(/"(LB_[A-Z0-9_]+)"/g)) given.add(code);
    // The kernel's errnos make a family of codes.
    if (text.includes("`LB_NETLINK_${")) given.add("LB_NETLINK_…");
  }
  const docs = readFileSync(join(projectRoot, "docs/errors.md"), "utf8");
  const documented = new Set([...docs.matchAll(/^\| `(LB_[A-Z0-9_…]+)`/gm)].map(([, code]) => code));
  t.ok(given.size > 10, "codes were found");
  t.same([...documented].sort(), [...given].sort());
});
