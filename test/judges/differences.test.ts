import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { projectRoot } from "../../lab/project-root.js";
import { differences } from "./reference/differences.js";
import { uncompared, uncomparedOfBackends, uncomparedOfServers } from "./reference/stat.js";

const rows = [...new Set(Object.values(differences).flatMap(({ row }) => (row === null ? [] : [row])))];

t.test("docs/from-haproxy.md tells of every answer that differs, and of no other", (t) => {
  const text = readFileSync(join(projectRoot, "docs/from-haproxy.md"), "utf8");
  const section = text.slice(text.indexOf("## What answers differ")).split("\n## ")[0];
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  const cells = lines.slice(1).map((line) => line.split(" | ")[0].replace(/^\| /, ""));
  t.same(cells.sort(), rows.sort());
  t.end();
});

const folder = join(projectRoot, "test/judges");
const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
const scenarios = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
for (const [name, { why }] of Object.entries(differences))
  t.match(
    scenarios,
    new RegExp(`(because|spread): "${name}"`),
    `${name} has a scenario that shows it: ${why}`,
  );

for (const [column, why] of [
  ...Object.entries(uncompared),
  ...Object.entries(uncomparedOfServers),
  ...Object.entries(uncomparedOfBackends),
])
  t.ok(why, `not compared of show stat: ${column}: ${why}`);
