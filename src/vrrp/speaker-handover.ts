import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Nft } from "../handover/nft.js";
import { parseFlows } from "../handover/own-flows.js";
import {
  forwardingRules,
  type Move,
  quietNow,
  quietRules,
  removeForwarding,
  removeQuiet,
} from "../handover/rules.js";
import type { RouteSocket } from "../netlink/route-socket.js";
import type { AnswerMessage, MoveMessage, PeerMessage, StateMessage } from "../peer-link/message.js";
import { orderOf } from "../peer-link/takeover-order.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";

/** What a move needs of the peer links. */
export interface HandoverLinks {
  send(address: string, message: PeerMessage): boolean;
  isUp(address: string): boolean;
  isDialing(address: string): boolean;
  lastWord(address: string): StateMessage | null;
  linked(): readonly { readonly address: string; readonly said: StateMessage | null }[];
}

export interface HandoverOptions {
  readonly route: Pick<RouteSocket, "interface" | "putAddress" | "removeAddress">;
  readonly log: SpeakerLog;
  readonly links: HandoverLinks;
  /** How long the old master's connections may go on. */
  readonly drainMs: number;
  /** This node's own address on the way to a partner, and the interface's name. */
  place(instance: SpeakerInstance): { readonly interface: string; readonly address: string } | null;
  instance(partner: string, virtualRouterId: number, family: 4 | 6): SpeakerInstance | null;
  /** Connections that clients have with this node now. */
  connections(): number;
  /** This node's clients have another master now, and are served to the end: until `deadlineMs` at most. */
  onMovedAway(untilMs: number): void;
  /** The last of it is over. */
  onMoveEnded(): void;
}

/** This node goes on serving connections whose address another one has. */
interface Leaving {
  readonly instance: SpeakerInstance;
  readonly partner: string;
  readonly move: Move;
  readonly refresh: NodeJS.Timeout;
  readonly ownAddress: string;
  timer: NodeJS.Timeout | null;
  lingers: boolean;
  over: boolean;
}

/** This node sends on what belongs to the old master. */
interface Forwarding {
  readonly instance: SpeakerInstance;
  readonly leaver: string;
  readonly move: Move;
  readonly timer: NodeJS.Timeout;
  wasMaster: boolean;
}

/** The living master serves all the while; a partner that needs longer is gone without. */
const answerLimitMs = 700;
const linkLimitMs = 300;
/** A move that was made ready and does not come. */
const unusedAfterMs = 5000;
const lookEveryMs = 250;
/** Clients that have not heard of the move yet come here, at worst until it is announced a second time after 5 s. */
const shortestLingerMs = 6000;
/** What the kernel's time-outs outlast ours by. */
const lifetimeSlackMs = 2000;
const loopback = "lo";

/**
 * Moves of the addresses between two Tandem nodes in which no connection is lost, planned over the peer link
 * (docs/peer-link.md). Whatever goes wrong, the move happens as VRRP has it; and whatever is left of one ends by the
 * kernel's hand: the address on `lo` is leased, the tables have an owner and their elements a time-out.
 */
