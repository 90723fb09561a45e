import type { Config, VrrpInstanceConfig } from "./config.js";
import type { Context } from "./context.js";
import type { TrackConfig, TrackedItem } from "./tracking-config.js";

/** One tracked item, where it stands, and the instances whose priority it changes. */
interface Place {
  readonly path: readonly string[];
  readonly item: TrackedItem;
  readonly instances: readonly VrrpInstanceConfig[];
}

/**
 * Warns of weights that do nothing. The trap: a failed check lowers the priority, and the node is the better one all
 * the same. The partner's priority stands in no file but as `partner_priority`; at run time the speaker knows more.
 */
export function lintWeights(config: Config, context: Context): void {
  const places = placesOf(config).filter(({ item }) => item.weight !== 0);
  for (const { path, item, instances } of places) {
    const owner = instances.find(({ priority }) => priority === 255);
    if (owner !== undefined) {
      context.warning(
        path,
        `the weight ${item.weight} of ${item.name} changes nothing at the priority 255 of ${owner.name}`,
        "write weight 0 (down is a fault then), or lower the priority",
      );
      continue;
    }
    // A file's number is not known here.
    if (path.includes("track_file")) continue;
    const short = instances.find((instance) => !bridges(item.weight, instance));
    if (short !== undefined) {
      context.warning(
        path,
        `the weight ${item.weight} of ${item.name} cannot bridge the ${describeGap(short)}`,
        "choose a greater one, or bring the priorities closer together",
      );
    }
  }
  for (const instance of config.vrrp) {
    lintCeiling(instance, places, context);
    lintServers(config, instance, context);
  }
}

/** Whether a change of the priority by so much makes the other node the better one. */
function bridges(weight: number, { priority, partnerPriority }: VrrpInstanceConfig): boolean {
  return partnerPriority === null || Math.abs(weight) > Math.abs(priority - partnerPriority);
}

function describeGap({ priority, partnerPriority }: VrrpInstanceConfig): string {
  const gap = Math.abs(priority - (partnerPriority ?? priority));
  return `${gap} between priority ${priority} here and ${partnerPriority} at the partner`;
}

function lintCeiling(instance: VrrpInstanceConfig, places: readonly Place[], context: Context): void {
  const { name, priority } = instance;
  const raising = places.filter(
    ({ path, item, instances }) =>
      instances.includes(instance) && !path.includes("track_file") && item.weight > 0 !== item.reverse,
  );
  const highest = raising.reduce((sum, { item }) => sum + Math.abs(item.weight), priority);
  if (priority === 255 || raising.length === 0 || highest <= 254) return;
  context.warning(
    ["vrrp", name, "priority"],
    `with everything up that ${name} tracks its priority would be ${highest}, and 254 is the highest`,
    "lower the priority on both nodes, or a failed check may change nothing",
  );
}

function lintServers(config: Config, instance: VrrpInstanceConfig, context: Context): void {
  const { servers } = config.fitness;
  if (servers === null || config.proxies.length === 0 || bridges(servers, instance)) return;
  context.warning(
    ["vrrp", instance.name, "partner_priority"],
    `the ${servers} of a proxy that reaches no server cannot bridge the ${describeGap(instance)}`,
    "write a greater one as fitness: servers:, or bring the priorities closer together",
  );
}

function placesOf(config: Config): Place[] {
  const groupOf = (name: string) => config.syncGroups.find(({ members }) => members.includes(name));
  const ofInstances = config.vrrp.flatMap((instance) => {
    const group = groupOf(instance.name);
    const instances =
      group === undefined ? [instance] : config.vrrp.filter(({ name }) => group.members.includes(name));
    return itemsOf(["vrrp", instance.name], instance.track).map((place) => ({ ...place, instances }));
  });
  const ofGroups = config.syncGroups.flatMap(({ name, members, track }) => {
    const instances = config.vrrp.filter((instance) => members.includes(instance.name));
    return itemsOf(["vrrp_sync_group", name], track).map((place) => ({ ...place, instances }));
  });
  return [...ofInstances, ...ofGroups];
}

function itemsOf(path: readonly string[], track: TrackConfig): Omit<Place, "instances">[] {
  const words = {
    track_interface: track.interfaces,
    track_script: track.scripts,
    track_file: track.files,
    track_process: track.processes,
  };
  return Object.entries(words).flatMap(([word, items]) =>
    items.map((item, i) => ({ path: [...path, word, String(i)], item })),
  );
}

/** Warns of what is declared and tracked by no instance and no group. */
export function lintUntracked(config: Config, context: Context): void {
  const tracks = [...config.vrrp, ...config.syncGroups].map((holder): TrackConfig => holder.track);
  const kinds = [
    ["vrrp_script", config.tracking.scripts, tracks.flatMap(({ scripts }) => scripts)],
    ["vrrp_track_file", config.tracking.files, tracks.flatMap(({ files }) => files)],
    ["vrrp_track_process", config.tracking.processes, tracks.flatMap(({ processes }) => processes)],
  ] as const;
  for (const [section, declared, used] of kinds) {
    for (const { name } of declared) {
      if (used.some((item) => item.name === name)) continue;
      context.warning(
        [section, name],
        `nobody tracks ${name}`,
        "track it in an instance, or leave it out",
        "key",
      );
    }
  }
}
