import type { VrrpStatus } from "../vrrp/status.js";
import { findings, partnerServers } from "./dashboard/partner-summary.js";
import type { Finding, PartnerServersSummary } from "./dashboard/shape.js";
import { describeDuration } from "./format.js";
import type { NodeView } from "./node-view.js";
import { formatPartnerServers } from "./show-partner-servers.js";

/** `show vrrp json`, and `lb status --json`. */
export interface StatusReport {
  readonly node: string;
  readonly version: string;
  readonly vrrp: readonly VrrpStatus[];
  /** The servers of each partner with a peer link. */
  readonly partners: readonly PartnerServersSummary[];
  /** Where both nodes see the same server differently. */
  readonly findings: readonly Finding[];
}

/** `show vrrp` and `lb status`: who is master and why, and what the partner says of its servers, for a reader. */
export function formatVrrp(view: NodeView): string {
  if (!view.vrrpConfigured) return "VRRP is not configured here.\n";
  if (view.vrrp.length === 0) return "VRRP is starting.\n";
  return `${view.vrrp.map((instance) => describe(instance, view)).join("\n")}${formatPartnerServers(view)}`;
}

/** The same as one JSON object. */
export function formatVrrpJson(view: NodeView): string {
  const { node, version, vrrp } = view;
  const report: StatusReport = {
    node,
    version,
    vrrp,
    partners: partnerServers(view),
    findings: findings(view),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function describe(instance: VrrpStatus, view: NodeView): string {
  const ago = (epochMs: number): string => describeDuration(Math.max(0, view.nowEpochMs - epochMs));
  const { name, state, sinceEpochMs, splitBrain, peerLink } = instance;
  const drained = instance.drained ? ", drained" : "";
  const lines = [
    `${name} on ${view.node}: ${state} for ${ago(sinceEpochMs)}${drained}`,
    field("why", instance.reason),
    field("master", instance.master),
    field("address", `${instance.addresses.join(", ")} on ${instance.interface}`),
    field("router id", `${instance.virtualRouterId}, priority ${describePriority(instance)}`),
    field("if it stopped", instance.ifStopped),
    field("adverts", `${instance.advertsSent} sent, ${instance.advertsReceived} received`),
    ...instance.partners.map(({ address, priority, lastHeardEpochMs }) =>
      field("heard", `${address}, priority ${priority}, ${ago(lastHeardEpochMs)} ago`),
    ),
    ...instance.dropDetails.map(({ source, count, sentence, lastEpochMs }) =>
      field("dropped", `${count} from ${source}, the last one ${ago(lastEpochMs)} ago: ${sentence}`),
    ),
  ];
  if (peerLink === null) {
    lines.push(field("peer link", "off: no key is configured"));
  } else {
    for (const partner of peerLink.partners) {
      const { address, node, phase, sinceEpochMs: since, reason, routers } = partner;
      const who = node === null ? address : `${address} (${node})`;
      lines.push(field("peer link", `${who}: ${phase} for ${ago(since)}, ${reason}`));
      for (const router of routers) {
        if (router.virtualRouterId !== instance.virtualRouterId) continue;
        lines.push(field("", `says: ${router.state}, priority ${router.priority}, ${router.reason}`));
      }
    }
    if (peerLink.partners.length === 0) lines.push(field("peer link", "no partner yet"));
    for (const [reason, count] of Object.entries(peerLink.refusals)) {
      lines.push(field("refused", `${count} peer connections: ${reason}`));
    }
  }
  if (splitBrain.active) {
    const since = splitBrain.sinceEpochMs === null ? "" : ` for ${ago(splitBrain.sinceEpochMs)}`;
    lines.push(field("SPLIT BRAIN", `${splitBrain.other} is master too${since}: ${splitBrain.how}`));
  }
  return `${lines.join("\n")}\n`;
}

function describePriority({ priority, basePriority }: VrrpStatus): string {
  return priority === basePriority ? `${priority}` : `${priority} (configured: ${basePriority})`;
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(14)}${value}`;
}
