import type { FitnessConfig, Weight } from "../config/tracking-config.js";
import { type Fitness, fitAtStart, judgeFitness, recoveryMs, type ThreadHealth } from "./fitness.js";

/** How this process is, at one instant. */
export interface NodeFacts {
  /** The data threads. */
  readonly threads: readonly ThreadHealth[];
  readonly control: ThreadHealth;
  /** Addresses whose listening socket no longer listens. */
  readonly deafListeners: readonly string[];
  /** Proxies that reach none of their servers. */
  readonly unservedProxies: readonly string[];
}

/** What is wrong with this node, with the memory that keeps the verdict from fluttering. Pure. */
export interface NodeHealth {
  readonly threads: Fitness;
  readonly control: Lasting;
  readonly listeners: Lasting;
  readonly servers: Lasting;
}

/** One thing that may be wrong. */
export interface Lasting {
  /** Why it counts as wrong; null: it does not. One sentence without a full stop. */
  readonly reason: string | null;
  /** Since when it is wrong without a break; null: it is not. */
  readonly badSinceMs: number | null;
  /** Since when it is well, while it still counts as wrong. */
  readonly wellSinceMs: number | null;
}

export interface Finding {
  readonly weight: number | "fault";
  readonly reason: string;
}

/** The control thread is started again at once; what it tracks stands still meanwhile. */
export const controlPatienceMs = 1000;

/** A server that was reached once may refuse the next connection. */
export const serversRecoveryMs = 1000;

const well: Lasting = { reason: null, badSinceMs: null, wellSinceMs: null };

export const wellAtStart: NodeHealth = { threads: fitAtStart, control: well, listeners: well, servers: well };

export function judgeNode(before: NodeHealth, facts: NodeFacts, nowMs: number): NodeHealth {
  const { control, deafListeners, unservedProxies } = facts;
  return {
    threads: judgeFitness(before.threads, facts.threads, nowMs),
    control: control.keepsDying
      ? judgeLasting(before.control, "the control thread keeps dying", nowMs, 0, recoveryMs)
      : judgeLasting(
          before.control,
          control.state === "serving" ? null : "the control thread is missing",
          nowMs,
          controlPatienceMs,
          recoveryMs,
        ),
    listeners: judgeLasting(
      before.listeners,
      deafListeners.length === 0 ? null : `nothing listens on ${deafListeners.join(", ")} any more`,
      nowMs,
      0,
      recoveryMs,
    ),
    servers: judgeLasting(
      before.servers,
      unservedProxies.length === 0 ? null : `no server of ${unservedProxies.join(", ")} can be reached`,
      nowMs,
      0,
      serversRecoveryMs,
    ),
  };
}

/** Wrong after `patienceMs` of being so, and right again after `recoveryMs` of that. */
function judgeLasting(
  before: Lasting,
  wrong: string | null,
  nowMs: number,
  patienceMs: number,
  recoveryMs: number,
): Lasting {
  if (wrong !== null) {
    const badSinceMs = before.badSinceMs ?? nowMs;
    const counts = before.reason !== null || nowMs - badSinceMs >= patienceMs;
    return { reason: counts ? wrong : null, badSinceMs, wellSinceMs: null };
  }
  if (before.reason === null) return well;
  const wellSinceMs = before.wellSinceMs ?? nowMs;
  if (nowMs - wellSinceMs >= recoveryMs) return well;
  return { reason: before.reason, badSinceMs: null, wellSinceMs };
}

/** What counts, and how much. */
export function findings(health: NodeHealth, config: FitnessConfig): Finding[] {
  const { threads, control, listeners, servers } = health;
  const all: [Weight, string | null][] = [
    [config.threads, threads.fit ? null : threads.reason],
    [config.listeners, listeners.reason],
    [config.servers, servers.reason],
    [config.control, control.reason],
  ];
  return all.flatMap(([weight, reason]) => (weight === null || reason === null ? [] : [{ weight, reason }]));
}

/** Everything that is wrong, counted or not, as one text; null: nothing is. */
export function describeHealth({ threads, control, listeners, servers }: NodeHealth): string | null {
  const reasons = [threads.fit ? null : threads.reason, listeners.reason, servers.reason, control.reason];
  const wrong = reasons.filter((reason) => reason !== null);
  return wrong.length === 0 ? null : wrong.join("; ");
}
