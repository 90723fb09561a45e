import { readFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { LbError } from "../errors.js";
import type { Machine } from "./defaults.js";

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

/** What the defaults need to know of this machine. */
export function thisMachine(): Machine {
  return { hostname: hostname(), cores: Math.min(availableParallelism(), 64) };
}
