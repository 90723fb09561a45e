import type { InstanceEffect } from "../../src/vrrp/instance-state.js";
import type { SimulatedMachine } from "./machine.js";
import type { SimulatedRouter } from "./router.js";
import type { VirtualLan } from "./virtual-lan.js";
import { type AdvertInput, Watcher } from "./watcher.js";

/**
 * What happened, to be read by a person: one line a happening, with the states of all machines after it.
 *
 *     B backup, M master, F fault, I init; + it holds the addresses; . it does not run
 */
export class Timeline extends Watcher {
  readonly #lines: string[] = [];
  readonly #adverts: boolean;
  #lan: VirtualLan | null = null;

  /** With `adverts`, every advert that was sent or heard has its line too. */
  constructor(adverts = false) {
    super();
    this.#adverts = adverts;
  }

  follow(lan: VirtualLan): void {
    this.#lan = lan;
  }

  /** The last so many lines, with a heading. */
  text(most = Number.POSITIVE_INFINITY): string {
    const { machines } = this.#lan ?? { machines: [] };
    const names = machines.map((machine, index) => String.fromCharCode(97 + index).padEnd(width(machine)));
    const heading = `${"time, s".padStart(12)}  ${names.join(" ")}  what`;
    const left = Math.max(0, this.#lines.length - most);
    const before = left > 0 ? [`${" ".repeat(14)}(${left} earlier lines left out)`] : [];
    return [heading, ...before, ...this.#lines.slice(left)].join("\n");
  }

  override disturbed(what: () => string): void {
    this.#add(`* ${what()}`);
  }

  override hears(router: SimulatedRouter, { source, priority }: AdvertInput): void {
    if (this.#adverts) {
      this.#add(`${this.#name(router)} hears ${this.#nameOf(source)}: ${priority}`);
    }
  }

  override refused(machine: SimulatedMachine, reason: string, source: string): void {
    if (this.#adverts) {
      this.#add(`${this.#nameOf(machine.address)} drops ${this.#nameOf(source)}'s advert: ${reason}`);
    }
  }

  override effect(router: SimulatedRouter, effect: InstanceEffect): void {
    const name = this.#name(router);
    if (effect.kind === "transition") {
      this.#add(`${name} ${effect.from} → ${effect.to}: ${this.#readable(effect.reason)}`);
    } else if (effect.kind === "log") {
      this.#add(`${name} says: ${this.#readable(effect.message)}`);
    } else if (effect.kind === "priority-changed") {
      this.#add(`${name} priority ${effect.from} → ${effect.to}`);
    } else if (effect.kind === "send-advert" && (this.#adverts || effect.priority === 0)) {
      this.#add(`${name} advertises ${effect.priority}`);
    }
  }

  override holds(router: SimulatedRouter, holds: boolean, why: string): void {
    this.#add(`${this.#name(router)} ${holds ? "holds the addresses" : `lost the addresses: ${why}`}`);
  }

  #add(what: string): void {
    if (this.#lan !== null) {
      const { nowMs, machines } = this.#lan;
      const states = machines.map((machine) => stateOf(machine).padEnd(width(machine))).join(" ");
      this.#lines.push(`${(nowMs / 1000).toFixed(4).padStart(12)}  ${states}  ${what}`);
    }
  }

  #name(router: SimulatedRouter): string {
    const { machine, config } = router;
    const name = this.#nameOf(machine.address);
    return machine.routers.length > 1 ? `${name}/${config.virtualRouterId}` : name;
  }

  #nameOf(address: string): string {
    const index = this.#lan?.machines.findIndex((machine) => machine.address === address) ?? -1;
    return index < 0 ? address : String.fromCharCode(97 + index);
  }

  /** Machines by their letters. */
  #readable(text: string): string {
    return text.replaceAll(/\b192\.168\.33\.\d+\b/g, (address) => this.#nameOf(address));
  }
}

function width(machine: SimulatedMachine): number {
  return 4 * machine.routers.length - 1;
}

function stateOf(machine: SimulatedMachine): string {
  return machine.routers
    .map(({ state, lease }) => {
      const name = machine.running ? state.name[0] : "-";
      return `${name}${lease.held ? "+" : ""}${machine.awake ? "" : "."}`;
    })
    .join("/");
}
