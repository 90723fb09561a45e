import type { VrrpInstanceConfig } from "../../src/config/config.js";
import { stillstandLimitMs } from "../../src/vrrp/legacy.js";
import {
  type ConfigChange,
  comeBackMs,
  type Disturbance,
  describeDisturbance,
  describeTrouble,
  type Trouble,
} from "./disturbance.js";
import { SimulatedMachine } from "./machine.js";
import { MachineClock } from "./machine-clock.js";
import { tellOfDeath } from "./peer-deaths.js";
import type { StateMachine } from "./router.js";
import { VirtualLan } from "./virtual-lan.js";
import type { World } from "./world.js";

/** What a network disturbance does to the links that it reaches. */
interface Impairment {
  readonly cuts: (from: SimulatedMachine, to: SimulatedMachine) => boolean;
  readonly loss: number;
  readonly moreMs: number;
  readonly detours: number;
  readonly detourMs: number;
  readonly duplicates: number;
}

const unimpaired: Impairment = {
  cuts: () => false,
  loss: 0,
  moreMs: 0,
  detours: 0,
  detourMs: 0,
  duplicates: 0,
};

/** Builds the LAN of a world, and lets happen to it what is to happen. */
export class Stage {
  readonly lan: VirtualLan;
  readonly #world: World;
  readonly #machines: SimulatedMachine[] = [];
  readonly #impairments = new Set<Impairment>();
  /** Machines of which a disturbance owns the process now; another one passes them by. */
  readonly #busy = new Set<SimulatedMachine>();
  /** What the next process of the machine is started with. */
  readonly #configs: (readonly VrrpInstanceConfig[])[];
  readonly #cablesPulled = new Map<SimulatedMachine, number>();
  applied = 0;

  constructor(world: World, stateMachine?: StateMachine) {
    this.#world = world;
    this.lan = new VirtualLan(world.seed);
    this.#configs = world.machines.map(({ configs }) => configs);
    const { bounds } = world;
    this.lan.usualMs = bounds.delayMs;
    const { random } = this.lan;
    for (const plan of world.machines) {
      const clock = new MachineClock(plan.clockRate, plan.clockStartMs);
      const options = stateMachine === undefined ? { clock } : { clock, stateMachine };
      const machine = new SimulatedMachine(this.lan, plan.address, plan.configs, options);
      machine.timerLatenessMs = () => 0.001 + random.next() * (bounds.lateMs - 0.001);
      machine.kernelMs = () => random.next() * bounds.kernelMs;
      machine.leaseSlackMs = random.next() * bounds.leaseSlackMs;
      machine.running = false;
      this.#machines.push(machine);
    }
    this.#setLinks();
  }

