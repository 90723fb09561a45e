import { takeoverDelayMs } from "../../src/peer-link/takeover-order.js";
import type { SimulatedMachine } from "./machine.js";
import type { SimulatedRouter } from "./router.js";
import type { VirtualLan } from "./virtual-lan.js";

/**
 * A process has died (kill -9), its kernel has not: it closes the peer links and refuses others. Whoever is linked to it
 * hears of it after the way there and back; who does not run or cannot be reached does not. A machine that loses its
 * power, or stands still, tells nobody anything.
 */
export function tellOfDeath(lan: VirtualLan, dead: SimulatedMachine): void {
  const linked = lan.machines.filter((other) => other !== dead && isLinked(lan, dead, other));
  // The dead one's last word, as its partners have it: who was linked to it, and how they stood.
  const members = linked.map((machine) => ({
    address: machine.address,
    routers: machine.routers.map((router) => ({
      ...standing(router),
      state: router.state.name,
      reason: router.state.reason,
    })),
  }));
  const lastWord = { kind: "state" as const, node: dead.address, routers: [], members };
  for (const machine of linked) {
    const thereAndBackMs = 2 * lan.link(dead, machine).latencyMs;
    lan.after(thereAndBackMs, () => {
      if (machine.awake && !dead.running && isLinked(lan, dead, machine)) {
        machine.hearOfDeath(dead.address, (router) =>
          takeoverDelayMs({ ...standing(router), address: machine.address }, lastWord),
        );
      }
    });
  }
}

function isLinked(lan: VirtualLan, one: SimulatedMachine, other: SimulatedMachine): boolean {
  const isOpen = lan.link(one, other).cuts === 0 && lan.link(other, one).cuts === 0;
  return isOpen && one.cableIn && other.cableIn && other.awake;
}

function standing({ config, state }: SimulatedRouter) {
  return { virtualRouterId: config.virtualRouterId, family: 4 as const, priority: state.priority };
}