export class SpeakerHandover {
  readonly #options: HandoverOptions;
  readonly #nft = new Nft();
  readonly #leaving = new Map<SpeakerInstance, Leaving>();
  readonly #forwarding = new Map<SpeakerInstance, Forwarding>();
  readonly #asking = new Map<SpeakerInstance, (answer: AnswerMessage | null) => void>();
  #count = 0;
  /** The process goes: its life cycle says when the connections have ended. */
  #isStopping = false;
  #loopbackIndex = 0;
  #complaint = "";

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** Whether connections are still served whose address is gone. */
  get lingers(): boolean {
    return [...this.#leaving.values()].some(({ lingers }) => lingers);
  }

  /** Removes from `lo` what a process that died in a move has left. */
  async cleanUp(instances: readonly SpeakerInstance[]): Promise<void> {
    const lo = await this.#options.route.interface(loopback);
    if (lo === null) return;
    this.#loopbackIndex = lo.index;
    const virtual = instances.flatMap(({ config }) => config.addresses.map(({ address }) => address));
    for (const { address, prefixLength, leased } of lo.addresses) {
      if (!leased || !virtual.includes(address)) continue;
      await this.#options.route.removeAddress({ index: lo.index, address, prefixLength });
    }
  }

  /** The backup is about to preempt a living master. Answers with `prepared`, whatever came of it. */
  async prepareTakeover(instance: SpeakerInstance, from: string): Promise<void> {
    const { links, drainMs } = this.#options;
    try {
      for (let waited = 0; links.isDialing(from) && waited < linkLimitMs; waited += 5) await delay(5);
      if (!links.isUp(from)) return;
      await this.#startForwarding(instance, from, drainMs);
      const answer = await this.#ask(instance, from, "take");
      if (answer.refusal === null) return;
      await this.#endForwarding(instance);
      this.#refused(`${from}: ${answer.refusal}`);
    } catch (error) {
      await this.#endForwarding(instance);
      this.#refused(messageOf(error));
    } finally {
      instance.input({ kind: "prepared" });
    }
  }

  /**
   * The master is about to go. True: the best backup is ready, and `go` will make it take over. `forGood`: the process
   * ends, and says itself when its connections have ended.
   */
  async prepareToGo(instance: SpeakerInstance, forGood: boolean): Promise<boolean> {
    this.#isStopping ||= forGood;
    if (instance.state.name !== "MASTER") return false;
    const partner = this.#bestBackup(instance);
    if (partner === null) return false;
    try {
      const answer = await this.#ask(instance, partner, "offer");
      if (answer.refusal !== null) throw new Error(`${partner}: ${answer.refusal}`);
      await this.#startLeaving(instance, partner, this.#options.drainMs);
      return instance.state.name === "MASTER";
    } catch (error) {
      this.#refused(messageOf(error));
      return false;
    }
  }

  /** After priority 0: of all backups this one shall take over, now. */
  go(instance: SpeakerInstance): void {
    const leaving = this.#leaving.get(instance);
    if (leaving !== undefined) this.#send(leaving.partner, instance, "go");
  }

  onMessage(from: string, message: PeerMessage): void {
    if (message.kind === "state" || message.kind === "bye") return;
    const instance = this.#options.instance(from, message.virtualRouterId, message.family);
    if (instance === null) return;
    switch (message.kind) {
      case "answer":
        this.#asking.get(instance)?.(message);
        break;
      case "take":
        void this.#answer(instance, from, "MASTER", () =>
          this.#startLeaving(instance, from, message.drainMs),
        );
        break;
      case "offer":
        void this.#answer(instance, from, "BACKUP", () =>
          this.#startForwarding(instance, from, message.drainMs),
        );
        break;
      case "go":
        if (this.#forwarding.get(instance)?.leaver === from) {
          instance.input({ kind: "peer-yields", address: from });
        }
        break;
      case "done":
        if (this.#forwarding.get(instance)?.leaver === from) void this.#endForwarding(instance);
        break;
    }
  }

  /** A partner's process is gone: nobody is there to serve what is sent on to it. */
  onDead(address: string): void {
    for (const [instance, { leaver }] of this.#forwarding) {
      if (leaver === address) void this.#endForwarding(instance);
    }
  }

