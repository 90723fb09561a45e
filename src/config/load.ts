import { readAdmin, readStatsSocket } from "./admin-section.js";
import type { Config } from "./config.js";
import { Context } from "./context.js";
import { defaultDrainTimeoutMs, type Machine } from "./defaults.js";
import { readAlerts, readNotifyDefaults } from "./notify-section.js";
import { readPeerLink } from "./peer-link-section.js";
import type { Problem } from "./problem.js";
import { readProxies } from "./proxy-section.js";
import type { FileShape } from "./schema.js";
import { checkShape } from "./shape.js";
import { readSource } from "./source.js";
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
 * them at once and in the order of the text. `file` is what the positions name.
 */
export function loadConfig(text: string, file: string, machine: Machine): Loaded {
  const source = readSource(text, file);
  if (source.problems.length > 0) return { config: null, problems: inOrder(source.problems), warnings: [] };
  const shaped = checkShape(source);
  if (shaped.value === null) return { config: null, problems: inOrder(shaped.problems), warnings: [] };
  const context = new Context(source, shaped);
  const config = readFile(shaped.value, machine, context);
  const problems = inOrder([...shaped.problems, ...context.problems]);
  const warnings = inOrder(context.warnings);
  return problems.length > 0 ? { config: null, problems, warnings } : { config, problems: [], warnings };
}

function readFile(file: FileShape, machine: Machine, context: Context): Config {
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
  return config;
}

/** By line and column. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const position = (problem: Problem): readonly [number, number] => {
    const [line, column] = problem.where.split(":").slice(-2).map(Number);
    return [line, column];
  };
  return problems.toSorted((a, b) => {
    const [lineA, columnA] = position(a);
    const [lineB, columnB] = position(b);
    return lineA - lineB || columnA - columnB;
  });
}
