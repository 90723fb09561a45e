import type { NodeView } from "../node-view.js";
import type { DashboardEvent, Tone } from "./shape.js";

const mostEvents = 200;

/**
 * What changed, in order: transitions of virtual routers, split brains, servers that went and came. It compares one view with
 * the next, so what comes and goes within a second is only seen if VRRP tells it.
 */
export class Timeline {
  private list: DashboardEvent[] = [];
  private readonly instances = new Map<string, string>();
  private readonly splitBrains = new Map<string, boolean>();
  private readonly servers = new Map<string, string>();

  get events(): readonly DashboardEvent[] {
    return this.list;
  }

  take(view: NodeView): void {
    for (const { name, state, sinceEpochMs, reason, splitBrain } of view.vrrp) {
      if (this.changed(this.instances, name, `${state} ${sinceEpochMs}`) !== null) {
        this.add(sinceEpochMs, toneOf(state), `${name}: ${state}, ${reason}`);
      }
      const before = this.changed(this.splitBrains, name, splitBrain.active);
      if (splitBrain.active && before !== null)
        this.add(view.nowEpochMs, "bad", `${name}: split brain, ${splitBrain.other} is master too`);
      else if (before?.known === true) this.add(view.nowEpochMs, "ok", `${name}: no split brain any more`);
    }
    for (const [i, { name: proxy, servers }] of view.proxies.entries()) {
      for (const [j, { name }] of servers.entries()) {
        const { status, isStopped, admin, check } = view.backends[i].servers[j];
        const word = status.split(" ")[0];
        const change = this.changed(this.servers, `${proxy}/${name}`, word);
        if (change === null || change.known === null) continue;
        const tone: Tone = isStopped && admin === "ready" ? "bad" : word === "UP" ? "ok" : "warn";
        const why = check === null || check.detail === "" ? "" : `, ${check.detail}`;
        this.add(view.nowEpochMs, tone, `${proxy}/${name}: ${word}${why}`);
      }
    }
  }

  /** null: it is as it was; otherwise what was known before, null at the first look. */
  private changed<Value>(
    known: Map<string, Value>,
    key: string,
    value: Value,
  ): { known: Value | null } | null {
    const before = known.get(key);
    if (before === value) return null;
    known.set(key, value);
    return { known: before ?? null };
  }

  private add(epochMs: number, tone: Tone, text: string): void {
    this.list.push({ epochMs, tone, text });
    if (this.list.length > mostEvents) this.list = this.list.slice(-mostEvents);
  }
}

function toneOf(state: string): Tone {
  return state === "MASTER" ? "ok" : state === "FAULT" ? "bad" : "dim";
}
