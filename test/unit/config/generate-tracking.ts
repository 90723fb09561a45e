import fc from "fast-check";
import type { Config, VrrpInstanceConfig } from "../../../src/config/config.js";
import type {
  NotifyConfig,
  NotifyScript,
  TrackConfig,
  TrackedItem,
  TrackedThings,
  UserConfig,
} from "../../../src/config/tracking-config.js";

const name = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,8}$/);
const ms = fc.integer({ min: 20, max: 100_000 });
/** With blanks, quotes and backslashes in them. */
const word = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" });
const command = fc.array(word, { minLength: 1, maxLength: 3 });
const user: fc.Arbitrary<UserConfig | null> = fc.constantFrom(
  null,
  { user: "nobody", group: null },
  { user: "www-data", group: "adm" },
);
const script: fc.Arbitrary<NotifyScript | null> = fc.option(fc.record({ script: command, user }));

const notify: fc.Arbitrary<NotifyConfig> = fc.record({
  master: script,
  backup: script,
  fault: script,
  stop: script,
  any: script,
  priorityChanges: fc.boolean(),
  smtpAlert: fc.boolean(),
});

const things: fc.Arbitrary<TrackedThings> = fc.record({
  scripts: fc.uniqueArray(
    fc.record({
      name,
      script: command,
      intervalMs: ms,
      timeoutMs: ms,
      rise: fc.integer({ min: 1, max: 1000 }),
      fall: fc.integer({ min: 1, max: 1000 }),
      initFail: fc.boolean(),
      user,
    }),
    { maxLength: 2, selector: (item) => item.name },
  ),
  files: fc.uniqueArray(
    fc.record({
      name,
      file: fc.constantFrom("/run/lb/offset", "/a b/c"),
      init: fc.option(fc.record({ value: fc.integer({ min: -999, max: 999 }), overwrite: fc.boolean() })),
    }),
    { maxLength: 2, selector: (item) => item.name },
  ),
  processes: fc.uniqueArray(
    fc.record({
      name,
      process: command,
      fullCommand: fc.boolean(),
      quorum: fc.integer({ min: 1, max: 65_535 }),
      forkDelayMs: ms,
      terminateDelayMs: ms,
    }),
    { maxLength: 2, selector: (item) => item.name },
  ),
});

function items(names: readonly string[], most: number): fc.Arbitrary<TrackedItem[]> {
  const weight = fc.integer({ min: -most, max: most });
  return fc
    .tuple(...names.map((item) => fc.record({ name: fc.constant(item), weight, reverse: fc.boolean() })))
    .chain((all) => fc.subarray(all));
}

function track(declared: TrackedThings): fc.Arbitrary<TrackConfig> {
  const names = (list: readonly { readonly name: string }[]) => list.map((item) => item.name);
  return fc.record({
    interfaces: items(["eth7", "bond0.7"], 253),
    scripts: items(names(declared.scripts), 253),
    files: items(names(declared.files), 2_147_483_647),
    processes: items(names(declared.processes), 254),
  });
}

export type TrackingParts = Pick<Config, "vrrp" | "syncGroups" | "tracking" | "fitness" | "alerts">;

/** Lays tracking, groups, notify and mail over instances that have none. */
export function withTracking(instances: readonly VrrpInstanceConfig[]): fc.Arbitrary<TrackingParts> {
  const weight = fc.constantFrom(-1, -253, "fault" as const, null);
  return things.chain((tracking) =>
    fc.record({
      tracking: fc.constant(tracking),
      vrrp: fc
        .array(
          fc.record({
            track: track(tracking),
            notify,
            partnerPriority: fc.option(fc.integer({ min: 1, max: 254 })),
          }),
          { minLength: instances.length, maxLength: instances.length },
        )
        .map((extras) => instances.map((instance, i) => ({ ...instance, ...extras[i] }))),
      syncGroups: fc
        .array(fc.record({ name: fc.constant("VG"), track: track(tracking), notify }), {
          maxLength: instances.length > 1 ? 1 : 0,
        })
        .map((groups) => groups.map((group) => ({ ...group, members: instances.map((one) => one.name) }))),
      fitness: fc.record({
        threads: weight,
        listeners: weight,
        servers: fc.constantFrom(-50, null),
        control: weight,
      }),
      alerts: fc.record({
        fifo: fc.option(fc.record({ path: fc.constant("/run/lb/fifo"), script })),
        mail: fc.option(
          fc.record({
            to: fc.array(fc.constantFrom("ops@example.org", "Ops <ops@[fd00::1]>"), {
              minLength: 1,
              maxLength: 2,
            }),
            from: fc.constant("lb@example.org"),
            host: fc.constantFrom("127.0.0.1", "fd00::25", "mail.example.org"),
            port: fc.integer({ min: 1, max: 65_535 }),
            heloName: fc.constantFrom(null, "lb.example.org"),
            connectTimeoutMs: fc.integer({ min: 100, max: 60_000 }),
            credentials: fc.option(fc.record({ user: word, password: word })),
            tls: fc.constantFrom("auto", "off", "starttls", "implicit"),
            routerId: word,
          }),
        ),
        scriptTimeoutMs: fc.integer({ min: 100, max: 60_000 }),
      }),
    }),
  );
}
