import type { ServerConfig } from "../../config/server-config.js";
import { type CheckStatus, checkStatuses } from "./check-status.js";

/** HAProxy's fixed rise and fall of agents: each word counts at once. */
export const agentRise = 1;
export const agentFall = 1;

/** What a server's agent has said, for as long as it is listened to. Pure. */
export interface AgentState {
  /** `disable agent`: it is not asked, and what it has said does not count. */
  readonly isEnabled: boolean;
  /** 0: down; 1: up. */
  readonly health: number;
  /** How the last question ended: CHECKED where it said nothing of health. */
  readonly status: CheckStatus;
  /** null: none has ended yet. */
  readonly durationMs: number | null;
}

/** How one question ended. An agent that cannot be reached, or does not say, changes nothing but this. */
export interface AgentResult {
  readonly status: CheckStatus;
  readonly durationMs: number;
  /** What `last_agt` says. */
  readonly detail: string;
  readonly health: "up" | "down" | null;
}

export type AgentInput =
  | { readonly kind: "agent"; readonly result: AgentResult }
  /** An operator knows better than the agent, until it says something again. */
  | { readonly kind: "agent-health"; readonly isUp: boolean }
  | { readonly kind: "agent-enabled"; readonly isEnabled: boolean };

export function initialAgent(server: ServerConfig): AgentState | null {
  if (server.agent === undefined) return null;
  return { isEnabled: true, health: agentRise, status: "INI", durationMs: null };
}

export function isAgentDown(agent: AgentState | null): boolean {
  return agent?.isEnabled === true && agent.health < agentRise;
}

/** The state after `input`, and its reason for the log, where it makes a difference to the server. */
export function handleAgent(
  agent: AgentState,
  input: AgentInput,
): { readonly agent: AgentState; readonly reason: string } {
  switch (input.kind) {
    case "agent": {
      const { status, detail } = input.result;
      const reason = detail === "" ? checkStatuses[status].text : `${checkStatuses[status].text}, ${detail}`;
      return { agent: afterQuestion(agent, input.result), reason };
    }
    case "agent-health": {
      const health = input.isUp ? agentRise + agentFall - 1 : 0;
      return { agent: { ...agent, health }, reason: "an operator asked for it" };
    }
    case "agent-enabled": {
      const { isEnabled } = input;
      return { agent: { ...agent, isEnabled }, reason: `its agent is ${isEnabled ? "enabled" : "disabled"}` };
    }
  }
}

/** One that was switched off meanwhile says nothing. */
function afterQuestion(agent: AgentState, { status, durationMs, health }: AgentResult): AgentState {
  if (!agent.isEnabled) return agent;
  return {
    ...agent,
    status,
    durationMs,
    ...(health !== null && { health: health === "up" ? agentRise + agentFall - 1 : 0 }),
  };
}
