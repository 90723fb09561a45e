import type { SyncGroupConfig } from "../config/tracking-config.js";
import type { VrrpEvent } from "./event.js";
import type { SpeakerInstance } from "./speaker-instance.js";
import type { SpeakerLog } from "./speaker-log.js";
import { type GroupMember, type GroupStateName, groupState, settleGroup } from "./sync-group.js";

/** A sync group, and the state in which others believe it. */
interface Group {
  readonly name: string;
  readonly members: readonly SpeakerInstance[];
  told: GroupStateName;
}

/** The sync groups among the instances: passes on what one member's state means for the others, and tells of the group's. */
export class SpeakerGroups {
  #groups: readonly Group[] = [];
  #isSettling = false;

  constructor(
    private readonly log: SpeakerLog,
    private readonly onEvent: (event: VrrpEvent) => void,
  ) {}

  /** The groups are these from now on; one that was there keeps the state that others believe it in. */
  set(groups: readonly SyncGroupConfig[], instances: readonly SpeakerInstance[]): void {
    this.#groups = groups.map(({ name, members }) => ({
      name,
      members: instances.filter(({ config }) => members.includes(config.name)),
      told: this.#groups.find((group) => group.name === name)?.told ?? "INIT",
    }));
  }

  /** Before the members start: keepalived tells of a group before its members then, and only then. */
  start(): void {
    for (const group of this.#groups) {
      const isFaulty = group.members.some(({ state }) => Object.keys(state.faults).length > 0);
      this.#tell(group, isFaulty ? "FAULT" : "BACKUP", "started");
    }
  }

  /** In which state others believe each group. */
  told(): { readonly name: string; readonly told: GroupStateName }[] {
    return this.#groups.map(({ name, told }) => ({ name, told }));
  }

  /** In place of `start`: others believe what another process has told them. Settles after `members` have all gone on. */
  resume(told: ReturnType<SpeakerGroups["told"]>, members: () => void): void {
    for (const group of this.#groups)
      group.told = told.find(({ name }) => name === group.name)?.told ?? group.told;
    this.#isSettling = true;
    members();
    this.#isSettling = false;
    this.settle();
  }

  /** What one member's input means for the others of its group; their inputs come back here and find it at work. */
  settle(): void {
    if (this.#isSettling) {
      return;
    }
    this.#isSettling = true;
    for (const group of this.#groups) {
      const { name, members } = group;
      let inputs = settleGroup(name, members.map(viewOf));
      while (inputs.length > 0) {
        for (const { member, input } of inputs) {
          members.find(({ config }) => config.name === member)?.input(input);
        }
        inputs = settleGroup(name, members.map(viewOf));
      }
      this.#tellOf(group);
    }
    this.#isSettling = false;
  }

  #tellOf(group: Group): void {
    const views = group.members.map(viewOf);
    const to = groupState(views);
    if (to !== null) {
      this.#tell(group, to, views.find(({ state }) => state.name === to)?.state.reason ?? to);
    }
  }

  #tell(group: Group, to: GroupStateName, reason: string): void {
    if (to === group.told) {
      return;
    }
    this.log.info(
      { event: "vrrp-group", group: group.name, from: group.told, to, reason },
      `${group.name}: ${group.told} → ${to}, ${reason}`,
    );
    group.told = to;
    this.onEvent({ kind: "group", group: group.name, to, reason });
  }
}

function viewOf({ config, state }: SpeakerInstance): GroupMember {
  return { name: config.name, state };
}
