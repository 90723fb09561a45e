import fc from "fast-check";
import t from "tap";
import { SimulatedLan, type SimulatedNode } from "./simulated-lan.js";

type Event =
  | {
      kind: "crash" | "restart" | "freeze" | "thaw" | "pull" | "plug" | "lose" | "unfit" | "fit";
      node: number;
    }
  | { kind: "partition"; node: number }
  | { kind: "heal" }
  | { kind: "loss"; loss: number };

const anyNode = fc.nat({ max: 2 });
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      "crash" as const,
      "restart" as const,
      "freeze" as const,
      "thaw" as const,
      "pull" as const,
      "plug" as const,
      "lose" as const,
      "unfit" as const,
      "fit" as const,
    ),
    node: anyNode,
  }),
  fc.record({ kind: fc.constant("partition" as const), node: anyNode }),
  fc.constant({ kind: "heal" as const }),
  fc.record({ kind: fc.constant("loss" as const), loss: fc.double({ min: 0, max: 0.9, noNaN: true }) }),
);
const history = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  latencyMs: fc.double({ min: 0.05, max: 20, noNaN: true }),
  preempt: fc.boolean(),
  priorities: fc.array(fc.integer({ min: 1, max: 254 }), { minLength: 3, maxLength: 3 }),
  steps: fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 6000 }), event: anyEvent }), {
    maxLength: 25,
  }),
});

function apply(lan: SimulatedLan, event: Event): void {
  switch (event.kind) {
    case "heal":
      lan.heal();
      return;
    case "loss":
      lan.loss = event.loss;
      return;
    case "partition": {
      const alone = lan.nodes[event.node];
      lan.partition(
        [alone],
        lan.nodes.filter((node) => node !== alone),
      );
      return;
    }
    default:
      applyToNode(lan.nodes[event.node], event.kind);
  }
}

function applyToNode(node: SimulatedNode, kind: string): void {
  if (kind === "restart" && !node.running) {
    node.restart();
  } else if (kind === "thaw" && node.frozen && node.running) {
    node.thaw();
  }
  if (!node.running || node.frozen) {
    return;
  }
  switch (kind) {
    case "crash":
      node.crash();
      break;
    case "freeze":
      node.freeze();
      break;
    case "pull":
      node.pullCable();
      break;
    case "plug":
      node.plugCable();
      break;
    case "lose":
      if (node.holdsAddress) {
        node.loseAddress();
      }
      break;
    case "unfit":
      node.input({ kind: "fault", cause: "fitness", reason: "unfit" });
      break;
    case "fit":
      node.input({ kind: "fault-cleared", cause: "fitness", reason: "fit" });
      break;
  }
}

t.test(
  "after any history, once all is well, exactly one node is master and alone holds the address",
  async () => {
    fc.assert(
      fc.property(history, ({ seed, latencyMs, preempt, priorities, steps }) => {
        const lan = new SimulatedLan(seed);
        lan.latencyMs = latencyMs;
        for (const [index, priority] of priorities.entries()) {
          lan.add(`192.168.33.8${index}`, { priority, preempt }).start();
        }
        lan.invariant = () => {
          for (const node of lan.nodes) {
            if (node.running && !node.frozen && node.holdsAddress && node.state.name !== "MASTER") {
              throw new Error(`${node.address} holds the address in ${node.state.name}`);
            }
          }
        };
        for (const { waitMs, event } of steps) {
          lan.run(waitMs);
          apply(lan, event);
        }
        lan.heal();
        lan.loss = 0;
        for (const [index] of lan.nodes.entries()) {
          for (const kind of ["restart", "thaw", "plug", "fit"]) {
            applyToNode(lan.nodes[index], kind);
          }
        }
        // The slowest way: a stall noticed, listening once more, an election, one advert interval.
        lan.run(10_000);
        const settledMs = lan.nowMs;
        const [master, ...others] = lan.masters();
        if (master === undefined || others.length > 0) {
          throw new Error(`${lan.masters().length} masters`);
        }
        if (lan.holders().length !== 1 || lan.holders()[0] !== master) {
          throw new Error("the holder is not the master");
        }
        if (preempt && priorities[lan.nodes.indexOf(master)] !== Math.max(...priorities)) {
          throw new Error("the best one is not the master");
        }
        lan.run(30_000);
        return !lan.happenings.some((h) => h.atMs > settledMs && / to (MASTER|BACKUP)/.test(h.what));
      }),
      { numRuns: 400 },
    );
  },
);
