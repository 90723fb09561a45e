import { isIP } from "../config/address.js";
import type { ServerConfig } from "../config/config.js";
import { checkStatuses } from "../proxy/health/check-status.js";
import type { NodeView } from "./node-view.js";
import type { ServerView } from "./server-view.js";
import { firstProxyId } from "./stat-rows.js";

/** HAProxy's first version of this form. */
const header =
  "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";

/** SRV_ST_STOPPED, _STARTING (slow start), _RUNNING. */
const operationalStates = { stopped: 0, starting: 1, running: 2 } as const;
/** SRV_ADMF_FMAINT, _CMAINT (from the configuration), _FDRAIN. */
const adminFlags = { maint: 1, disabled: 4, drain: 8 } as const;
/** CHK_ST_INPROGRESS, _CONFIGURED, _ENABLED, _PAUSED, _AGENT. */
const checkFlags = { running: 1, configured: 2, enabled: 4, paused: 8, agent: 16 } as const;
/** CHK_RES_UNKNOWN, _FAILED, _PASSED. */
const checkResults = { unknown: 0, failed: 2, passed: 3 } as const;

/** `show servers state [<backend>]`, as HAProxy 2.6 writes it. `only`: null for every proxy. */
export function showServersState(view: NodeView, only: string | null): string {
  let text = header;
  for (const [i, proxy] of view.proxies.entries()) {
    if (only !== null && proxy.name !== only) continue;
    for (const [j, server] of proxy.servers.entries()) {
      const state = view.backends[i].servers[j];
      const isLiteral = isIP(state.host);
      const fields = [
        firstProxyId + i,
        proxy.name,
        j + 1,
        server.name,
        isLiteral ? state.host : "-",
        operationalState(state),
        adminState(state, server.disabled === true),
        state.userWeight,
        server.weight ?? 1,
        Math.floor(state.lastChangeMs / 1000),
        checkStatuses[state.check?.status ?? "INI"].number,
        ...checkFields(state),
        agentState(state),
        0,
        0,
        isIP(server.host) ? "-" : server.host,
        state.port,
        "-",
        0,
        state.checkPort === null || state.checkPort === state.port ? 0 : state.checkPort,
        "-",
        ...agentPlace(state, server),
      ];
      text += `${fields.join(" ")}\n`;
    }
  }
  return text;
}

function operationalState(state: ServerView): number {
  if (state.isStopped) return operationalStates.stopped;
  return state.warmth < 1 ? operationalStates.starting : operationalStates.running;
}

function adminState(state: ServerView, disabled: boolean): number {
  if (state.admin === "drain") return adminFlags.drain;
  if (state.admin === "ready") return 0;
  return adminFlags.maint + (disabled ? adminFlags.disabled : 0);
}

function agentState({ agent }: ServerView): number {
  if (agent === null) return 0;
  return (
    checkFlags.agent +
    checkFlags.configured +
    (agent.isEnabled ? checkFlags.enabled : 0) +
    (agent.isRunning ? checkFlags.running : 0)
  );
}

/** Address, where it is not the server's own, and port. */
function agentPlace({ agent }: ServerView, server: ServerConfig): [string, number] {
  if (agent === null) return ["-", 0];
  const isOwn = agent.host !== server.host || server.agent?.host !== undefined;
  return [isOwn ? agent.host : "-", agent.port];
}

/** Result, health, state of the checks. Without checks HAProxy gives the health that they would begin with. */
function checkFields({ check, admin }: ServerView): [number, number, number] {
  if (check === null) return [checkResults.unknown, admin === "maint" ? 0 : 2, 0];
  const { passed } = checkStatuses[check.status];
  const result =
    check.isRunning || passed === null
      ? checkResults.unknown
      : passed
        ? checkResults.passed
        : checkResults.failed;
  const flags =
    checkFlags.configured +
    checkFlags.enabled +
    (check.isRunning ? checkFlags.running : 0) +
    (admin === "maint" ? checkFlags.paused : 0);
  return [result, admin === "maint" ? 0 : check.health, flags];
}
