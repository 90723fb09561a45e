import type { Outcome } from "./simulate.js";
import { Tally } from "./tally.js";
import type { World } from "./world.js";

/** What a number of simulated worlds came to. */
export class Census {
  hours = 0;
  worlds = 0;
  disturbances = 0;
  settledTimes = 0;
  settledHours = 0;
  readonly tally = new Tally();
  /** Hours by advert interval in seconds. */
  readonly #hoursByInterval = new Map<number, number>();
  readonly #worldsByNodes = new Map<number, number>();

  count(world: World, outcome: Outcome): void {
    this.hours += outcome.hours;
    this.worlds++;
    this.disturbances += outcome.disturbances;
    this.settledTimes += outcome.settledTimes;
    this.settledHours += outcome.settledHours;
    this.tally.add(outcome.tally);
    const interval = world.machines[0].configs[0].advertIntervalCs / 100;
    this.#hoursByInterval.set(interval, (this.#hoursByInterval.get(interval) ?? 0) + outcome.hours);
    const nodes = world.machines.length;
    this.#worldsByNodes.set(nodes, (this.#worldsByNodes.get(nodes) ?? 0) + 1);
  }

  text(): string {
    const { tally } = this;
    const round = (number: number) => Math.round(number).toLocaleString("en");
    const list = (map: ReadonlyMap<number | string, number>, unit: string) =>
      [...map]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([what, number]) => `${round(number)} ${unit} ${what}`)
        .join(", ");
    return [
      `${round(this.worlds)} worlds (${list(this.#worldsByNodes, "of")} nodes), ${round(this.hours)} hours`,
      `  hours by advert interval in s: ${list(this.#hoursByInterval, "at")}`,
      `  ${round(this.disturbances)} disturbances; the world settled after ${round(this.settledTimes)} of them, for ${round(this.settledHours)} hours`,
      `  ${round(tally.sent)} adverts sent, ${round(tally.heard)} accepted; dropped: ${list(tally.refusals, "×")}`,
      `  ${round(tally.transitions)} transitions, ${round(tally.becameMaster)} to MASTER; no law broken`,
    ].join("\n");
  }
}
