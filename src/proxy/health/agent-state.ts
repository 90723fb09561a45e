import type { ServerConfig } from "../../config/server-config.js";
import type { CheckStatus } from "./check-status.js";

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

export function initialAgent(server: ServerConfig): AgentState | null {
  if (server.agent === undefined) return null;
  return { isEnabled: true, health: agentRise, status: "INI", durationMs: null };
}

export function isAgentDown(agent: AgentState | null): boolean {
  return agent?.isEnabled === true && agent.health < agentRise;
}

/** The state after a question; one that was switched off meanwhile says nothing. */
export function afterQuestion(agent: AgentState, { status, durationMs, health }: AgentResult): AgentState {
  if (!agent.isEnabled) return agent;
  return {
    ...agent,
    status,
    durationMs,
    ...(health !== null && { health: health === "up" ? agentRise + agentFall - 1 : 0 }),
  };
}
