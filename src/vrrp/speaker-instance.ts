import { createHmac } from "node:crypto";
import type { VirtualAddress, VrrpInstanceConfig } from "../config/config.js";
import type { TrackConfig } from "../config/tracking-config.js";
import type { PeerLinkStatus } from "../peer-link/status.js";
import { type AdvertDatagram, advertDatagrams } from "./advert.js";
import type { HmacMd5 } from "./authentication-header.js";
import type { Drop } from "./drop.js";
import { DropDetails } from "./drop-details.js";
import { DropLog } from "./drop-log.js";
import type { VrrpEvent } from "./event.js";
import { explainMaster, explainStop } from "./explain.js";
import { handle } from "./instance.js";
import { legacyOf } from "./instance-resume.js";
import {
  type FaultCause,
  type InstanceEffect,
  type InstanceInput,
  type InstanceState,
  initialState,
  nextDeadlineMs,
} from "./instance-state.js";
import type { InstanceLegacy } from "./legacy.js";
import { AddressKeeper, type KeeperPort, type KeeperSettings } from "./speaker-addresses.js";
import type { SpeakerLog } from "./speaker-log.js";
import { RouteKeeper, type RoutesPort } from "./speaker-routes.js";
import { noSplitBrain, noteMaster, type SplitBrain, settleSplitBrain } from "./split-brain.js";
import type { VrrpStatus } from "./status.js";
import { describeContributions, type Verdict } from "./tracking.js";
import { unbridged } from "./weight-gap.js";

/** What an instance needs of its interface. */
export interface InstancePort extends Omit<KeeperPort, "onPutFailed" | "onError"> {
  readonly route: KeeperPort["route"] & RoutesPort["route"];
  /** Sends one datagram at once. */
  send(datagram: AdvertDatagram): void;
  /** Whether takeovers from a living master are made ready first. */
  readonly preparesTakeovers: boolean;
  /** Answered by the input `prepared`. */
  prepareTakeover(instance: SpeakerInstance, from: string): void;
}

/** What an instance tells its speaker. */
export interface InstanceHooks {
  /** Whether the instance of that name belongs to a sync group. */
  isInGroup(name: string): boolean;
  trackOf(config: VrrpInstanceConfig): TrackConfig;
  /** After each input that was handled; `transition`: it changed the state. */
  onInput(transition: boolean, instance: SpeakerInstance): void;
  onEvent(event: VrrpEvent): void;
  /** Each advert as it is sent or has arrived, a whole IP datagram that is valid during the call only. */
  onDatagram(direction: "sent" | "received", on: string, datagram: Uint8Array): void;
}

/** A reload of both nodes, one after the other by hand, takes no longer. */
const rollingChangeMs = 60_000;

/** Binds one state machine to the world: runs its effects, counts, and tells its status. */
export class SpeakerInstance {
  readonly #port: InstancePort;
  readonly #log: SpeakerLog;
  readonly #hooks: InstanceHooks;
  #verdict: Verdict | null = null;
  readonly #keeper: AddressKeeper;
  readonly #routes: RouteKeeper;
  readonly #released: Promise<void>;
  #resolveReleased: () => void = () => {};
  #state: InstanceState;
  #before: { readonly config: VrrpInstanceConfig; readonly untilMs: number } | null = null;
  #sinceEpochMs = Date.now();
  #advertsSent = 0;
  #advertsReceived = 0;
  #becameMaster = 0;
  readonly #drops = new Map<string, number>();
  readonly #errors = new DropLog();
  readonly #dropDetails = new DropDetails();
  #splitBrain: SplitBrain = noSplitBrain;
  /** Of the last datagram sent. */
  #identification = 0;
  /** Of the authentication header: the greatest sent or heard. It starts anew with the process, as keepalived's does. */
  #sequence = 0;
  /** Another process may have taken its place: it neither hears nor says anything. */
  #isFrozen = false;

