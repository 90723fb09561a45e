import { compareIpLiterals } from "../../../src/netlink/ip-literal.js";
import type { InstanceEffect } from "../../../src/vrrp/instance-state.js";
import type { SimulatedRouter } from "../router.js";
import { Law, nameOf } from "./law.js";
import { intervalMs } from "./takeover.js";

/**
 * two masters: of two routers that are both master and awake, the worse one has stepped down at the latest one advert
 * interval of the better one, plus the network's delay, after the better one's adverts get through to it.
 *
 * RFC 3768 §6.4.3: a master sends every Advertisement_Interval, and who hears a better one becomes backup. So no two
 * masters stay longer than that, however they came about. A master that is handing over sends nothing any more and is
 * left to the law of the hand-over.
 */
export class TwoMastersLaw extends Law {
  /** Loser → winner → the token of the pair's check. */
  readonly #pairs = new Map<SimulatedRouter, Map<SimulatedRouter, symbol>>();

  override effect(_router: SimulatedRouter, effect: InstanceEffect): void {
    if (effect.kind === "transition" || effect.kind === "priority-changed") {
      this.worldChanged();
    }
  }

  override worldChanged(): void {
    const masters = this.routers().filter((router) => router.asserts);
    for (const [loser, winners] of this.#pairs) {
      for (const winner of winners.keys()) {
        if (!this.#isPair(loser, winner)) {
          winners.delete(winner);
        }
      }
    }
    for (const loser of masters) {
      for (const winner of masters) {
        if (this.#isPair(loser, winner) && this.#pairs.get(loser)?.has(winner) !== true) {
          this.#begin(loser, winner);
        }
      }
    }
  }

  #isPair(loser: SimulatedRouter, winner: SimulatedRouter): boolean {
    return (
      loser !== winner &&
      loser.config.virtualRouterId === winner.config.virtualRouterId &&
      loser.asserts &&
      winner.asserts &&
      beats(winner, loser) &&
      this.getsThrough(winner, loser)
    );
  }

  #begin(loser: SimulatedRouter, winner: SimulatedRouter): void {
    const token = Symbol();
    const winners = this.#pairs.get(loser) ?? new Map<SimulatedRouter, symbol>();
    this.#pairs.set(loser, winners.set(winner, token));
    const boundMs = this.slowMs(intervalMs(winner)) + this.bounds.delayMs;
    this.lan.after(boundMs, () => {
      if (this.#pairs.get(loser)?.get(winner) === token && this.#isPair(loser, winner)) {
        this.violated(
          "two masters",
          `${nameOf(loser)} and ${nameOf(winner)} are both master for ${Math.round(boundMs)} ms, though ${nameOf(winner)}'s adverts get through`,
        );
      }
    });
  }
}

function beats(one: SimulatedRouter, other: SimulatedRouter): boolean {
  const difference = one.state.priority - other.state.priority;
  return difference === 0
    ? compareIpLiterals(one.machine.address, other.machine.address) > 0
    : difference > 0;
}
