import type { PartnerStatus, VrrpStatus } from "../vrrp/status.js";
import { describeCount, describeDuration, describeTime } from "./format.js";
import { type Html, type HtmlValue, html } from "./html.js";
import type { NodeView } from "./node-view.js";

/** The VRRP part of the stats page: a panel for each instance. */
export function renderVrrp(view: NodeView): Html {
  if (!view.vrrpConfigured) {
    return html`<p class="dim">Not configured: this node balances, and no partner takes over from it.</p>`;
  }
  if (view.vrrp.length === 0) return html`<p class="dim">Starting.</p>`;
  return html`${view.vrrp.map((instance) => panel(instance, view.nowEpochMs))}`;
}

function panel(instance: VrrpStatus, nowEpochMs: number): Html {
  const since = describeTime(instance.sinceEpochMs);
  const drops = Object.entries(instance.drops).filter(([, count]) => count > 0);
  return html`<section class="card vrrp">
<div class="top">
<span class="state ${instance.state}">${instance.state}</span>
<p><strong>${instance.name}</strong> for ${describeDuration(nowEpochMs - instance.sinceEpochMs)}
<span class="dim">since ${since}</span><br>${instance.reason}${
    instance.splitBrain.active
      ? html`<br><span class="warn">Split brain: ${instance.splitBrain.other} is master too, ${instance.splitBrain.how}</span>`
      : ""
  }</p>
</div>
<dl class="facts">
${fact("Address", instance.addresses.join(", ") || "none")}
${fact("Interface", instance.interface)}
${fact("Router id", instance.virtualRouterId)}
${fact("Priority", priority(instance))}
${fact("Master", instance.master)}
${fact("If it stopped", instance.ifStopped)}
${fact("Adverts sent", describeCount(instance.advertsSent))}
${fact("Adverts received", describeCount(instance.advertsReceived))}
${fact("Became master", describeCount(instance.becameMaster))}
${fact(
  "Adverts dropped",
  drops.length === 0
    ? "none"
    : html`<span class="warn">${drops.map(([reason, n]) => `${reason} ${describeCount(n)}`).join(", ")}</span>`,
)}
</dl>
${instance.advice.map((sentence) => html`<p class="warn">${sentence}</p>`)}
${partners(instance.partners, nowEpochMs)}
</section>
`;
}

/** `51 (101; no server of http can be reached −50)` where something changes it. */
function priority({ priority, basePriority, contributions }: VrrpStatus): HtmlValue {
  if (contributions.length === 0) return priority;
  const parts = contributions.map(
    ({ weight, reason }) => `${reason} ${weight < 0 ? "−" : "+"}${Math.abs(weight)}`,
  );
  return html`${priority} <span class="dim">(${basePriority}; ${parts.join("; ")})</span>`;
}

function fact(name: string, value: HtmlValue): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function partners(heard: readonly PartnerStatus[], nowEpochMs: number): Html {
  if (heard.length === 0) return html`<p class="dim">No partner has been heard yet.</p>`;
  return html`<div class="scroll"><table class="peers">
<thead><tr><th class="left">Partner</th><th>Priority</th><th>Last heard</th></tr></thead>
<tbody>${heard.map(
    (partner) => html`<tr><th>${partner.address}</th><td>${partner.priority}</td>
<td>${describeDuration(nowEpochMs - partner.lastHeardEpochMs)} ago</td></tr>`,
  )}</tbody>
</table></div>`;
}
