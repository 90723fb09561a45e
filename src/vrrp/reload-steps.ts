import { changedPaths } from "../config/changes.js";
import { familyOf, type VrrpInstanceConfig } from "../config/config.js";
import type { SyncGroupConfig } from "../config/tracking-config.js";

/** Every virtual router of a node, and which of them go together. */
export interface VrrpSetup {
  readonly instances: readonly VrrpInstanceConfig[];
  readonly groups: readonly SyncGroupConfig[];
}

/** One thing that a reload does to the running routers. */
export type ReloadStep =
  /** Priority 0 if it is master; its addresses go. */
  | { readonly kind: "remove"; readonly instance: string }
  /** In place: it keeps its state, its timers, and the addresses that stay. `values` are the paths of what changed. */
  | { readonly kind: "change"; readonly config: VrrpInstanceConfig; readonly values: readonly string[] }
  /** It begins as after a start. */
  | { readonly kind: "add"; readonly config: VrrpInstanceConfig }
  | { readonly kind: "regroup"; readonly groups: readonly SyncGroupConfig[] };

/**
 * What leads from one setup to the other, in this order. Pure.
 *
 * An instance is the same as long as its name, interface, macvlan and what goes over it, virtual router id, version and family are: what
 * differs is changed in place. With another of those it is another virtual router, so the old one goes and the new one
 * begins. What goes leaves before anything comes, so that no two share a router id or an address on the way; it
 * leaves its group before that, and comes into one last, so that the others of the group do not fall with it.
 */
export function vrrpReloadSteps(before: VrrpSetup, after: VrrpSetup): ReloadStep[] {
  const old = byName(before.instances);
  const staying = new Set(
    after.instances.filter((config) => isSameRouter(old.get(config.name), config)).map(({ name }) => name),
  );
  const gone = before.instances.filter(({ name }) => !staying.has(name));
  const changed = after.instances.flatMap((config): Extract<ReloadStep, { kind: "change" }>[] => {
    const present = old.get(config.name);
    if (present === undefined || !staying.has(config.name)) return [];
    const values = changedPaths(present, config);
    return values.length === 0 ? [] : [{ kind: "change", config, values }];
  });
  const narrowed = gone.length === 0 ? before.groups : narrow(before.groups, staying);
  const gives = ({ config }: { readonly config: VrrpInstanceConfig }): boolean =>
    addressesOf(old.get(config.name)).some((address) => !addressesOf(config).includes(address));
  return [
    ...regroup(before.groups, narrowed),
    ...gone.map(({ name }): ReloadStep => ({ kind: "remove", instance: name })),
    // Who gives an address away first, so that another one may have it.
    ...changed.filter(gives),
    ...changed.filter((step) => !gives(step)),
    ...after.instances
      .filter(({ name }) => !staying.has(name))
      .map((config): ReloadStep => ({ kind: "add", config })),
    ...regroup(narrowed, after.groups),
  ];
}

/** The setup after a step. */
export function applyStep(setup: VrrpSetup, step: ReloadStep): VrrpSetup {
  const { instances, groups } = setup;
  switch (step.kind) {
    case "remove":
      return { instances: instances.filter(({ name }) => name !== step.instance), groups };
    case "change": {
      const { config } = step;
      return { instances: instances.map((one) => (one.name === config.name ? config : one)), groups };
    }
    case "add":
      return { instances: [...instances, step.config], groups };
    case "regroup":
      return { instances, groups: step.groups };
  }
}

/** `VI_1 changed: priority, preempt`; for the log. */
export function describeStep(step: ReloadStep): string {
  switch (step.kind) {
    case "remove":
      return `${step.instance} removed`;
    case "change":
      return `${step.config.name} changed in place: ${step.values.join(", ")}`;
    case "add":
      return `${step.config.name} added`;
    case "regroup": {
      const groups = step.groups.map(({ name, members }) => `${name} of ${members.join(", ")}`);
      return `sync groups: ${groups.join("; ") || "none"}`;
    }
  }
}

function isSameRouter(before: VrrpInstanceConfig | undefined, after: VrrpInstanceConfig): boolean {
  return (
    before !== undefined &&
    before.interface === after.interface &&
    before.vmac === after.vmac &&
    before.vmacXmitBase === after.vmacXmitBase &&
    before.virtualRouterId === after.virtualRouterId &&
    before.version === after.version &&
    familyOf(before) === familyOf(after)
  );
}

/** The groups without those who do not stay. */
function narrow(groups: readonly SyncGroupConfig[], staying: ReadonlySet<string>): SyncGroupConfig[] {
  return groups
    .map((group) => ({ ...group, members: group.members.filter((member) => staying.has(member)) }))
    .filter(({ members }) => members.length > 0);
}

function regroup(before: readonly SyncGroupConfig[], after: readonly SyncGroupConfig[]): ReloadStep[] {
  return changedPaths(before, after).length === 0 ? [] : [{ kind: "regroup", groups: after }];
}

function addressesOf(config: VrrpInstanceConfig | undefined): string[] {
  if (config === undefined) return [];
  return [...config.addresses, ...config.excludedAddresses].map(({ address }) => address);
}

function byName(instances: readonly VrrpInstanceConfig[]): ReadonlyMap<string, VrrpInstanceConfig> {
  return new Map(instances.map((config) => [config.name, config]));
}
