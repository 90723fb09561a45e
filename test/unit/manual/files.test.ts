import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { projectRoot } from "../../../lab/project-root.js";
import { version } from "../../../src/control/release.js";
import { generatedFiles } from "../../../src/manual/files.js";
import { schemaSections } from "../../../src/manual/schema-words.js";

for (const [path, text] of generatedFiles(version)) {
  t.test(`${path} is what the schema and the usage make; npm run docs writes it anew`, async (t) => {
    t.equal(readFileSync(join(projectRoot, path), "utf8"), text);
  });
}

t.test(
  "every word of the schema has a meaning or a default, and every section that is referred to is there",
  async (t) => {
    const sections = schemaSections();
    const paths = new Set(sections.map(({ path }) => path));
    for (const { path, words } of sections) {
      for (const { name, meaning, default: fallback, section } of words) {
        if (section !== null) t.ok(paths.has(section), `${path}.${name} → ${section}`);
        else t.ok(meaning !== "" || fallback !== null, `${path}.${name}`);
      }
    }
    t.ok(paths.has("proxies.NAME.default_server.check"), "the deepest one");
  },
);

t.test("bash completes commands, flags and words", async (t) => {
  const complete = (line: string): string[] => {
    const words = line.split(" ");
    const script = `source ${join(projectRoot, "packaging/completion/lb.bash")}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _lb; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const run = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    t.equal(run.stderr, "");
    return run.stdout.trim().split("\n");
  };
  t.same(complete("lb re"), ["reload"]);
  t.same(complete("lb check --pri"), ["--priority", "--print"]);
  t.same(complete("lb server d"), ["disable", "drain"]);
  t.same(complete("lb completion "), ["bash", "zsh"]);
  t.same(complete("lb run --engine d"), ["direct"]);
});
