import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { projectRoot } from "../../lab/project-root.js";

const inDocs = readdirSync(join(projectRoot, "docs")).filter((name) => name.endsWith(".md"));
const files = [
  "README.md",
  "vagrant/README.md",
  "examples/README.md",
  ...inDocs.map((name) => `docs/${name}`),
];
const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");

/** As GitHub makes them of headings. */
const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

t.test("links of the docs lead to files and headings that there are", async (t) => {
  const broken: string[] = [];
  let found = 0;
  for (const file of files) {
    for (const [link, path, anchor] of read(file).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      found++;
      const target = path === "" ? file : join(dirname(file), path);
      const leads =
        existsSync(join(projectRoot, target)) && (anchor === undefined || anchorsOf(target).includes(anchor));
      if (!leads) broken.push(`${file}: ${link}`);
    }
  }
  t.same(broken, []);
  t.ok(found > 100, `${found} links`);
});

t.test("files of the program that the docs name are there", async (t) => {
  const named = files.flatMap((file) =>
    [...read(file).matchAll(/`((?:src|bin|test|lab|scripts|packaging)\/[\w./-]+)`/g)].map(([, path]) => ({
      file,
      path,
    })),
  );
  t.same(
    named.filter(({ path }) => !existsSync(join(projectRoot, path))),
    [],
  );
  t.ok(named.length > 30, `${named.length} paths`);
});
