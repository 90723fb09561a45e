import type { Config } from "./config.js";
import { type Confinement, refusalOf } from "./confinement.js";
import type { Context } from "./context.js";
import type { Path } from "./source.js";

/** Warns of paths at which the service may make no file: it would not start, or would not log. */
export function lintPaths(config: Config, confinement: Confinement, context: Context): void {
  const look = (at: Path, path: string): void => {
    const refusal = refusalOf(confinement, path);
    if (refusal !== null) context.warning(at, refusal.message, refusal.advice);
  };
  const { statsSocket } = config;
  if (statsSocket !== null && !statsSocket.isDefault) look(["stats_socket"], statsSocket.path);
  for (const { name, side, log } of config.proxies) {
    const section = side === undefined ? "proxies" : `${side}s`;
    for (const target of log?.targets ?? []) {
      if (target.kind === "file") look([section, name, "log"], target.path);
    }
  }
}
