import { parseInterface } from "./address.js";
import { familyOf, type VrrpInstanceConfig } from "./config.js";
import type { Context } from "./context.js";
import { defaultGratuitousArp, defaultLeaseMs, defaultPriority } from "./defaults.js";
import { type NotifyDefaults, readNotify } from "./notify-section.js";
import type { Path } from "./source.js";
import { type Declared, readTrack } from "./tracking-section.js";
import { readAddresses, readExtras, readUnicast } from "./vrrp-addresses.js";
import type { VrrpShape } from "./vrrp-schema.js";

/** Reads `vrrp:`, every instance by name. */
export function readVrrp(
  section: Readonly<Record<string, VrrpShape>> | undefined,
  declared: Declared,
  notifyDefaults: NotifyDefaults,
  context: Context,
): VrrpInstanceConfig[] {
  const instances = context
    .members(["vrrp"], section)
    .map(([name, shape]) => readInstance(name, shape, declared, notifyDefaults, context));
  reportClashes(instances, context);
  return instances;
}

function readInstance(
  name: string,
  shape: VrrpShape,
  declared: Declared,
  notifyDefaults: NotifyDefaults,
  context: Context,
): VrrpInstanceConfig {
  const path = ["vrrp", name];
  if (shape.interface === undefined) {
    context.missing(
      [...path, "interface"],
      `${name} has no interface`,
      "add the interface's name, such as interface: eth1",
    );
  } else {
    context.take([...path, "interface"], parseInterface(shape.interface), "");
  }
  if (shape.virtual_router_id === undefined) {
    context.missing(
      [...path, "virtual_router_id"],
      `${name} has no virtual_router_id`,
      "add virtual_router_id: with a number from 1 to 255, the same on both nodes",
    );
  }
  const addresses = readAddresses([...path, "virtual_ipaddress"], name, shape.virtual_ipaddress, context);
  const family = familyOf({ addresses });
  const version = readVersion([...path, "version"], shape.version, family, context);
  const advertIntervalCs = readAdvertInterval([...path, "advert_int"], shape.advert_int, version, context);
  const instance: VrrpInstanceConfig = {
    name,
    interface: shape.interface ?? "",
    virtualRouterId: shape.virtual_router_id ?? 0,
    priority: shape.priority ?? defaultPriority,
    preempt: shape.preempt ?? true,
    version,
    advertIntervalCs,
    v3ChecksumAsV2: shape.v3_checksum_as_v2 ?? false,
    authentication: readAuthentication([...path, "authentication"], shape.authentication, version, context),
    ...readUnicast(path, shape, family, context),
    addresses,
    ...readExtras(path, name, shape, addresses, context),
    preemptDelayMs: context.duration([...path, "preempt_delay"], shape.preempt_delay, "s", 0, 0),
    startupDelayMs: context.duration([...path, "startup_delay"], shape.startup_delay, "s", 0, 0),
    accept: shape.accept ?? true,
    leaseMs: context.duration([...path, "lease"], shape.lease, "s", defaultLeaseMs(advertIntervalCs), 1000),
    gratuitousArp: {
      repeat: shape.garp_master_repeat ?? defaultGratuitousArp.repeat,
      delayMs: context.duration(
        [...path, "garp_master_delay"],
        shape.garp_master_delay,
        "s",
        defaultGratuitousArp.delayMs,
        0,
      ),
      refreshMs: context.duration(
        [...path, "garp_master_refresh"],
        shape.garp_master_refresh,
        "s",
        defaultGratuitousArp.refreshMs,
        0,
      ),
    },
    track: readTrack(path, shape, declared, context),
    notify: readNotify(path, shape, notifyDefaults, context),
    partnerPriority: shape.partner_priority ?? null,
  };
  const takeOverMs = instance.advertIntervalCs * 30;
  if (shape.lease !== undefined && instance.leaseMs > takeOverMs) {
    context.warning(
      [...path, "lease"],
      `lease ${shape.lease} is longer than the ${takeOverMs / 1000} s after which the partner takes over`,
      "choose a shorter one, or a killed node still holds the address when the partner has it",
    );
  }
  return instance;
}

