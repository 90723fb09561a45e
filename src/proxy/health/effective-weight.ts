import type { ServerConfig } from "../../config/server-config.js";
import { isStopped, type ServerState } from "./server-state.js";

/** Parts of one unit of weight that picking counts in, so that slow start can begin small. */
export const weightScale = 256;

/** What a server's requests are shared by now, in parts of `weightScale`; 0: it gets none. */
export function effectiveWeight(state: ServerState, server: ServerConfig, nowMs: number): number {
  if (state.admin !== "ready" || isStopped(state, server) || state.weight === 0) return 0;
  return Math.max(1, Math.round(state.weight * weightScale * warmth(state, server, nowMs)));
}

/** 0 to 1: how far slow start has come. It counts from when a server came up, not from the start of the process. */
export function warmth(state: ServerState, server: ServerConfig, nowMs: number): number {
  const { slowStartMs } = server;
  if (slowStartMs === undefined || state.cameUpMs === null) return 1;
  return Math.min(1, Math.max(0, nowMs - state.cameUpMs) / slowStartMs);
}

/** Between two looks at a server that warms up: twenty steps, as HAProxy takes them. */
export function warmUpStepMs(slowStartMs: number): number {
  return Math.max(20, Math.round(slowStartMs / 20));
}
