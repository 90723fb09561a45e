import type { AgentState } from "./agent-state.js";
import { type CheckStatus, isCheckStatus } from "./check-status.js";
import type { ServerState } from "./server-state.js";
import type { BackendState, ServerTable } from "./server-table.js";
import type { ServerTarget } from "./server-target.js";

/** States of a proxy's servers by name, for another process. */
export interface DescribedStates {
  readonly proxy: string;
  readonly backend: BackendState;
  readonly servers: readonly {
    readonly name: string;
    readonly state: DescribedState;
    readonly target: ServerTarget;
  }[];
}

/** Of another version: it may know check results that this one does not. */
export type DescribedState = Omit<ServerState, "checkStatus" | "agent"> & {
  readonly checkStatus: string;
  readonly agent: (Omit<AgentState, "status"> & { readonly status: string }) | null;
};

export function describeStates(table: ServerTable) {
  return table.proxies.map(({ name, servers }, i) => ({
    proxy: name,
    backend: table.readBackend(i),
    servers: servers.map((server, j) => ({
      name: server.name,
      state: table.read(i, j),
      target: table.readTarget(i, j),
    })),
  }));
}

/** Goes on from what another process with the same configuration knows. */
export function takeStates(table: ServerTable, described: readonly DescribedStates[], nowMs: number): void {
  for (const [i, { name, servers }] of table.proxies.entries()) {
    const from = described.find(({ proxy }) => proxy === name);
    if (from === undefined) continue;
    for (const [j, server] of servers.entries()) {
      const known = from.servers.find((one) => one.name === server.name);
      if (known === undefined) continue;
      const { state, target } = known;
      const checkStatus = knownStatus(state.checkStatus);
      const agent = state.agent && { ...state.agent, status: knownStatus(state.agent.status) };
      table.write(i, j, { ...state, checkStatus, agent }, nowMs);
      table.setTarget(i, j, target);
    }
    table.writeBackend(i, from.backend);
    table.settleBackend(i, nowMs);
  }
}

function knownStatus(status: string): CheckStatus {
  return isCheckStatus(status) ? status : "INI";
}
