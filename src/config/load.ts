import { readAdmin, readStatsSocket } from "./admin-section.js";
import type { Config } from "./config.js";
import { Context } from "./context.js";
import { defaultDrainTimeoutMs, type Machine } from "./defaults.js";
import { readIncludes } from "./include.js";
import { lintSettings } from "./lint.js";
import { lintPaths } from "./lint-paths.js";
import { readAlerts, readNotifyDefaults } from "./notify-section.js";
import { readPeerLink } from "./peer-link-section.js";
import type { Problem } from "./problem.js";
import { readProxies } from "./proxy-section.js";
import type { FileShape } from "./schema.js";
import { checkShape } from "./shape.js";
import { noSurroundings, type Surroundings } from "./surroundings.js";
import { readSyncGroups } from "./sync-group-section.js";
import { readDeclared, readFitness } from "./tracking-section.js";
import { readVrrp } from "./vrrp-section.js";
import { lintUntracked, lintWeights } from "./weight-lint.js";

/** A configuration, or everything that is wrong with the text; never both. Warnings come with either. */
export type Loaded =
  | { readonly config: Config; readonly problems: readonly []; readonly warnings: readonly Problem[] }
  | { readonly config: null; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/**
 * Reads the text of a configuration file. Pure, and never throws: whatever is wrong comes back as problems, all of
 * them at once and in the order of the text. `file` is what the positions name. What the text refers to (`include:`,
 * `${NAME}`, `${file:…}`) is asked of `surroundings`; without them every reference is a problem.
 */
export function loadConfig(
  text: string,
  file: string,
  machine: Machine,
  surroundings: Surroundings = noSurroundings,
): Loaded {
  const source = readIncludes(text, file, surroundings);
  const inOrder = (problems: readonly Problem[]) => byPosition(problems, source.files);
  if (source.problems.length > 0) return { config: null, problems: inOrder(source.problems), warnings: [] };
  const shaped = checkShape(source);
  if (shaped.value === null) return { config: null, problems: inOrder(shaped.problems), warnings: [] };
  const context = new Context(source, shaped, surroundings);
  const config = readSections(shaped.value, machine, context);
  const problems = inOrder([...shaped.problems, ...context.problems]);
  const warnings = inOrder(context.warnings);
  return problems.length > 0 ? { config: null, problems, warnings } : { config, problems: [], warnings };
}

function readSections(file: FileShape, machine: Machine, context: Context): Config {
  const node = context.text(["node"], file.node, machine.hostname);
  const notifyDefaults = readNotifyDefaults(file.global_defs, context);
  const declared = readDeclared(file, notifyDefaults.user, context);
  const vrrp = readVrrp(file.vrrp, declared, notifyDefaults, context);
  const proxies = readProxies(file, context);
  if (vrrp.length === 0 && proxies.length === 0 && !context.flagged(["vrrp"])) {
    context.missing(["proxies"], "the file has neither vrrp nor proxies", "add at least one of them");
  }
  const config: Config = {
    node,
    vrrp,
    syncGroups: readSyncGroups(file.vrrp_sync_group, vrrp, declared, notifyDefaults, context),
    tracking: declared.things,
    fitness: readFitness(file.fitness),
    alerts: readAlerts(file.global_defs, node, notifyDefaults, context),
    peerLink: readPeerLink(file.peer_link, vrrp.length > 0, context),
    proxies,
    admin: readAdmin(file.admin, vrrp, proxies, context),
    statsSocket: readStatsSocket(file.stats_socket, context),
    maxconn: file.maxconn ?? null,
    threads: file.threads ?? machine.cores,
    engine: file.engine ?? "auto",
    drainTimeoutMs: context.duration(["drain_timeout"], file.drain_timeout, null, defaultDrainTimeoutMs, 0),
  };
  lintWeights(config, context);
  lintUntracked(config, context);
  lintSettings(config, context);
  if (machine.confinement != null) lintPaths(config, machine.confinement, context);
  return config;
}

/** By file, line and column. */
function byPosition(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const position = ({ where }: Problem): readonly number[] => {
    const [line, column] = where.split(":").slice(-2);
    const file = where.slice(0, -(line.length + column.length + 2));
    return [files.indexOf(file), Number(line), Number(column)];
  };
  return problems.toSorted((a, b) => {
    const [fileA, lineA, columnA] = position(a);
    const [fileB, lineB, columnB] = position(b);
    return fileA - fileB || lineA - lineB || columnA - columnB;
  });
}