  constructor(config: VrrpInstanceConfig, port: InstancePort, log: SpeakerLog, hooks: InstanceHooks) {
    this.#port = port;
    this.#log = log;
    this.#hooks = hooks;
    this.#state = initialState(config, hooks.isInGroup(config.name), port.preparesTakeovers);
    this.#released = new Promise((resolve) => {
      this.#resolveReleased = resolve;
    });
    this.#keeper = new AddressKeeper(keeperSettings(config), {
      route: port.route,
      interfaceIndex: () => port.interfaceIndex(),
      announce: (address, elsewhere) => port.announce(address, elsewhere),
      onPutFailed: (reason) => this.input({ kind: "fault", cause: "address", reason }),
      onError: (message, error) => this.#warn(message, error),
    });
    this.#routes = new RouteKeeper(config, {
      route: port.route,
      onError: (message, error) => this.#complain(message, error),
    });
  }

  /** A reload may change it. */
  get config(): VrrpInstanceConfig {
    return this.#state.config;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get deadlineMs(): number | null {
    return nextDeadlineMs(this.#state);
  }

  input(input: InstanceInput): void {
    if (this.#isFrozen) return;
    const step = handle(this.#state, input, performance.now());
    this.#state = step.state;
    if (input.kind === "advert") {
      this.#advertsReceived++;
    }
    if (input.kind === "advert" && input.priority > 0) {
      this.noteMaster(input.source, `it advertises priority ${input.priority}`);
    }
    let transition = false;
    for (const effect of step.effects) {
      this.#run(effect);
      transition ||= effect.kind === "transition";
    }
    this.#hooks.onInput(transition, this);
  }

  /**
   * Stands still from now on, and says where: times are `performance.now()`. A master's last advert leaves now, so that its
   * backups' patience begins with the stand-still.
   */
  freeze(): InstanceLegacy {
    const { name, priority, handingOver, inDoubt } = this.#state;
    if (name === "MASTER" && handingOver === null && !inDoubt) this.#sendAdvert(priority);
    this.#isFrozen = true;
    return {
      ...legacyOf(this.#state),
      sinceEpochMs: this.#sinceEpochMs,
      advertsSent: this.#advertsSent,
      advertsReceived: this.#advertsReceived,
      becameMaster: this.#becameMaster,
      drops: Object.fromEntries(this.#drops),
      identification: this.#identification,
      sequence: this.#sequence,
    };
  }

  /** While it stands still, `ms` at most, nobody refreshes the lease of the addresses. */
  outlast(ms: number): Promise<void> {
    return this.#keeper.outlast(ms);
  }

  thaw(): void {
    this.#isFrozen = false;
  }

  /** In place of the input `start`: goes on where another process has left off. */
  resume(from: InstanceLegacy): void {
    this.#sinceEpochMs = from.sinceEpochMs;
    this.#advertsSent += from.advertsSent;
    this.#advertsReceived += from.advertsReceived;
    this.#becameMaster += from.becameMaster;
    for (const [reason, times] of Object.entries(from.drops))
      this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + times);
    this.#identification = from.identification;
    this.#sequence = Math.max(this.#sequence, from.sequence);
    this.input({ kind: "resume", from });
  }

  /**
   * A reload in place. `verdict` is what tracking makes of the new configuration. Resolves when the kernel has what is
   * new and no longer what is gone.
   */
  async reconfigure(config: VrrpInstanceConfig, verdict: Verdict): Promise<void> {
    if (config !== this.config) {
      this.#before = { config: this.config, untilMs: performance.now() + rollingChangeMs };
      this.#keeper.change(keeperSettings(config));
      this.#routes.change(config);
    }
    this.input({
      kind: "reconfigure",
      config,
      priority: verdict.priority,
      inGroup: this.#hooks.isInGroup(config.name),
      preparesTakeovers: this.#port.preparesTakeovers,
    });
    this.take(verdict);
    await this.#keeper.settled();
    await this.#routes.settled();
  }

  /** For the receive checks: the configuration before a reload, for as long as the partner may still have it. */
  get before(): VrrpInstanceConfig | null {
    if (this.#before !== null && performance.now() >= this.#before.untilMs) {
      this.#before = null;
    }
    return this.#before?.config ?? null;
  }

  /** What tracking came to: another priority, a fault, or the end of one. */
  take(verdict: Verdict): void {
    this.#verdict = verdict;
    const { priority, contributions, trackingFault, fitnessFault } = verdict;
    if (priority !== this.#state.priority) {
      this.input({ kind: "priority", priority, reason: describeContributions(contributions) });
    }
    this.#takeFault("tracking", trackingFault, "everything that must be up is up");
    this.#takeFault("fitness", fitnessFault, "this node can serve again");
  }

  #takeFault(cause: FaultCause, fault: string | null, cleared: string): void {
    const known = this.#state.faults[cause] ?? null;
    if (fault !== null && fault !== known) {
      this.input({ kind: "fault", cause, reason: fault });
    } else if (fault === null && known !== null) {
      this.input({ kind: "fault-cleared", cause, reason: cleared });
    }
  }

  /** Whether this address should be on this node now; `elsewhere`: on another interface than the instance's. */
  holds(address: string, elsewhere = false): boolean {
    const own = this.config.vmac ?? this.config.interface;
    const isOurs = addressesOf(this.config).some(
      (virtual) =>
        virtual.address === address &&
        (virtual.interface !== undefined && virtual.interface !== own) === elsewhere,
    );
    return isOurs && this.#state.name === "MASTER";
  }

  /** Some of these addresses have gone from the interface (`elsewhere`: from another one), and not by this node's hand. */
  lost(addresses: readonly string[], elsewhere = false): void {
    const ours = addresses.filter((address) => this.holds(address, elsewhere));
    const untracked = new Set(
      addressesOf(this.config).flatMap(({ address, noTrack }) => (noTrack ? [address] : [])),
    );
    for (const address of ours) {
      if (untracked.has(address)) this.#keeper.leaveAlone(address);
    }
    if (ours.some((address) => !untracked.has(address))) this.input({ kind: "addresses-lost" });
  }

  /** For the receive checks, where adverts carry an authentication header. */
  get ah(): { readonly sequence: number; readonly hmacMd5: HmacMd5 } {
    return { sequence: this.#sequence, hmacMd5 };
  }

  /** Of an advert that was taken: the next one of this node goes beyond it. */
  heardSequence(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  /** Another router says that it is master, in a way that this one's state machine does not see. */
  noteMaster(other: string, how: string): void {
    if (this.#state.name !== "MASTER" || this.#state.handingOver !== null) return;
    const intervalMs = this.config.advertIntervalCs * 10;
    this.#setSplitBrain(noteMaster(this.#splitBrain, other, how, performance.now(), intervalMs));
  }

  countDrop(drop: Drop): void {
    this.#dropDetails.note(drop, Date.now());
    if (drop.reason !== "own-source" && drop.reason !== "unknown-vrid" && drop.virtualRouterId !== null) {
      this.noteMaster(drop.source, `its adverts are dropped here: ${drop.sentence}`);
    }
    this.#drops.set(drop.reason, (this.#drops.get(drop.reason) ?? 0) + 1);
  }

  /** Resolves when the addresses are given up for good and gone from the interface. */
  async released(): Promise<void> {
    await this.#released;
    await this.#keeper.settled();
    await this.#routes.settled();
  }

  /** `links`: what the peer link knows. */
  status(links: PeerLinkStatus | null): VrrpStatus {
    const { config } = this;
    const state = this.#state;
    this.#settleSplitBrain();
    const nowMs = performance.now();
    const { virtualRouterId } = config;
    const linked = (links?.partners ?? []).flatMap(({ address, phase, routers }) =>
      phase !== "up"
        ? []
        : routers
            .filter((router) => router.virtualRouterId === virtualRouterId)
            .map((router) => ({ ...router, address })),
    );
    const { active, sinceMs, other, how, times } = this.#splitBrain;
    const epochOfMonotonic = Date.now() - performance.now();
    return {
      name: config.name,
      interface: config.interface,
      virtualRouterId: config.virtualRouterId,
      state: state.name,
      sinceEpochMs: this.#sinceEpochMs,
      reason: state.reason,
      priority: this.#state.priority,
      basePriority: config.priority,
      advice: unbridged(config.priority, this.#hooks.trackOf(config), state.partners),
      contributions: this.#verdict?.contributions ?? [],
      addresses: config.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
      partners: state.partners.map(({ address, priority, lastHeardMs }) => ({
        address,
        priority,
        lastHeardEpochMs: Math.round(epochOfMonotonic + lastHeardMs),
      })),
      advertsSent: this.#advertsSent,
      advertsReceived: this.#advertsReceived,
      drops: Object.fromEntries(this.#drops),
      dropDetails: this.#dropDetails.list(),
      becameMaster: this.#becameMaster,
      master: explainMaster(state, nowMs),
      ifStopped: explainStop(state, linked, nowMs),
      drained: state.drainedFrom !== null,
      splitBrain: {
        active,
        sinceEpochMs: active && sinceMs !== null ? Math.round(epochOfMonotonic + sinceMs) : null,
        other: active ? other : null,
        how: active ? how : null,
        times,
      },
      peerLink: links,
    };
  }

  #settleSplitBrain(): void {
    const intervalMs = this.config.advertIntervalCs * 10;
    const isMaster = this.#state.name === "MASTER";
    this.#setSplitBrain(settleSplitBrain(this.#splitBrain, performance.now(), intervalMs, !isMaster));
  }

  #setSplitBrain(now: SplitBrain): void {
    const before = this.#splitBrain;
    this.#splitBrain = now;
    const fields = { event: "split-brain", instance: this.config.name, other: now.other };
    if (now.active && !before.active) {
      const message = `${this.config.name}: split brain, ${now.other} is master too: ${now.how}`;
      this.#log.error(fields, message);
    } else if (before.active && !now.active) {
      this.#log.info(fields, `${this.config.name}: no split brain any more`);
    }
  }

  #run(effect: InstanceEffect): void {
    switch (effect.kind) {
      case "send-advert":
        this.#sendAdvert(effect.priority);
        break;
      case "put-addresses":
        this.#keeper.put();
        this.#routes.put(this.#keeper.settled());
        break;
      case "remove-addresses":
        this.#keeper.remove();
        this.#routes.remove();
        break;
      case "announce":
        this.#keeper.announce(effect.count);
        break;
      case "transition": {
        const { from, to, reason } = effect;
        this.#sinceEpochMs = Date.now();
        this.#becameMaster += to === "MASTER" ? 1 : 0;
        const fields = { event: "vrrp", instance: this.config.name, from, to, reason };
        this.#log[to === "FAULT" ? "warn" : "info"](
          fields,
          `${this.config.name}: ${from} → ${to}, ${reason}`,
        );
        const { priority } = this.#state;
        this.#hooks.onEvent({ kind: "transition", instance: this.config.name, from, to, reason, priority });
        break;
      }
      case "priority-changed": {
        const { from, to, reason } = effect;
        this.#log.info(
          { event: "vrrp-priority", instance: this.config.name, from, to, reason },
          `${this.config.name}: priority ${from} → ${to}, ${reason}`,
        );
        const { name: state } = this.#state;
        this.#hooks.onEvent({ kind: "priority", instance: this.config.name, state, priority: to });
        break;
      }
      case "prepare-takeover":
        this.#port.prepareTakeover(this, effect.from);
        break;
      case "log":
        this.#log[effect.level]({ instance: this.config.name }, `${this.config.name}: ${effect.message}`);
        break;
      case "handed-over":
        this.#resolveReleased();
        break;
    }
  }

  #sendAdvert(priority: number): void {
    // Without an address of its own the instance is in FAULT and says nothing.
    const source = this.#state.ownAddress;
    if (source === null) {
      return;
    }
    this.#advertsSent++;
    this.#identification = (this.#identification % 0xffff) + 1;
    this.#sequence++;
    const circumstances = {
      source,
      identification: this.#identification,
      sequence: this.#sequence,
      hmacMd5,
    };
    for (const datagram of advertDatagrams(this.config, priority, circumstances)) {
      this.#port.send(datagram);
    }
  }

  /** Once a minute for the same: routes are tried again with every refresh of the addresses. */
  #complain(message: string, error: unknown): void {
    const said = error instanceof Error ? error.message : String(error);
    if (this.#errors.note(message, said, performance.now()) !== null) {
      this.#warn(message, error);
    }
  }

  #warn(message: string, error: unknown): void {
    this.#log.warn({ instance: this.config.name, err: error }, `${this.config.name}: ${message}`);
  }
}

function keeperSettings(config: VrrpInstanceConfig): KeeperSettings {
  return {
    interface: config.vmac ?? config.interface,
    addresses: addressesOf(config),
    leaseMs: config.leaseMs,
    ownsAddresses: config.priority === 255,
  };
}

/** Those of the adverts, and the others. */
function addressesOf(config: VrrpInstanceConfig): readonly VirtualAddress[] {
  return [...config.addresses, ...config.excludedAddresses];
}

function hmacMd5(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("md5", key).update(data).digest();
}
