import type { VrrpInstanceConfig } from "../config/config.js";
import type { SyncGroupConfig, TrackConfig } from "../config/tracking-config.js";
import type { LinkEvent } from "../netlink/link-event.js";
import type { RouteSocket } from "../netlink/route-socket.js";
import {
  type Found,
  judgeTracking,
  nothingKnown,
  type TrackFacts,
  trackOf,
  type Verdict,
} from "./tracking.js";

/** Facts that come from outside; the interfaces are watched here. */
export type OutsideFacts = Omit<TrackFacts, "interfaces">;

/** What the instances track: keeps what is known, and judges by it. */
export class SpeakerTracking {
  readonly #route: Pick<RouteSocket, "interface">;
  readonly #onChange: () => void;
  readonly #tracks: ReadonlyMap<string, TrackConfig>;
  readonly #interfaces = new Map<string, Found>();
  /** Where they were found last: an interface that is renamed tells its new name only. */
  readonly #indexes = new Map<number, string>();
  #outside: OutsideFacts = nothingKnown;

  /** `onChange`: an interface that is tracked has gone up or down. */
  constructor(
    configs: readonly VrrpInstanceConfig[],
    groups: readonly SyncGroupConfig[],
    route: Pick<RouteSocket, "interface">,
    onChange: () => void,
  ) {
    this.#route = route;
    this.#onChange = onChange;
    this.#tracks = new Map(configs.map((config) => [config.name, trackOf(config, configs, groups)]));
    for (const { interfaces } of this.#tracks.values())
      for (const { name } of interfaces) this.#interfaces.set(name, "unknown");
  }

  /** Asks the kernel for the interfaces that are tracked. Never rejects. */
  async look(): Promise<void> {
    await Promise.all([...this.#interfaces.keys()].map((name) => this.#lookAt(name)));
  }

  set(facts: OutsideFacts): void {
    this.#outside = facts;
  }

  trackOf(config: VrrpInstanceConfig): TrackConfig {
    return this.#tracks.get(config.name) ?? config.track;
  }

  judge(config: VrrpInstanceConfig): Verdict {
    const facts = { ...this.#outside, interfaces: this.#interfaces };
    return judgeTracking(config.priority, this.trackOf(config), facts);
  }

  onLinkEvent(event: LinkEvent): void {
    if (event.kind === "resync") {
      void this.look();
    } else if (event.kind === "link") {
      const before = this.#indexes.get(event.index);
      if (before !== undefined && before !== event.name) this.#note(before, "down");
      if (!this.#interfaces.has(event.name)) return;
      this.#indexes.set(event.index, event.name);
      this.#note(event.name, event.present && event.up ? "up" : "down");
    }
  }

  async #lookAt(name: string): Promise<void> {
    try {
      const info = await this.#route.interface(name);
      if (info !== null) this.#indexes.set(info.index, name);
      this.#note(name, info?.up ? "up" : "down");
    } catch {
      // The kernel did not answer; the next event or resync tells.
    }
  }

  #note(name: string, found: Found): void {
    if (this.#interfaces.get(name) === found) return;
    this.#interfaces.set(name, found);
    this.#onChange();
  }
}
