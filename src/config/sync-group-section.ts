import type { VrrpInstanceConfig } from "./config.js";
import { type Context, each } from "./context.js";
import { type NotifyDefaults, readNotify } from "./notify-section.js";
import { quote } from "./problem.js";
import { suggestion } from "./suggest.js";
import type { SyncGroupConfig } from "./tracking-config.js";
import type { SyncGroupShape } from "./tracking-schema.js";
import { type Declared, readTrack } from "./tracking-section.js";

/** Reads `vrrp_sync_group:`. */
export function readSyncGroups(
  section: Readonly<Record<string, SyncGroupShape>> | undefined,
  instances: readonly VrrpInstanceConfig[],
  declared: Declared,
  defaults: NotifyDefaults,
  context: Context,
): SyncGroupConfig[] {
  const taken = new Map<string, string>();
  return context.members(["vrrp_sync_group"], section).map(([name, shape]) => {
    const path = ["vrrp_sync_group", name];
    return {
      name,
      members: readMembers(name, shape, instances, taken, context),
      track: readTrack(path, shape, declared, context),
      notify: readNotify(path, shape, defaults, context),
    };
  });
}

function readMembers(
  group: string,
  shape: SyncGroupShape,
  instances: readonly VrrpInstanceConfig[],
  taken: Map<string, string>,
  context: Context,
): string[] {
  const path = ["vrrp_sync_group", group, "group"];
  const members: VrrpInstanceConfig[] = [];
  for (const [at, name] of each(path, shape.group)) {
    const instance = instances.find((candidate) => candidate.name === name);
    const other = taken.get(name);
    if (instance === undefined) {
      const known = instances.map((candidate) => candidate.name);
      context.problem(at, `there is no instance ${quote(name)}`, suggestion(name, known));
    } else if (other !== undefined) {
      context.problem(at, `${name} is in ${other} already`, "an instance goes with one group only");
    } else {
      taken.set(name, group);
      members.push(instance);
    }
  }
  if (each(path, shape.group).length === 0) {
    context.missing(path, `${group} has no members`, "add group: with the names of its instances");
  } else if (members.length === 1) {
    context.warning(path, `${group} has one member only`, "a group is for instances that go together");
  }
  const differing = members.find(({ priority }) => priority !== members[0].priority);
  if (differing !== undefined) {
    const text = members.map(({ name, priority }) => `${name} ${priority}`).join(", ");
    context.warning(
      path,
      `the priorities in ${group} differ: ${text}`,
      "give all of its instances the same, or neither node may be able to take all of them over",
    );
  }
  return members.map(({ name }) => name);
}