/** VRRPv2 knows IPv4 alone. */
function readVersion(path: Path, version: number | undefined, family: 4 | 6, context: Context): 2 | 3 {
  if (version === 2 && family === 6) {
    context.problem(path, "VRRP version 2 does not carry IPv6 addresses", "leave version out, or write 3");
  }
  return version === 3 || family === 6 ? 3 : 2;
}

/** RFC 3768 §5.3.7: VRRPv2 counts whole seconds in one byte. RFC 9568 §5.2.7: VRRPv3 counts cs in twelve bits. */
function readAdvertInterval(
  path: Path,
  value: string | number | undefined,
  version: 2 | 3,
  context: Context,
): number {
  const ms = context.duration(path, value, "s", 1000, 1);
  const stepMs = version === 2 ? 1000 : 10;
  const longestMs = version === 2 ? 255_000 : 40_950;
  if (ms % stepMs !== 0) {
    context.problem(
      path,
      `advert_int ${value} is not a whole number of ${version === 2 ? "seconds" : "hundredths of a second"}`,
      version === 2
        ? "VRRP version 2 counts seconds: write 1 to 255, or version: 3 on both nodes"
        : "VRRP version 3 counts hundredths of a second: write 10ms to 40.95s",
    );
    return 100;
  }
  if (ms > longestMs) {
    context.problem(
      path,
      `advert_int ${value} is too long`,
      `VRRP version ${version} takes at most ${longestMs / 1000} seconds`,
    );
    return 100;
  }
  return ms / 10;
}

function readAuthentication(
  path: Path,
  shape: VrrpShape["authentication"],
  version: 2 | 3,
  context: Context,
): VrrpInstanceConfig["authentication"] {
  const none = { type: "none" } as const;
  if (shape === undefined) return none;
  if (version === 3 && (shape.auth_type ?? "none") !== "none") {
    context.problem(
      [...path, "auth_type"],
      "VRRP version 3 has no authentication",
      "leave authentication out, or write version: 2",
    );
    return none;
  }
  const password = context.text([...path, "auth_pass"], shape.auth_pass, "");
  const type = shape.auth_type;
  if (type !== "PASS" && type !== "AH") {
    if (shape.auth_pass !== undefined && shape.auth_type === undefined) {
      context.missing([...path, "auth_type"], "auth_pass has no auth_type", "add auth_type: PASS or AH");
    }
    return none;
  }
  if (shape.auth_pass === undefined) {
    context.missing(
      [...path, "auth_pass"],
      `auth_type ${type} needs a password`,
      "add auth_pass: with at most 8 characters",
    );
    return none;
  }
  if (/[^\x20-\x7e]/.test(password)) {
    context.problem(
      [...path, "auth_pass"],
      "auth_pass is not plain ASCII",
      "use letters, digits and signs: routers disagree on how to write others",
    );
  }
  if (password.length > 8) {
    context.warning(
      [...path, "auth_pass"],
      `auth_pass has ${password.length} characters, and VRRP carries the first 8 only`,
      "shorten it to 8 characters (keepalived cuts it in the same way)",
    );
  }
  return { type: type === "PASS" ? "pass" : "ah", password: password.slice(0, 8) };
}

/** What two instances must not share. */
function reportClashes(instances: readonly VrrpInstanceConfig[], context: Context): void {
  for (const [i, later] of instances.entries()) {
    for (const earlier of instances.slice(0, i)) {
      if (later.interface !== earlier.interface) continue;
      const sameFamily = familyOf(later) === familyOf(earlier);
      if (sameFamily && later.virtualRouterId !== 0 && later.virtualRouterId === earlier.virtualRouterId) {
        context.problem(
          ["vrrp", later.name, "virtual_router_id"],
          `${earlier.name} has virtual_router_id ${later.virtualRouterId} on ${later.interface} too`,
          "give each instance of an interface its own number",
        );
      }
      for (const { address } of later.addresses) {
        if (!earlier.addresses.some((other) => other.address === address)) continue;
        context.problem(
          ["vrrp", later.name, "virtual_ipaddress"],
          `${earlier.name} has ${address} too`,
          "give each address to one instance",
        );
      }
    }
  }
}