  /** Puts everything on the LAN's agenda. */
  begin(): void {
    this.#world.machines.forEach(({ startMs }, index) => {
      const machine = this.#machines[index];
      this.lan.at(startMs, () => {
        this.#change("started", machine, () => machine.restart());
      });
    });
    for (const disturbance of this.#world.disturbances) {
      this.lan.at(disturbance.atMs, () => this.#apply(disturbance));
    }
  }

  #apply(disturbance: Disturbance): void {
    const { what, forMs } = disturbance;
    const begin = this.#prepare(what);
    if (begin === null) {
      return;
    }
    this.applied++;
    let end: () => void = () => {};
    this.#tell(
      () => describeDisturbance(disturbance),
      () => {
        end = begin();
      },
    );
    if (forMs > 0) {
      this.lan.after(forMs, () => this.#tell(() => `${describeTrouble(what)}: over`, end));
    }
  }

  /** How to begin it, which gives how to end it; null: it does not apply now. */
  #prepare(what: Trouble): (() => () => void) | null {
    switch (what.kind) {
      case "cut":
      case "split":
      case "loss":
      case "delay":
      case "detours":
      case "duplicates":
        return () => this.#impair(what);
      case "cable":
        return () => this.#pullCable(this.#machines[what.machine]);
      case "drift":
        return () => this.#setClock(this.#machines[what.machine]);
      case "take":
        return () => {
          this.#machines[what.machine].loseAddresses();
          return () => {};
        };
      case "upgrade":
        return this.#prepareUpgrade(this.#machines[what.machine], what.succeeds);
      case "drain": {
        const machine = this.#machines[what.machine];
        return machine.awake && !this.#busy.has(machine) ? () => this.#drain(machine) : null;
      }
      case "unfit":
      case "weight":
      case "refuse":
        return () => this.#setFact(this.#machines[what.machine], what);
      default:
        return this.#prepareProcess(what, this.#machines[what.machine]);
    }
  }

  #prepareProcess(
    what: Extract<
      Trouble,
      { kind: "crash" | "power" | "freeze" | "pause" | "stop" | "quit" | "reconfigure" }
    >,
    machine: SimulatedMachine,
  ): (() => () => void) | null {
    if (what.kind === "reconfigure") {
      this.#reconfigure(what.machine, what.change);
    }
    if (this.#busy.has(machine) || !machine.awake) {
      return null;
    }
    return () => {
      this.#busy.add(machine);
      const end = this.#disturbProcess(what, machine);
      return () => {
        this.#busy.delete(machine);
        end();
      };
    };
  }

  #prepareUpgrade(machine: SimulatedMachine, succeeds: boolean): (() => () => void) | null {
    if (this.#busy.has(machine) || !machine.awake || machine.cannotBeFollowed) {
      return null;
    }
    return () => {
      this.#busy.add(machine);
      machine.standStill(stillstandLimitMs(machine.routers.map(({ config }) => config)) + comeBackMs);
      return () => {
        this.#busy.delete(machine);
        if (succeeds) {
          machine.follow();
        } else {
          machine.comeBack();
        }
      };
    };
  }

  /** Whoever drains again begins anew; the process that was drained may be gone when it ends. */
  #drain(machine: SimulatedMachine): () => void {
    machine.setDrained(true);
    return () => machine.setDrained(false);
  }

  #disturbProcess(what: Trouble, machine: SimulatedMachine): () => void {
    const restart = () => machine.restart(this.#configs[machine.index]);
    switch (what.kind) {
      case "crash":
        machine.crash();
        if (this.#world.peerLink) {
          tellOfDeath(this.lan, machine);
        }
        return restart;
      case "power":
        machine.powerOff();
        return restart;
      case "freeze":
        machine.freeze();
        return () => machine.thaw(what.wake);
      case "pause":
        machine.pause(what.clockStops);
        return () => machine.goOn(what.wake);
      case "quit":
        machine.inputAll({ kind: "stop", reason: "stopped" });
        this.#exitWhenDone(machine);
        return restart;
      default:
        machine.inputAll({ kind: "hand-over", assisted: false });
        this.#exitWhenDone(machine);
        return () => {
          if (machine.running) {
            machine.inputAll({ kind: "stop", reason: "stopped" });
          }
          this.#exit(machine);
          restart();
        };
    }
  }

  /** A process ends when all its addresses are given up and the kernel has removed them. */
  #exitWhenDone(machine: SimulatedMachine): void {
    const look = () => {
      if (!this.#busy.has(machine) || !machine.running) {
        return;
      }
      if (machine.routers.every(({ handedOver, lease }) => handedOver && !lease.held)) {
        this.#change("exit", machine, () => this.#exit(machine));
      } else {
        this.lan.after(5, look);
      }
    };
    this.lan.after(0, look);
  }

  #exit(machine: SimulatedMachine): void {
    machine.crash();
    for (const router of machine.routers) {
      router.lose("exit");
    }
  }

  #reconfigure(index: number, change: ConfigChange): void {
    const { password, ...others } = change;
    this.#configs[index] = this.#configs[index].map((config) => ({
      ...config,
      ...others,
      ...(password === undefined ? {} : { authentication: { type: "pass" as const, password } }),
    }));
  }

  #pullCable(machine: SimulatedMachine): () => void {
    const pulled = (by: number) => {
      const times = (this.#cablesPulled.get(machine) ?? 0) + by;
      this.#cablesPulled.set(machine, times);
      return times;
    };
    if (pulled(1) === 1) {
      machine.pullCable();
    }
    return () => {
      if (pulled(-1) === 0) {
        machine.plugCable();
      }
    };
  }

  #setClock(machine: SimulatedMachine): () => void {
    const { drift } = this.#world.bounds;
    const set = () => {
      if (!machine.paused) {
        machine.clock.setRate(1 + this.lan.random.between(-drift, drift), this.lan.nowMs);
        machine.retime();
      }
    };
    set();
    return set;
  }

  #setFact(
    machine: SimulatedMachine,
    what: Extract<Trouble, { kind: "unfit" | "weight" | "refuse" }>,
  ): () => void {
    switch (what.kind) {
      case "unfit":
        machine.setFitness("cannot serve");
        return () => machine.setFitness(null);
      case "weight":
        machine.setWeight(what.weight);
        return () => machine.setWeight(0);
      case "refuse":
        machine.kernelRefuses = true;
        return () => {
          machine.kernelRefuses = false;
        };
    }
  }

  #impair(
    what: Extract<Trouble, { kind: "cut" | "split" | "loss" | "delay" | "detours" | "duplicates" }>,
  ): () => void {
    const impairment = this.#impairment(what);
    this.#impairments.add(impairment);
    this.#setLinks();
    return () => {
      this.#impairments.delete(impairment);
      this.#setLinks();
    };
  }

  #impairment(
    what: Extract<Trouble, { kind: "cut" | "split" | "loss" | "delay" | "detours" | "duplicates" }>,
  ): Impairment {
    switch (what.kind) {
      case "cut":
        return { ...unimpaired, cuts: (from, to) => from.index === what.from && to.index === what.to };
      case "split": {
        const inside = (machine: SimulatedMachine) => what.group.includes(machine.index);
        return { ...unimpaired, cuts: (from, to) => inside(from) !== inside(to) };
      }
      case "loss":
        return { ...unimpaired, loss: what.share };
      case "delay":
        return { ...unimpaired, moreMs: what.moreMs };
      case "detours":
        return { ...unimpaired, detours: what.share, detourMs: what.upToMs };
      case "duplicates":
        return { ...unimpaired, duplicates: what.share };
    }
  }

  #setLinks(): void {
    const { latencyMs, jitterMs } = this.#world;
    const all = [...this.#impairments];
    for (const { from, to, link } of this.lan.links) {
      link.cuts = all.filter(({ cuts }) => cuts(from, to)).length;
      link.latencyMs = all.reduce((sum, { moreMs }) => sum + moreMs, latencyMs);
      link.jitterMs = jitterMs;
      link.loss = Math.max(0, ...all.map(({ loss }) => loss));
      link.detours = Math.max(0, ...all.map(({ detours }) => detours));
      link.detourMs = Math.max(0, ...all.map(({ detourMs }) => detourMs));
      link.duplicates = Math.max(0, ...all.map(({ duplicates }) => duplicates));
    }
  }

  #change(what: string, machine: SimulatedMachine, act: () => void): void {
    this.#tell(() => `${String.fromCharCode(97 + machine.index)}: ${what}`, act);
  }

  /** The world is judged as it was until now, and then as it is. */
  #tell(what: () => string, act: () => void): void {
    this.lan.disturbed(what);
    this.lan.worldChanged();
    act();
    this.lan.worldChanged();
  }
}
