import { readdirSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { LbError } from "../errors.js";
import type { Machine } from "./defaults.js";
import { mostErrorFileBytes } from "./error-file.js";
import { type Parsed, parsed, refused } from "./problem.js";
import type { Surroundings } from "./surroundings.js";

export const defaultConfigPath = "/etc/lb/lb.yaml";

/** The text of the configuration file and the path under which it was found; null: there is none, use the demo. */
export interface FileText {
  readonly path: string;
  readonly text: string;
}

/**
 * Reads `--config`, else `$LB_CONFIG`, else /etc/lb/lb.yaml.
 *
 * A file that was asked for and is not there is LB_NO_CONFIG; only the last one may be missing. One that cannot be
 * read is LB_CONFIG_UNREADABLE.
 */
export async function readConfigFile(
  flag: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<FileText | null> {
  const asked = flag ?? (environment.LB_CONFIG || undefined);
  const path = asked ?? defaultConfigPath;
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      if (asked === undefined) return null;
      const source = flag === undefined ? "LB_CONFIG names" : "--config names";
      throw new LbError(
        "LB_NO_CONFIG",
        `${source} ${path}, which is not there`,
        "correct the path, or leave it out to run the built-in demo",
        { cause: error },
      );
    }
    throw new LbError(
      "LB_CONFIG_UNREADABLE",
      `${path} cannot be read (${String(code ?? error)})`,
      "check what it is and who may read it",
      { cause: error },
    );
  }
}

/** The content of a file that the configuration names by an absolute path; of one that is too large only its beginning. */
function readOwnFile(path: string): Parsed<Uint8Array> {
  if (!path.startsWith("/")) return refused("this path is not absolute", "begin it with a slash");
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return refused("it is a directory", "name a file");
    // A device such as /dev/null is read as it is; anything that could wait for a writer is not.
    if (stats.isFIFO() || stats.isSocket()) return refused("it is no file", "name a file");
    if (stats.isCharacterDevice() && path !== "/dev/null") return refused("it is a device", "name a file");
    if (stats.size > mostErrorFileBytes)
      return refused(`it has ${stats.size} bytes`, `make it at most ${mostErrorFileBytes} bytes long`);
    return parsed(readFileSync(path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return refused(`it cannot be read (${code})`, "check the path and who may read it");
  }
}

/** What the defaults need to know of this machine. */
export function thisMachine(): Machine {
  return { hostname: hostname(), cores: Math.min(availableParallelism(), 64) };
}

/** The environment and the files of this machine. */
export function theseSurroundings(environment: Readonly<Record<string, string | undefined>>): Surroundings {
  return {
    variable: (name) => environment[name],
    read: (path) => reading(path, () => readFileSync(path, "utf8")),
    bytes: readOwnFile,
    match: (pattern) => {
      const slash = pattern.lastIndexOf("/");
      const folder = slash === -1 ? "." : pattern.slice(0, slash) || "/";
      const parts = pattern.slice(slash + 1).split("*");
      const literal = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      // As in a shell: `*` does not stand for a leading dot.
      const name = new RegExp(`^${parts[0] === "" ? "(?!\\.)" : ""}${parts.map(literal).join(".*")}$`);
      return reading(folder, () =>
        readdirSync(folder)
          .filter((file) => name.test(file))
          .sort()
          .map((file) => `${pattern.slice(0, slash + 1)}${file}`),
      );
    },
  };
}

function reading<T>(path: string, read: () => T): Parsed<T> {
  try {
    return parsed(read());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return refused(`${path} cannot be read (${code})`, "check that it is there and who may read it");
  }
}
