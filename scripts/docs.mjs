/** `npm run docs`: writes what is made from the schema and the usage; `test/unit/manual` keeps it current. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensure, main, root } from "./setup.mjs";

await main(async () => {
  ensure({ npm: true, build: true });
  const { generatedFiles } = await import("../dist/manual/files.js");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const [path, text] of generatedFiles(version)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
  return 0;
});