  onTransition(instance: SpeakerInstance): void {
    const { name } = instance.state;
    const leaving = this.#leaving.get(instance);
    if (leaving !== undefined) {
      if (name !== "MASTER" && !leaving.lingers) this.#linger(leaving);
      else if (name === "MASTER" && leaving.lingers) void this.#endLeaving(leaving);
    }
    const forwarding = this.#forwarding.get(instance);
    if (forwarding !== undefined) {
      if (name === "MASTER") forwarding.wasMaster = true;
      else if (forwarding.wasMaster) {
        // The clients learn of the next master in a moment; until then their packets come here.
        setTimeout(() => {
          if (this.#forwarding.get(instance) === forwarding) void this.#endForwarding(instance);
        }, shortestLingerMs).unref();
      }
    }
  }

  /** Ends every move; with it go the tables and what is on `lo`. */
  async close(): Promise<void> {
    for (const instance of [...this.#forwarding.keys()]) await this.#endForwarding(instance);
    for (const leaving of [...this.#leaving.values()]) await this.#endLeaving(leaving);
    this.#nft.close();
  }

  async #answer(
    instance: SpeakerInstance,
    from: string,
    due: "MASTER" | "BACKUP",
    prepare: () => Promise<void>,
  ): Promise<void> {
    let refusal: string | null = null;
    try {
      if (instance.state.name !== due || instance.state.handingOver !== null) {
        throw new Error(`this node is ${instance.state.name}`);
      }
      await prepare();
    } catch (error) {
      refusal = messageOf(error).slice(0, 500);
      this.#refused(refusal);
    }
    const { virtualRouterId, family } = identify(instance);
    this.#options.links.send(from, { kind: "answer", virtualRouterId, family, refusal });
  }

  #ask(instance: SpeakerInstance, partner: string, kind: "take" | "offer"): Promise<AnswerMessage> {
    return new Promise((resolve, reject) => {
      const end = (answer: AnswerMessage | null): void => {
        clearTimeout(timer);
        this.#asking.delete(instance);
        if (answer === null) reject(new Error(`${partner} did not answer in time`));
        else resolve(answer);
      };
      const timer = setTimeout(() => end(null), answerLimitMs);
      this.#asking.set(instance, end);
      this.#send(partner, instance, kind);
    });
  }

  #send(partner: string, instance: SpeakerInstance, kind: MoveMessage["kind"]): void {
    const drainMs = Math.round(this.#options.drainMs);
    this.#options.links.send(partner, { kind, ...identify(instance), drainMs });
  }

  /** Of the linked partners that are backup here, the one that would win. */
  #bestBackup(instance: SpeakerInstance): string | null {
    const { virtualRouterId, family } = identify(instance);
    const [best] = orderOf(this.#options.links.linked(), virtualRouterId, family);
    return best ?? null;
  }

  async #startForwarding(instance: SpeakerInstance, leaver: string, drainMs: number): Promise<void> {
    const before = this.#forwarding.get(instance);
    if (before !== undefined && before.leaver === leaver && !before.wasMaster) return;
    const place = this.#options.place(instance);
    const mac = this.#options.links.lastWord(leaver)?.mac;
    if (place === null || mac === undefined) throw new Error("the partner's MAC address is not known yet");
    const move = this.#move(instance, drainMs);
    const file = move.family === 4 ? "/proc/self/net/tcp" : "/proc/self/net/tcp6";
    const own = parseFlows(await readFile(file, "latin1"), move.addresses);
    await this.#nft.run(
      forwardingRules({ ...move, leaver: { address: leaver, mac }, interface: place.interface, own }),
    );
    // One after the other: what came in between would be reset.
    await this.#endForwarding(instance);
    const end = (): void => {
      if (this.#forwarding.get(instance) === forwarding) void this.#endForwarding(instance);
    };
    const timer = setTimeout(end, move.lifetimeMs);
    const wasMaster = instance.state.name === "MASTER";
    const forwarding: Forwarding = { instance, leaver, move, timer, wasMaster };
    this.#forwarding.set(instance, forwarding);
    setTimeout(() => {
      if (!forwarding.wasMaster) end();
    }, unusedAfterMs).unref();
  }

  async #endForwarding(instance: SpeakerInstance): Promise<void> {
    const forwarding = this.#forwarding.get(instance);
    if (forwarding === undefined) return;
    this.#forwarding.delete(instance);
    clearTimeout(forwarding.timer);
    await this.#clear(removeForwarding(forwarding.move));
    if (forwarding.wasMaster) this.#note(instance, `nothing is sent on to ${forwarding.leaver} any more`);
  }

  async #startLeaving(instance: SpeakerInstance, partner: string, drainMs: number): Promise<void> {
    const before = this.#leaving.get(instance);
    if (before !== undefined && !before.lingers && before.partner === partner) return;
    if (before !== undefined) await this.#endLeaving(before);
    const place = this.#options.place(instance);
    if (place === null) throw new Error("the interface has no address");
    const move = this.#move(instance, Math.min(drainMs, this.#options.drainMs));
    await this.#nft.run(quietRules(move, place.address));
    const { leaseMs } = instance.config;
    const refresh = setInterval(() => void this.#hold(move, leaseMs).catch(() => {}), leaseMs / 3);
    const leaving: Leaving = {
      instance,
      partner,
      move,
      refresh,
      ownAddress: place.address,
      timer: null,
      lingers: false,
      over: false,
    };
    this.#leaving.set(instance, leaving);
    leaving.timer = setTimeout(() => {
      if (!leaving.lingers) void this.#endLeaving(leaving);
    }, unusedAfterMs);
    try {
      await this.#hold(move, leaseMs);
    } catch (error) {
      await this.#endLeaving(leaving);
      throw error;
    }
  }

  /** The address as /32 on `lo`: what is open goes on, and the kernel drops it should this process die. */
  async #hold({ addresses, family }: Move, leaseMs: number): Promise<void> {
    const prefixLength = family === 4 ? 32 : 128;
    for (const address of addresses) {
      await this.#options.route.putAddress({ index: this.#loopbackIndex, address, prefixLength, leaseMs });
    }
  }

