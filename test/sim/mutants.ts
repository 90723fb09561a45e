import { compareIpLiterals } from "../../src/netlink/ip-literal.js";
import { handle, type Step } from "../../src/vrrp/instance.js";
import type { InstanceEffect, InstanceInput, InstanceState } from "../../src/vrrp/instance-state.js";
import type { StateMachine } from "./router.js";

/** A state machine with one thing wrong: what a mistake in the real one would do. */
export interface Mutant {
  readonly name: string;
  readonly stateMachine: StateMachine;
  /** The laws that may catch it. */
  readonly caughtBy: readonly string[];
}

type Advert = Extract<InstanceInput, { kind: "advert" }>;

/** Other adverts than those that came. Null: none. */
function hearing(change: (state: InstanceState, advert: Advert) => Advert | null): StateMachine {
  return (state, input, nowMs) => {
    if (input.kind !== "advert") {
      return handle(state, input, nowMs);
    }
    const heard = change(state, input);
    return heard === null ? { state, effects: [] } : handle(state, heard, nowMs);
  };
}

/** Other effects than those that were asked for. */
function doing(
  change: (effect: InstanceEffect, before: InstanceState, input: InstanceInput, step: Step) => boolean,
): StateMachine {
  return (state, input, nowMs) => {
    const step = handle(state, input, nowMs);
    return { ...step, effects: step.effects.filter((effect) => change(effect, state, input, step)) };
  };
}

/** Another state than the one that came out. */
function becoming(change: (step: Step, before: InstanceState, nowMs: number) => InstanceState): StateMachine {
  return (state, input, nowMs) => {
    const step = handle(state, input, nowMs);
    return { ...step, state: change(step, state, nowMs) };
  };
}

function hasEqualRank(state: InstanceState, advert: Advert): boolean {
  return state.name === "MASTER" && advert.priority === state.priority && state.ownAddress !== null;
}

