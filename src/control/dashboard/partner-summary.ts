import type { ReportedServer } from "../../peer-link/server-report.js";
import { describeDuration } from "../format.js";
import type { NodeView } from "../node-view.js";
import type { Finding, PartnerServersSummary, Tone } from "./shape.js";

/** Two of its reports may be late or lost before what it said counts as old. */
const freshMs = 3500;
/** The nodes' checks do not run at the same time: only what has lasted is a difference. */
const settledMs = 5000;

/** The servers of each partner with a peer link, as it last told of them, and how old that is. Pure. */
export function partnerServers(view: NodeView): PartnerServersSummary[] {
  return linksOf(view).map(({ address, node, phase }): PartnerServersSummary => {
    const said = view.partnerServers.get(address);
    const name = node ?? address;
    const why = phase === "up" ? "" : `, and its peer link is ${phase}`;
    if (said === undefined) {
      const note =
        phase === "up" ? "it has not told of its servers yet" : `nothing is known of its servers${why}`;
      return { node: name, isCurrent: false, ageMs: null, note, proxies: [], left: 0 };
    }
    const ageMs = Math.max(0, view.nowEpochMs - said.receivedEpochMs);
    const isCurrent = phase === "up" && ageMs < freshMs;
    return {
      node: name,
      isCurrent,
      ageMs,
      note: isCurrent ? "as it says itself" : `as of ${describeDuration(ageMs)} ago${why}`,
      proxies: said.report.proxies.map((proxy) => ({
        name: proxy.name,
        servers: proxy.servers.map((server) => ({ ...server, tone: toneOf(server) })),
      })),
      left: said.report.left,
    };
  });
}

/** Where this node and a partner that is reached see the same server differently, and have for a while. Pure. */
export function findings(view: NodeView): Finding[] {
  return partnerServers(view).flatMap((partner) => findingsAt(view, partner));
}

/** The same, of one partner. */
export function findingsAt(view: NodeView, { isCurrent, node, proxies }: PartnerServersSummary): Finding[] {
  if (!isCurrent) return [];
  return proxies.flatMap(({ name: proxy, servers }) =>
    servers.flatMap((theirs) => compare(view, proxy, node, theirs)),
  );
}

function compare(view: NodeView, proxyName: string, node: string, theirs: ReportedServer): Finding[] {
  const proxy = view.proxies.findIndex(({ name }) => name === proxyName);
  const server = view.proxies[proxy]?.servers.findIndex(({ name }) => name === theirs.name) ?? -1;
  if (server < 0) return [];
  const ours = view.backends[proxy].servers[server];
  const what = { proxy: proxyName, server: theirs.name };
  const place = `${proxyName}/${theirs.name}`;
  if (Math.min(ours.lastChangeMs, theirs.sinceMs) < settledMs) return [];
  if (ours.admin !== theirs.admin) {
    const text = `${place} is ${ours.admin} here and ${theirs.admin} at ${node}: after a failover that counts`;
    return [{ ...what, tone: "warn", text }];
  }
  const isDownHere = ours.isStopped && ours.admin !== "maint";
  if (isDownHere === theirs.isDown) return [];
  const span = describeDuration(Math.min(ours.lastChangeMs, theirs.sinceMs));
  const check = isDownHere ? (ours.check?.detail ?? "") : theirs.check;
  const why = check === "" ? "" : ` (${check})`;
  const text = isDownHere
    ? `${place} is DOWN here${why} and ${theirs.status} at ${node}, for ${span}`
    : `${place} is ${ours.status} here and DOWN at ${node}${why}, for ${span}`;
  return [{ ...what, tone: "bad", text }];
}

/** As of this node's own servers. */
function toneOf({ admin, isDown, status }: ReportedServer): Tone {
  if (admin !== "ready") return "warn";
  if (isDown) return "bad";
  if (status === "no check") return "dim";
  return status === "UP" ? "ok" : "warn";
}

function linksOf(view: NodeView) {
  return view.vrrp[0]?.peerLink?.partners ?? [];
}
