import { isIP } from "../config/address.js";
import type { Command } from "./commands.js";
import { onServer, type Place } from "./server-place.js";

/** What the stats socket may change of a server's agent. */
export interface AgentActions {
  /** `enable agent`, `disable agent`. */
  setAgentEnabled(proxy: number, server: number, isEnabled: boolean): void;
  /** Until the agent says something again. */
  setAgentHealth(proxy: number, server: number, isUp: boolean): void;
  /** From its next question on. */
  setAgentTarget(
    proxy: number,
    server: number,
    change: { readonly host?: string; readonly port?: number; readonly send?: string },
  ): void;
}

const done = "";

/** Commands about agents, with HAProxy's answers: each text is one that HAProxy 2.6 was seen to give. */
export const agentCommands: readonly Command[] = [
  {
    words: ["disable", "agent"],
    level: "admin",
    usage: "disable agent",
    summary: "disable agent checks",
    run: (args, view, actions) =>
      onServer(args, view(), ({ proxy, server }) => {
        actions.setAgentEnabled(proxy, server, false);
        return done;
      }),
  },
  {
    words: ["enable", "agent"],
    level: "admin",
    usage: "enable agent",
    summary: "enable agent checks",
    run: (args, view, actions) =>
      onServer(args, view(), ({ proxy, server, view: { agent } }) => {
        if (agent === null) return "Agent was not configured on this server, cannot enable.\n";
        actions.setAgentEnabled(proxy, server, true);
        return done;
      }),
  },
];

/** `set server b/s agent|agent-addr|agent-port|agent-send …`. */
export function setAgent(place: Place, args: readonly string[], actions: AgentActions): string {
  const { proxy, server, view } = place;
  const [what, value] = args;
  const isOn = view.agent?.isEnabled === true;
  switch (what) {
    case "agent":
      if (!isOn) return "agent checks are not enabled on this server.\n";
      if (value !== "up" && value !== "down") return "'set server <srv> agent' expects 'up' or 'down'.\n";
      actions.setAgentHealth(proxy, server, value === "up");
      return done;
    case "agent-send":
      if (!isOn) return "agent checks are not enabled on this server.\n";
      actions.setAgentTarget(proxy, server, { send: value ?? "" });
      return done;
    case "agent-port":
      if (value === undefined) return "set server <b>/<s> agent-port requires a port.\n";
      return setAddress(place, isOn, null, value, actions);
    default:
      if (value === undefined)
        return "set server <b>/<s> agent-addr requires an address and optionally a port.\n";
      return setAddress(place, isOn, value, args[2] === "port" ? (args[3] ?? "") : null, actions);
  }
}

function setAddress(
  { proxy, server }: Place,
  isOn: boolean,
  host: string | null,
  port: string | null,
  actions: AgentActions,
): string {
  if (!isOn) return "agent checks are not enabled on this server";
  if (host !== null && !isIP(host)) return `invalid addr '${host}'`;
  const number = port === null ? null : Number(port);
  if (number !== null && !(Number.isInteger(number) && number >= 1 && number <= 65_535))
    return "provided port is invalid";
  actions.setAgentTarget(proxy, server, {
    ...(host !== null && { host }),
    ...(number !== null && { port: number }),
  });
  return done;
}
