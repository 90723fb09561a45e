import Type from "typebox";

/*
 * What the VRRP of one process leaves to the process that follows it on the same machine, as JSON. Times are ms of
 * CLOCK_MONOTONIC, which all processes share; null where nothing is armed or nothing has happened.
 */

const stateName = Type.Union([
  Type.Literal("INIT"),
  Type.Literal("BACKUP"),
  Type.Literal("MASTER"),
  Type.Literal("FAULT"),
]);
const time = Type.Union([Type.Number(), Type.Null()]);

const partner = Type.Object({
  address: Type.String(),
  priority: Type.Integer({ minimum: 0, maximum: 255 }),
  highestPriority: Type.Integer({ minimum: 0, maximum: 255 }),
  lastHeardMs: Type.Number(),
});

const instanceLegacySchema = Type.Object({
  name: Type.String(),
  /** Another one under the same name takes nothing over. */
  virtualRouterId: Type.Integer({ minimum: 1, maximum: 255 }),
  interface: Type.String(),
  state: stateName,
  reason: Type.String(),
  partners: Type.Array(partner),
  masterIntervalMs: Type.Number(),
  isDrained: Type.Boolean(),
  refusals: Type.Integer(),
  /** Why the kernel has refused the addresses, and when they are tried again. */
  addressFault: Type.Union([Type.String(), Type.Null()]),
  retryMs: time,
  startupMs: time,
  masterSinceMs: time,
  preemptFromMs: time,
  announceAgainMs: time,
  announceSlowlyMs: time,
  sinceEpochMs: Type.Number(),
  advertsSent: Type.Integer(),
  advertsReceived: Type.Integer(),
  becameMaster: Type.Integer(),
  drops: Type.Record(Type.String(), Type.Number()),
  /** Of the last datagram, and of the authentication header. */
  identification: Type.Integer(),
  sequence: Type.Integer(),
});

/** As an interface was before this program changed it, to be put back at the end. */
const interfaceSettings = Type.Object({ interface: Type.String(), arpIgnore: Type.String() });

export const vrrpLegacySchema = Type.Object({
  instances: Type.Array(instanceLegacySchema),
  /** What notify scripts have heard of each sync group last. */
  groups: Type.Array(Type.Object({ name: Type.String(), told: stateName })),
  /** An operator has drained this node. */
  isDrained: Type.Boolean(),
  /** Partners with a peer link, to be dialed at once. */
  linked: Type.Array(Type.Object({ address: Type.String(), local: Type.String(), zone: Type.String() })),
  /** An earlier version does not tell. */
  settings: Type.Optional(Type.Array(interfaceSettings)),
});

export type InstanceLegacy = Type.Static<typeof instanceLegacySchema>;
export type InterfaceSettings = Type.Static<typeof interfaceSettings>;
export type VrrpLegacy = Type.Static<typeof vrrpLegacySchema>;

/** How long VRRP may stand still before a partner misses anything: its patience is three intervals and more. */
export function stillstandLimitMs(configs: readonly { readonly advertIntervalCs: number }[]): number {
  return Math.min(2000, ...configs.map(({ advertIntervalCs }) => 2 * advertIntervalCs * 10));
}

/** The same with every time moved: from one clock to another that runs alike. */
export function shiftTimes(legacy: InstanceLegacy, byMs: number): InstanceLegacy {
  const shift = (time: number | null): number | null => (time === null ? null : time + byMs);
  return {
    ...legacy,
    partners: legacy.partners.map((one) => ({ ...one, lastHeardMs: one.lastHeardMs + byMs })),
    retryMs: shift(legacy.retryMs),
    startupMs: shift(legacy.startupMs),
    masterSinceMs: shift(legacy.masterSinceMs),
    preemptFromMs: shift(legacy.preemptFromMs),
    announceAgainMs: shift(legacy.announceAgainMs),
    announceSlowlyMs: shift(legacy.announceSlowlyMs),
  };
}
