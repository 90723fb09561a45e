import { setTimeout as delay } from "node:timers/promises";
import type { AnswerMessage, MoveMessage, PeerMessage } from "../peer-link/message.js";
import { orderOf } from "../peer-link/takeover-order.js";
import { Forwardings } from "./speaker-forwarding.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import { Leavings } from "./speaker-leaving.js";
import { type HandoverOptions, identify, MoveTools, messageOf } from "./speaker-move.js";

/** A partner has asked, and this node makes ready. */
interface Request {
  readonly from: string;
  /** The partner goes on without. */
  isWithdrawn: boolean;
}

/** The living master serves all the while; a partner that needs longer is gone without. */
const answerLimitMs = 2500;
const linkLimitMs = 300;

/**
 * Moves of the addresses between two Tandem nodes in which no connection is lost, planned over the peer link
 * (docs/peer-link.md). Whatever goes wrong, the move happens as VRRP has it; and whatever is left of one ends by the
 * kernel's hand: the address on `lo` is leased, the tables have an owner and their elements a time-out.
 */
export class SpeakerHandover {
  readonly #options: HandoverOptions;
  readonly #tools: MoveTools;
  readonly #leavings: Leavings;
  readonly #forwardings: Forwardings;
  readonly #asking = new Map<SpeakerInstance, (answer: AnswerMessage | null) => void>();
  readonly #requests = new Map<SpeakerInstance, Request>();
  #complaint = "";

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.#tools = new MoveTools(options);
    this.#forwardings = new Forwardings(this.#tools);
    this.#leavings = new Leavings(this.#tools, {
      onLinger: (untilMs) => options.onMovedAway(untilMs),
      onEnded: () => options.onMoveEnded(),
      onDone: (instance, partner) => this.#send(partner, instance, "done"),
      sendsOn: (instance) => this.#forwardings.leaver(instance) !== null,
    });
  }

  /** Whether connections are still served whose address is gone. */
  get lingers(): boolean {
    return this.#leavings.lingers;
  }

  /** Removes from `lo` what a process that died in a move has left. */
  cleanUp(instances: readonly SpeakerInstance[]): Promise<void> {
    return this.#leavings.cleanUp(instances);
  }

  /** The backup is about to preempt a living master. Answers with `prepared`, whatever came of it. */
  async prepareTakeover(instance: SpeakerInstance, from: string): Promise<void> {
    const { links, drainMs } = this.#options;
    try {
      for (let waited = 0; links.isDialing(from) && waited < linkLimitMs; waited += 5) await delay(5);
      if (!links.isUp(from)) return;
      await this.#forwardings.start(instance, from, drainMs);
      await this.#ask(instance, from, "take");
    } catch (error) {
      this.#send(from, instance, "withdraw");
      await this.#forwardings.endTo(from, instance);
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
    this.#leavings.isStopping ||= forGood;
    if (instance.state.name !== "MASTER") return false;
    const partner = this.#bestBackup(instance);
    if (partner === null) return false;
    try {
      await this.#ask(instance, partner, "offer");
      await this.#leavings.start(instance, partner, this.#options.drainMs);
      return instance.state.name === "MASTER";
    } catch (error) {
      this.#send(partner, instance, "withdraw");
      this.#refused(messageOf(error));
      return false;
    }
  }

  /** After priority 0: of all backups this one shall take over, now. */
  go(instance: SpeakerInstance): void {
    const partner = this.#leavings.partner(instance);
    if (partner !== null) this.#send(partner, instance, "go");
  }

  onMessage(from: string, message: PeerMessage): void {
    if (message.kind === "state" || message.kind === "servers" || message.kind === "bye") return;
    const instance = this.#options.instance(from, message.virtualRouterId, message.family);
    if (instance === null) return;
    switch (message.kind) {
      case "answer":
        this.#asking.get(instance)?.(message);
        break;
      case "take":
        void this.#answer(instance, from, "MASTER", () =>
          this.#leavings.start(instance, from, message.drainMs),
        );
        break;
      case "offer":
        void this.#answer(instance, from, "BACKUP", () =>
          this.#forwardings.start(instance, from, message.drainMs),
        );
        break;
      case "withdraw":
        this.#onWithdraw(instance, from);
        break;
      case "go":
        if (this.#forwardings.leaver(instance) === from) {
          instance.input({ kind: "peer-yields", address: from });
        }
        break;
      case "done":
        void this.#forwardings.endTo(from, instance);
        break;
    }
  }

  onDead(address: string): void {
    this.#forwardings.onDead(address);
  }

  onTransition(instance: SpeakerInstance): void {
    this.#leavings.onTransition(instance);
    this.#forwardings.onTransition(instance);
  }

  /** Ends every move; with it go the tables and what is on `lo`. */
  async close(): Promise<void> {
    await this.#forwardings.close();
    await this.#leavings.close();
    this.#tools.nft.close();
  }

  async #answer(
    instance: SpeakerInstance,
    from: string,
    due: "MASTER" | "BACKUP",
    prepare: () => Promise<void>,
  ): Promise<void> {
    const request: Request = { from, isWithdrawn: false };
    this.#requests.set(instance, request);
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
    if (this.#requests.get(instance) === request) this.#requests.delete(instance);
    if (request.isWithdrawn) {
      this.#undo(instance, from);
      return;
    }
    const { virtualRouterId, family } = identify(instance);
    this.#options.links.send(from, { kind: "answer", virtualRouterId, family, refusal });
  }

  /** The address moves without this node's part in it: to send on to a partner that serves nobody would leave clients in the dark. */
  #onWithdraw(instance: SpeakerInstance, from: string): void {
    const request = this.#requests.get(instance);
    if (request?.from === from) request.isWithdrawn = true;
    else this.#undo(instance, from);
  }

  #undo(instance: SpeakerInstance, from: string): void {
    void this.#forwardings.endTo(from, instance);
    void this.#leavings.withdraw(from, instance);
  }

  /** Resolves when the partner is ready; rejects when it refuses or is silent. */
  #ask(instance: SpeakerInstance, partner: string, kind: "take" | "offer"): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (answer: AnswerMessage | null): void => {
        clearTimeout(timer);
        this.#asking.delete(instance);
        if (answer?.refusal === null) {
          resolve();
          return;
        }
        reject(
          new Error(answer === null ? `${partner} did not answer in time` : `${partner}: ${answer.refusal}`),
        );
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
