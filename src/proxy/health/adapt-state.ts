import type { ServerConfig } from "../../config/server-config.js";
import { initialState, type ServerState } from "./server-state.js";

/**
 * What is known of a server under another configuration of it: a weight or a `disabled` that the new one changes counts from now
 * on, an operator's word counts on, and health is translated to the new rise and fall. Pure.
 */
export function adaptState(
  state: ServerState,
  before: ServerConfig,
  after: ServerConfig,
  nowMs: number,
): ServerState {
  const fresh = initialState(after, nowMs);
  const wasDown = before.check !== undefined && state.health < before.check.rise;
  const wasWhole = before.check !== undefined && state.health === before.check.rise + before.check.fall - 1;
  const { check } = after;
  const health =
    check === undefined || before.check === undefined
      ? fresh.health
      : wasDown
        ? Math.min(state.health, check.rise - 1)
        : wasWhole
          ? check.rise + check.fall - 1
          : Math.min(Math.max(state.health, check.rise), check.rise + check.fall - 1);
  return {
    ...state,
    health,
    agent: state.agent === null || fresh.agent === null ? fresh.agent : state.agent,
    maxconn:
      before.maxconn === after.maxconn && (before.agent === undefined) === (after.agent === undefined)
        ? state.maxconn
        : null,
    admin: before.disabled === after.disabled ? state.admin : fresh.admin,
    weight: before.weight === after.weight ? state.weight : fresh.weight,
  };
}
