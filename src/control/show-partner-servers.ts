import type { ReportedServer } from "../peer-link/server-report.js";
import { findingsAt, partnerServers } from "./dashboard/partner-summary.js";
import type { PartnerServersSummary } from "./dashboard/shape.js";
import type { NodeView } from "./node-view.js";
import { reportServers } from "./partner-servers.js";

/** Servers that are named one by one; of a backend whose network is gone, these are enough. */
const mostNamed = 4;

interface Backend {
  readonly name: string;
  readonly servers: readonly ReportedServer[];
}

/**
 * The partners' servers as `show vrrp` and `lb status` tell of them: a line for each backend, with the servers that take no
 * requests, whether it is so here as well, and what differs. "" without a peer link. Pure.
 */
export function formatPartnerServers(view: NodeView): string {
  const ours = reportServers(view);
  return partnerServers(view)
    .map((partner) => describePartner(partner, ours, differences(view, partner, ours)))
    .join("");
}

function describePartner(
  { node, note, proxies, left, isCurrent }: PartnerServersSummary,
  ours: readonly Backend[],
  differing: readonly string[],
): string {
  if (proxies.length === 0 && !isCurrent) return `\nServers at ${node}: ${note}\n`;
  const missing = ours.filter(
    ({ name, servers }) => servers.length > 0 && proxies.every((proxy) => proxy.name !== name),
  );
  const lines = [
    ...proxies.map((proxy) => field(proxy.name, describeBackend(proxy, ours, isCurrent))),
    // What there was no room for is not missing.
    ...(left === 0 ? missing.map(({ name }) => field(name, `not configured at ${node}`)) : []),
    ...(left === 0 ? [] : [field("", `and ${left} more servers that it has no room to tell of`)]),
    ...differing.map((text) => field("differs", text)),
  ];
  // Two nodes of VRRP alone have none, and nothing to tell of them.
  if (lines.length === 0) return "";
  return `\nServers at ${node}, ${note}\n${lines.join("\n")}\n`;
}

/** What has lasted of their states, and weights that an operator has set on one node, or a file has on one. */
function differences(view: NodeView, partner: PartnerServersSummary, ours: readonly Backend[]): string[] {
  if (!partner.isCurrent) return [];
  const states = findingsAt(view, partner).map(({ text }) => text);
  const weights = partner.proxies.flatMap(({ name, servers }) => {
    const own = ours.find((proxy) => proxy.name === name)?.servers ?? [];
    return servers.flatMap((theirs) => {
      const mine = own.find((server) => server.name === theirs.name);
      if (mine === undefined || mine.weight === theirs.weight) return [];
      return [
        `${name}/${theirs.name} has weight ${mine.weight} here and ${theirs.weight} at ${partner.node}`,
      ];
    });
  });
  return [...states, ...weights];
}

/** `1 of 2 up: web02 DOWN (Layer4 timeout); here as well`. */
function describeBackend(theirs: Backend, ours: readonly Backend[], isCurrent: boolean): string {
  const own = ours.find(({ name }) => name === theirs.name);
  const out = theirs.servers.filter(isOut);
  const named = out.slice(0, mostNamed).map(describeServer);
  const more = out.length > mostNamed ? [`and ${out.length - mostNamed} more`] : [];
  const which = out.length === 0 ? "" : `: ${[...named, ...more].join(", ")}`;
  return `${count(theirs)}${which}${isCurrent ? compare(theirs, own) : ""}`;
}

/** What is said of one that is not current is no word of how it is now: nothing is compared. */
function compare(theirs: Backend, own: Backend | undefined): string {
  if (own === undefined) return "; not configured here";
  if (signature(theirs) === signature(own)) return "; here as well";
  return `; here ${count(own)}`;
}

const count = ({ servers }: Backend): string =>
  `${servers.filter((server) => !isOut(server)).length} of ${servers.length} up`;

const isOut = ({ isDown, admin }: ReportedServer): boolean => isDown || admin !== "ready";

const describeServer = ({ name, status, check, isDown }: ReportedServer): string =>
  `${name} ${status}${isDown && check !== "" ? ` (${check})` : ""}`;

/** Who is out, and why it is; a server that rises says so in its status, and is out all the same. */
const signature = ({ servers }: Backend): string =>
  JSON.stringify(servers.map(({ name, admin, isDown }) => [name, admin, isDown]).sort());

const field = (name: string, value: string): string => `  ${name.padEnd(14)}${value}`;
