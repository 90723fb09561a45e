import { readFile } from "node:fs/promises";
import { ExitCode, LbError } from "../errors.js";
import { describeNote, type ImportedFile, importFiles } from "../import/import.js";
import type { Arguments } from "./arguments.js";
import { unitConfinement } from "./read-unit.js";

/**
 * `lb import`: the configuration on stdout; what was not carried over, and what `lb check` warns of, on stderr. Throws
 * LbError LB_USAGE, LB_CONFIG_UNREADABLE, LB_IMPORT.
 */
export async function importCommand(args: Arguments): Promise<number> {
  const { haproxy = [], keepalived = [] } = args;
  if (haproxy.length + keepalived.length === 0)
    throw new LbError(
      "LB_USAGE",
      "lb import has nothing to read",
      "add --haproxy /etc/haproxy/haproxy.cfg, --keepalived /etc/keepalived/keepalived.conf, or both",
    );
  const { yaml, notes, warnings } = importFiles(
    await readAll(haproxy),
    await readAll(keepalived),
    unitConfinement(),
  );
  if (args.json) {
    process.stdout.write(`${JSON.stringify({ yaml, notes, warnings }, null, 2)}\n`);
    return yaml === null ? ExitCode.fatal : ExitCode.ok;
  }
  for (const note of notes) console.error(describeNote(note));
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (yaml === null)
    throw new LbError(
      "LB_IMPORT",
      "nothing could be carried over",
      "the lines above say why; begin with examples/",
    );
  process.stdout.write(yaml);
  return ExitCode.ok;
}

function readAll(paths: readonly string[]): Promise<ImportedFile[]> {
  return Promise.all(
    paths.map(async (path) => {
      try {
        return { path, text: await readFile(path, "utf8") };
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
        throw new LbError(
          "LB_CONFIG_UNREADABLE",
          `${path} cannot be read (${code})`,
          "check what it is and who may read it",
          {
            cause: error,
          },
        );
      }
    }),
  );
}
