import type { ServerConfig } from "../../config/server-config.js";
import { isAgentDown } from "./agent-state.js";
import { isDown, type ServerState } from "./server-state.js";

/** The column `status` of `show stat`: `UP 1/3`, `DOWN (agent)`, `no check`, … */
export function statusWord(state: ServerState, server: ServerConfig): string {
  const { check } = server;
  if (state.admin === "maint") return "MAINT";
  if (isAgentDown(state.agent)) return "DOWN (agent)";
  const isDraining = state.admin === "drain";
  if (isDraining && state.agent?.isEnabled === true && !isDown(state, server)) return "DRAIN (agent)";
  if (check === undefined) return isDraining ? "DRAIN" : "no check";
  if (isDown(state, server)) return state.health === 0 ? "DOWN" : `DOWN ${state.health}/${check.rise}`;
  const word = isDraining ? "DRAIN" : "UP";
  const left = state.health - check.rise + 1;
  return left === check.fall ? word : `${word} ${left}/${check.fall}`;
}
