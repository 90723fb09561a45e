import type { InstanceInput, InstanceState } from "./instance-state.js";

export interface GroupMember {
  readonly name: string;
  readonly state: InstanceState;
}

export interface GroupInput {
  readonly member: string;
  readonly input: InstanceInput;
}

export type GroupStateName = "INIT" | "BACKUP" | "MASTER" | "FAULT";

/**
 * What the members of a sync group must hear so that they fault, become master and become backup together, by
 * keepalived's rules. Pure, and by state alone: ask again after each input until nothing is left to say.
 *
 * - One member's own fault is everybody's, and is over for all when the last one is.
 * - The group becomes master when every member can. keepalived too prefers backup, so that two nodes whose priorities
 *   differ by member do not take the addresses from each other for ever.
 * - A member that is backup again takes the others with it.
 */
export function settleGroup(group: string, members: readonly GroupMember[]): GroupInput[] {
  const faults = settleFaults(group, members);
  if (faults.length > 0) return faults;
  const isOnItsWayOut = members.some(({ state }) => state.name === "INIT" || state.handingOver !== null);
  if (isOnItsWayOut || members.some(({ state }) => state.name === "FAULT")) return [];
  const backups = members.filter(({ state }) => state.name === "BACKUP");
  const quiet = backups.find(({ state }) => state.wantsMaster === null);
  if (backups.length > 0 && quiet === undefined) {
    return backups.map(({ name, state }) => ({
      member: name,
      input: { kind: "become-master", reason: `${state.wantsMaster}, and all of ${group} can` },
    }));
  }
  if (quiet === undefined) return [];
  const reason = `${quiet.name} of ${group} is backup: ${quiet.state.reason}`;
  return members
    .filter(({ state }) => state.name === "MASTER")
    .map(({ name }) => ({ member: name, input: { kind: "become-backup", reason } }));
}

/** The state of a group as notify scripts hear it; null: its members are on different ways, to or from INIT. */
export function groupState(members: readonly GroupMember[]): GroupStateName | null {
  const states = members.map(({ state }) => state.name);
  if (states.includes("INIT")) return states.every((state) => state === "INIT") ? "INIT" : null;
  if (states.includes("FAULT")) return "FAULT";
  return states.every((state) => state === "MASTER") ? "MASTER" : "BACKUP";
}

function settleFaults(group: string, members: readonly GroupMember[]): GroupInput[] {
  const faulty = members.filter(({ state }) => ownFaults(state).length > 0);
  return members.flatMap((member): GroupInput[] => {
    const { name, state } = member;
    const culprit = faulty.find((other) => other !== member);
    if (culprit === undefined) {
      // Its own faults, if any, keep it down; what the others had is over.
      if (state.faults.sync === undefined) return [];
      const reason = `every other member of ${group} is well again`;
      return [{ member: name, input: { kind: "fault-cleared", cause: "sync", reason } }];
    }
    const reason = `${culprit.name} of ${group} is in FAULT: ${ownFaults(culprit.state).join("; ")}`;
    if (state.faults.sync === reason) return [];
    return [{ member: name, input: { kind: "fault", cause: "sync", reason } }];
  });
}

function ownFaults(state: InstanceState): string[] {
  return Object.entries(state.faults).flatMap(([cause, reason]) => (cause === "sync" ? [] : [reason]));
}