  /** Another one is master now. */
  #linger(leaving: Leaving): void {
    const { instance, partner, move } = leaving;
    leaving.lingers = true;
    clearTimeout(leaving.timer ?? undefined);
    leaving.timer = null;
    void this.#clear(quietNow(move));
    const sinceMs = performance.now();
    const untilMs = sinceMs + move.lifetimeMs - lifetimeSlackMs;
    this.#note(instance, `${partner} sends on what belongs to this node: its connections go on`);
    if (this.#isStopping) return;
    this.#options.onMovedAway(untilMs);
    const look = setInterval(() => {
      const nowMs = performance.now();
      const isEmpty = nowMs - sinceMs >= shortestLingerMs && this.#options.connections() === 0;
      if (leaving.over || isEmpty || nowMs >= untilMs) {
        clearInterval(look);
        void this.#endLeaving(leaving);
      }
    }, lookEveryMs);
  }

  async #endLeaving(leaving: Leaving): Promise<void> {
    if (leaving.over) return;
    leaving.over = true;
    const { instance, partner, move, lingers } = leaving;
    if (this.#leaving.get(instance) === leaving) this.#leaving.delete(instance);
    clearInterval(leaving.refresh);
    clearTimeout(leaving.timer ?? undefined);
    if (lingers) {
      // Master again: the partner goes on sending until the clients know.
      if (instance.state.name !== "MASTER") this.#send(partner, instance, "done");
      this.#note(instance, `no connection is served any more for ${partner}`);
      if (!this.#isStopping) this.#options.onMoveEnded();
    }
    await this.#clear(removeQuiet(move));
    const prefixLength = move.family === 4 ? 32 : 128;
    for (const address of move.addresses) {
      await this.#options.route
        .removeAddress({ index: this.#loopbackIndex, address, prefixLength })
        .catch(() => false);
    }
  }

  #move(instance: SpeakerInstance, drainMs: number): Move {
    this.#count++;
    const { virtualRouterId, family } = identify(instance);
    return {
      family,
      table: `tandem_${virtualRouterId}_${this.#count}`,
      addresses: instance.config.addresses
        .map(({ address }) => address)
        .filter((address) => !/^fe80:/i.test(address)),
      lifetimeMs: drainMs + lifetimeSlackMs,
    };
  }

  /** What cannot be undone ends by its time-out. */
  async #clear(lines: readonly string[]): Promise<void> {
    try {
      await this.#nft.run(lines);
    } catch (error) {
      this.#options.log.warn({ event: "handover", err: error }, `nftables: ${messageOf(error)}`);
    }
  }

  #note(instance: SpeakerInstance, message: string): void {
    const { name } = instance.config;
    this.#options.log.info({ event: "handover", instance: name }, `${name}: ${message}`);
  }

  /** Once for each reason: it is no fault, only less than there could be. */
  #refused(reason: string): void {
    const level = reason === this.#complaint ? "info" : "warn";
    this.#complaint = reason;
    this.#options.log[level](
      { event: "handover", reason },
      `the address moves as VRRP has it, and open connections end: ${reason}`,
    );
  }
}

export function identify({ config }: SpeakerInstance): {
  readonly virtualRouterId: number;
  readonly family: 4 | 6;
} {
  const family = config.addresses.some(({ address }) => address.includes(":")) ? 6 : 4;
  return { virtualRouterId: config.virtualRouterId, family };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
