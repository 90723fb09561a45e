import type { VrrpInstanceConfig } from "../config/config.js";
import { type Draft, highestPriority, lowestPriority, ownerPriority } from "./instance-draft.js";
import { onFaultCleared } from "./instance-fault.js";
import { setPriority } from "./instance-priority.js";
import { announceInFull, begin } from "./instance-roles.js";
import type { InstanceInput } from "./instance-state.js";

/* Another configuration for the same virtual router. Part of the state machine in `instance.ts`. */

type ReconfigureInput = Extract<InstanceInput, { kind: "reconfigure" }>;

/**
 * A reload in place: no state is left, and no timer starts anew that something else will not start anew soon. A backup
 * that runs with another interval than before takes it from the next advert on, for its master may not have it yet.
 */
export function onReconfigure(step: Draft, input: ReconfigureInput): void {
  const { state } = step;
  const before = state.config;
  const { config } = input;
  state.config = config;
  state.inGroup = input.inGroup;
  state.preparesTakeovers = input.preparesTakeovers;
  if (!input.inGroup) {
    state.wantsMaster = null;
    onFaultCleared(step, "sync", "it belongs to no sync group any more");
  }
  reconfigurePriority(step, before.priority, input.priority);
  const { advert } = state.timers;
  if (advert !== undefined && config.advertIntervalCs !== before.advertIntervalCs) {
    step.arm({ advert: Math.min(advert, step.now + step.advertIntervalMs) });
  }
  if (state.name === "MASTER" && !state.inDoubt) {
    reconfigureHoldings(step, before);
  }
}

/** An owner's priority is 255 and nothing else; who becomes the owner is master at once, RFC 3768 §6.4.1. */
function reconfigurePriority(step: Draft, before: number, wanted: number): void {
  const { state } = step;
  const isOwner = state.config.priority === ownerPriority;
  const to = isOwner ? ownerPriority : Math.min(Math.max(wanted, lowestPriority), highestPriority);
  if (state.drainedFrom !== null) {
    state.drainedFrom = to;
    return;
  }
  setPriority(step, to, "the configuration was reloaded");
  if (isOwner && before !== ownerPriority && state.name === "BACKUP") {
    begin(step, "the configuration was reloaded");
  }
}

/** What is new is held and announced at once; what is no longer held, the shell has been told to remove. */
function reconfigureHoldings(step: Draft, before: VrrpInstanceConfig): void {
  const { config, handingOver } = step.state;
  const held = [...before.addresses, ...before.excludedAddresses].map(({ address }) => address);
  const holds = [...config.addresses, ...config.excludedAddresses].map(({ address }) => address);
  if (config.leaseMs !== before.leaseMs) {
    step.arm({ lease: step.now + config.leaseMs / 3 });
  }
  step.effect({ kind: "put-addresses" });
  if (handingOver === null && holds.some((address) => !held.includes(address))) {
    announceInFull(step);
  }
}
