import type { VrrpInstanceConfig } from "../config/config.js";
import type { SyncGroupConfig, TrackConfig, TrackedItem } from "../config/tracking-config.js";
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
  #tracks: ReadonlyMap<string, TrackConfig>;
  /** What an instance tracks since a reload: as long as it has not answered it neither lowers nor faults. */
  #fresh: ReadonlyMap<string, ReadonlySet<string>> = new Map();
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
    this.#tracks = tracksOf(configs, groups);
    for (const name of interfacesOf(this.#tracks)) this.#interfaces.set(name, "unknown");
  }

  /**
   * A reload. The kernel is asked for interfaces that nobody has tracked before; what else is new to an instance that was
   * there before is left out until it has answered, or the reload itself would be a fault. Never rejects.
   */
  async change(configs: readonly VrrpInstanceConfig[], groups: readonly SyncGroupConfig[]): Promise<void> {
    const tracks = tracksOf(configs, groups);
    const names = interfacesOf(tracks);
    for (const name of names) {
      if (this.#interfaces.has(name)) continue;
      this.#interfaces.set(name, "unknown");
      await this.#lookAt(name);
    }
    for (const name of [...this.#interfaces.keys()]) if (!names.has(name)) this.#interfaces.delete(name);
    const before = this.#tracks;
    const fresh = new Map<string, ReadonlySet<string>>();
    for (const [name, track] of tracks) {
      const old = before.get(name);
      if (old === undefined) continue;
      const known = new Set(itemsOf(old));
      for (const item of this.#fresh.get(name) ?? []) known.delete(item);
      fresh.set(name, new Set(itemsOf(track).filter((item) => !known.has(item))));
    }
    this.#fresh = fresh;
    this.#tracks = tracks;
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
    return judgeTracking(config.priority, this.#answered(config), facts);
  }

  #answered(config: VrrpInstanceConfig): TrackConfig {
    const track = this.trackOf(config);
    const fresh = this.#fresh.get(config.name);
    if (fresh === undefined || fresh.size === 0) return track;
    const { scripts, processes } = this.#outside;
    const counts = (known: ReadonlyMap<string, Found>, kind: string) => (item: TrackedItem) =>
      known.has(item.name) || !fresh.has(`${kind} ${item.name}`);
    return {
      ...track,
      scripts: track.scripts.filter(counts(scripts, "script")),
      processes: track.processes.filter(counts(processes, "process")),
    };
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

function tracksOf(
  configs: readonly VrrpInstanceConfig[],
  groups: readonly SyncGroupConfig[],
): ReadonlyMap<string, TrackConfig> {
  return new Map(configs.map((config) => [config.name, trackOf(config, configs, groups)]));
}

function interfacesOf(tracks: ReadonlyMap<string, TrackConfig>): ReadonlySet<string> {
  return new Set([...tracks.values()].flatMap(({ interfaces }) => interfaces.map(({ name }) => name)));
}

/** What the control thread follows for it, each under a name of its own. */
function itemsOf({ scripts, processes }: TrackConfig): string[] {
  return [...scripts.map(({ name }) => `script ${name}`), ...processes.map(({ name }) => `process ${name}`)];
}
