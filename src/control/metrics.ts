import { Counter, Gauge, Registry } from "prom-client";
import { formatLatencies } from "./latency-metrics.js";
import type { NodeView } from "./node-view.js";

const states = ["INIT", "BACKUP", "MASTER", "FAULT"] as const;

/** The text of `/metrics`, in Prometheus's format: VRRP and the proxies' latencies, made from the view at each scrape. */
export async function formatMetrics(
  view: NodeView,
): Promise<{ readonly type: string; readonly text: string }> {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ["instance", "interface", "vrid"] as const;
  const gauge = <Label extends string = never>(name: string, help: string, more: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames, ...more], registers });
  const counter = <Label extends string = never>(name: string, help: string, more: readonly Label[] = []) =>
    new Counter({ name, help, labelNames: [...labelNames, ...more], registers });

  const state = gauge("lb_vrrp_state", "1 for the state that the instance is in, 0 for the others.", [
    "state",
  ]);
  const priority = gauge("lb_vrrp_priority", "Effective priority.");
  const since = gauge("lb_vrrp_last_transition_timestamp_seconds", "When the state changed last.");
  const drained = gauge("lb_vrrp_drained", "1 while an operator wants this node to be backup.");
  const splitBrain = gauge("lb_vrrp_split_brain", "1 while this master sees another one.");
  const splitBrains = counter("lb_vrrp_split_brains_total", "Times that this master saw another one.");
  const sent = counter("lb_vrrp_adverts_sent_total", "Adverts sent.");
  const received = counter("lb_vrrp_adverts_received_total", "Adverts received and taken.");
  const dropped = counter("lb_vrrp_adverts_dropped_total", "Adverts dropped, by reason.", ["reason"]);
  const became = counter("lb_vrrp_became_master_total", "Times that this node became master.");
  const link = gauge("lb_peer_link_up", "1 while the peer link to the partner is up.", ["partner"]);
  const refused = new Counter({
    name: "lb_peer_link_refused_total",
    help: "Peer connections refused, by reason.",
    labelNames: ["reason"],
    registers,
  });

  for (const status of view.vrrp) {
    const labels = {
      instance: status.name,
      interface: status.interface,
      vrid: String(status.virtualRouterId),
    };
    for (const name of states) state.set({ ...labels, state: name }, status.state === name ? 1 : 0);
    priority.set(labels, status.priority);
    since.set(labels, status.sinceEpochMs / 1000);
    drained.set(labels, status.drained ? 1 : 0);
    splitBrain.set(labels, status.splitBrain.active ? 1 : 0);
    splitBrains.inc(labels, status.splitBrain.times);
    sent.inc(labels, status.advertsSent);
    received.inc(labels, status.advertsReceived);
    became.inc(labels, status.becameMaster);
    for (const [reason, count] of Object.entries(status.drops)) dropped.inc({ ...labels, reason }, count);
    for (const { address, phase } of status.peerLink?.partners ?? []) {
      link.set({ ...labels, partner: address }, phase === "up" ? 1 : 0);
    }
  }
  // One set of links for all instances.
  for (const [reason, count] of Object.entries(view.vrrp[0]?.peerLink?.refusals ?? {})) {
    refused.inc({ reason }, count);
  }
  return {
    type: registry.contentType,
    text: `${await registry.metrics()}${formatLatencies(view, view.latencies())}`,
  };
}
