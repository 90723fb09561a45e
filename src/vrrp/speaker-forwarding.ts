import { readFile } from "node:fs/promises";
import { parseFlows } from "../handover/own-flows.js";
import { forwardingRules, learningRules, type Move, removeForwarding } from "../handover/rules.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import { type MoveTools, shortestLingerMs, unusedAfterMs } from "./speaker-move.js";

/** This node sends on what belongs to the old master. */
interface Forwarding {
  readonly leaver: string;
  readonly move: Move;
  readonly timer: NodeJS.Timeout;
  wasMaster: boolean;
}

/** The taker's side of the moves: what belongs to an old master is sent on to it. */
export class Forwardings {
  readonly #tools: MoveTools;
  readonly #of = new Map<SpeakerInstance, Forwarding>();

  constructor(tools: MoveTools) {
    this.#tools = tools;
  }

  /** To whom this node sends on; null: to nobody. */
  leaver(instance: SpeakerInstance): string | null {
    return this.#of.get(instance)?.leaver ?? null;
  }

  /** Rejects when it cannot be; then nothing is sent on that was not before. */
  async start(instance: SpeakerInstance, leaver: string, drainMs: number): Promise<void> {
    const before = this.#of.get(instance);
    if (before !== undefined && before.leaver === leaver && !before.wasMaster) return;
    const { options, nft } = this.#tools;
    const place = options.place(instance);
    const mac = options.links.lastWord(leaver)?.mac;
    if (place === null || mac === undefined) throw new Error("the partner's MAC address is not known yet");
    const move = this.#tools.move(instance, drainMs);
    const forwarded = { ...move, leaver: { address: leaver, mac }, interface: place.interface };
    try {
      await nft.run(learningRules(forwarded));
      const file = move.family === 4 ? "/proc/self/net/tcp" : "/proc/self/net/tcp6";
      const own = parseFlows(await readFile(file, "latin1"), move.addresses);
      await nft.run(forwardingRules(forwarded, own));
    } catch (error) {
      await nft.run(removeForwarding(move)).catch(() => {});
      throw error;
    }
    // One after the other: what came in between would be reset.
    await this.end(instance);
    const end = (): void => this.#endOnly(instance, forwarding);
    const timer = setTimeout(end, move.lifetimeMs);
    const forwarding: Forwarding = { leaver, move, timer, wasMaster: instance.state.name === "MASTER" };
    this.#of.set(instance, forwarding);
    setTimeout(() => {
      if (!forwarding.wasMaster) end();
    }, unusedAfterMs).unref();
  }

  async end(instance: SpeakerInstance): Promise<void> {
    const forwarding = this.#of.get(instance);
    if (forwarding === undefined) return;
    this.#of.delete(instance);
    clearTimeout(forwarding.timer);
    await this.#tools.clear(removeForwarding(forwarding.move));
    if (forwarding.wasMaster)
      this.#tools.note(instance, `nothing is sent on to ${forwarding.leaver} any more`);
  }

  /** The partner has nothing left, or does not take part. */
  async endTo(leaver: string, instance: SpeakerInstance): Promise<void> {
    if (this.leaver(instance) === leaver) await this.end(instance);
  }

  /** A partner's process is gone: nobody is there to serve what is sent on to it. */
  onDead(address: string): void {
    for (const instance of [...this.#of.keys()]) void this.endTo(address, instance);
  }

  onTransition(instance: SpeakerInstance): void {
    const forwarding = this.#of.get(instance);
    if (forwarding === undefined) return;
    if (instance.state.name === "MASTER") {
      forwarding.wasMaster = true;
      return;
    }
    // With a third node as master, what belongs to the first one still comes by way of this one.
    const master = instance.state.partners[0]?.address;
    if (!forwarding.wasMaster || master !== forwarding.leaver) return;
    // The clients learn of the next master in a moment; until then their packets come here.
    setTimeout(() => this.#endOnly(instance, forwarding), shortestLingerMs).unref();
  }

  async close(): Promise<void> {
    for (const instance of [...this.#of.keys()]) await this.end(instance);
  }

  #endOnly(instance: SpeakerInstance, forwarding: Forwarding): void {
    if (this.#of.get(instance) === forwarding) void this.end(instance);
  }
}