export const mutants: readonly Mutant[] = [
  {
    name: "a backup that lets any advert put it off, a lower priority's too",
    stateMachine: hearing((state, advert) =>
      state.name === "BACKUP" && advert.priority > 0 && advert.priority < state.priority
        ? { ...advert, priority: state.priority }
        : advert,
    ),
    caughtBy: ["late takeover", "wrong master"],
  },
  {
    name: "a backup that nothing but a higher priority puts off",
    stateMachine: hearing((state, advert) =>
      state.name === "BACKUP" && advert.priority === state.priority ? null : advert,
    ),
    caughtBy: ["early takeover", "flapping"],
  },
  {
    name: "a master that never yields to a higher priority",
    stateMachine: hearing((state, advert) =>
      state.name === "MASTER" && advert.priority > state.priority ? null : advert,
    ),
    caughtBy: ["step down", "two masters"],
  },
  {
    name: "a tie-break that is the wrong way round",
    stateMachine: hearing((state, advert) => {
      if (!hasEqualRank(state, advert)) {
        return advert;
      }
      return compareIpLiterals(advert.source, state.ownAddress ?? "") > 0
        ? { ...advert, priority: advert.priority - 1 }
        : { ...advert, priority: advert.priority + 1 };
    }),
    caughtBy: ["step down", "two masters", "no master"],
  },
  {
    name: "no tie-break at all",
    stateMachine: hearing((state, advert) => (hasEqualRank(state, advert) ? null : advert)),
    caughtBy: ["step down", "two masters"],
  },
  {
    name: "a backup to which priority 0 means nothing",
    stateMachine: hearing((state, advert) =>
      state.name === "BACKUP" && advert.priority === 0 ? null : advert,
    ),
    caughtBy: ["late takeover", "gap"],
  },
  {
    name: "a nopreempt backup that preempts",
    stateMachine: (state, input, nowMs) => {
      const preempting = { ...state, config: { ...state.config, preempt: true } };
      const step = handle(preempting, input, nowMs);
      return { ...step, state: { ...step.state, config: state.config } };
    },
    caughtBy: ["early takeover", "slept through"],
  },
  {
    name: "a master that forgets to refresh its lease",
    stateMachine: doing(
      (effect, before, input) =>
        effect.kind !== "put-addresses" || before.name !== "MASTER" || input.kind !== "timer",
    ),
    caughtBy: ["lease ran out", "master without address"],
  },
  {
    name: "addresses that stay when the master steps down",
    stateMachine: doing(
      (effect, before, input) =>
        effect.kind !== "remove-addresses" || before.name !== "MASTER" || input.kind !== "advert",
    ),
    caughtBy: ["held by no master"],
  },
  {
    name: "addresses that stay when the node stops",
    stateMachine: doing(
      (effect, _before, _input, step) => effect.kind !== "remove-addresses" || step.state.name !== "INIT",
    ),
    caughtBy: ["held by no master"],
  },
  {
    name: "a start that leaves what a dead process has left",
    stateMachine: doing((effect, before) => effect.kind !== "remove-addresses" || before.name !== "INIT"),
    caughtBy: ["held by no master"],
  },
  {
    name: "a leave without priority 0",
    stateMachine: doing((effect) => effect.kind !== "send-advert" || effect.priority > 0),
    caughtBy: ["silent leave", "gap"],
  },
  {
    name: "a hand-over that lets go at once",
    stateMachine: (state, input, nowMs) =>
      handle(state, input.kind === "hand-over" ? { kind: "stop", reason: "stopped" } : input, nowMs),
    caughtBy: ["gap"],
  },
  {
    name: "a hand-over that never ends",
    stateMachine: becoming(({ state }) => {
      const { release, ...timers } = state.timers;
      return release === undefined ? state : { ...state, timers };
    }),
    caughtBy: ["endless hand-over"],
  },
  {
    name: "a master that is sure of itself after a stall",
    stateMachine: (state, input, nowMs) => {
      const { advert } = state.timers;
      const timers =
        advert === undefined ? state.timers : { ...state.timers, advert: Math.max(advert, nowMs) };
      return handle({ ...state, timers, inDoubt: false }, input, nowMs);
    },
    caughtBy: ["asserted unread", "slept through"],
  },
  {
    name: "a backup that takes over one interval too early",
    stateMachine: becoming(({ state }, before) => {
      const { masterDown } = state.timers;
      const isNew = masterDown !== undefined && masterDown !== before.timers.masterDown;
      const early = state.config.advertIntervalCs * 10;
      return isNew ? { ...state, timers: { ...state.timers, masterDown: masterDown - early } } : state;
    }),
    caughtBy: ["early takeover"],
  },
  {
    name: "a master that forgets its adverts once it has sent one",
    stateMachine: becoming((step, before) => {
      const { advert, ...timers } = step.state.timers;
      const isSecond = before.name === "MASTER" && step.state.name === "MASTER" && advert !== undefined;
      return isSecond && step.effects.some(({ kind }) => kind === "send-advert")
        ? { ...step.state, timers }
        : step.state;
    }),
    caughtBy: ["two masters", "several masters", "flapping", "slept through"],
  },
  {
    name: "a master that announces nothing when it takes over",
    stateMachine: doing((effect, before) => effect.kind !== "announce" || before.name === "MASTER"),
    caughtBy: ["not announced"],
  },
  {
    name: "a master that does not announce slowly for ever",
    stateMachine: becoming(({ state }) => {
      const { announceSlowly: _never, ...timers } = state.timers;
      return { ...state, timers };
    }),
    caughtBy: ["stale clients"],
  },
  {
    name: "an address that somebody removed and nobody puts back",
    stateMachine: (state, input, nowMs) =>
      input.kind === "addresses-lost" ? { state, effects: [] } : handle(state, input, nowMs),
    caughtBy: ["master without address"],
  },
  {
    name: "a backup that takes anybody's death for the master's",
    stateMachine: (state, input, nowMs) => {
      const [last] = state.partners;
      return handle(
        state,
        input.kind === "peer-dead" && last !== undefined ? { ...input, address: last.address } : input,
        nowMs,
      );
    },
    caughtBy: ["early takeover"],
  },
  {
    name: "a backup to which the master's death means nothing",
    stateMachine: (state, input, nowMs) =>
      input.kind === "peer-dead" ? { state, effects: [] } : handle(state, input, nowMs),
    caughtBy: ["late takeover"],
  },
  {
    name: "a drained node that keeps its priority",
    stateMachine: becoming(({ state }, before) =>
      state.drainedFrom !== null && before.drainedFrom === null
        ? { ...state, priority: before.priority }
        : state,
    ),
    caughtBy: ["wrong priority"],
  },
  {
    name: "a drained master that stays master until somebody preempts it",
    stateMachine: (state, input, nowMs) => {
      if (input.kind !== "drain" || state.name !== "MASTER" || state.drainedFrom !== null) {
        return handle(state, input, nowMs);
      }
      const { priority: from } = state;
      return {
        state: { ...state, drainedFrom: from, priority: 1 },
        effects: [{ kind: "priority-changed", from, to: 1, reason: "drained" }],
      };
    },
    caughtBy: ["not followed"],
  },
  {
    name: "a process that begins anew where it should go on",
    stateMachine: (state, input, nowMs) =>
      handle(state, input.kind === "resume" ? { kind: "start" } : input, nowMs),
    caughtBy: ["upgrade noticed", "wrong priority"],
  },
  {
    name: "a process that forgets that it is drained when it goes on",
    stateMachine: (state, input, nowMs) =>
      handle(
        state,
        input.kind === "resume" ? { ...input, from: { ...input.from, isDrained: false } } : input,
        nowMs,
      ),
    caughtBy: ["upgrade noticed", "wrong priority"],
  },
  {
    name: "a backup that goes on with the wait of the process before",
    stateMachine: (state, input, nowMs) => {
      const step = handle(state, input, nowMs);
      return input.kind === "resume" && step.state.name === "BACKUP"
        ? { ...step, state: { ...step.state, timers: { ...step.state.timers, masterDown: nowMs } } }
        : step;
    },
    caughtBy: ["early takeover", "upgrade noticed"],
  },
  {
    name: "a VRRPv3 backup that keeps its own interval",
    stateMachine: hearing((_state, { advertIntervalMs: _theirs, ...advert }) => advert),
    caughtBy: ["early takeover", "late takeover"],
  },
  {
    name: "tracking that changes nothing",
    stateMachine: (state, input, nowMs) =>
      input.kind === "priority" ? { state, effects: [] } : handle(state, input, nowMs),
    caughtBy: ["wrong priority"],
  },
  {
    name: "a fault that nothing ends",
    stateMachine: (state, input, nowMs) =>
      input.kind === "fault-cleared" && input.cause === "link"
        ? { state, effects: [] }
        : handle(state, input, nowMs),
    caughtBy: ["stuck"],
  },
];
