import {
  describeEndpoint,
  parseAdminListen,
  parseInterface,
  parseListen,
  parseServerAddress,
} from "./address.js";
import { checkSocketPath } from "./admin-section.js";
import { overlaps } from "./bind-section.js";
import type {
  Config,
  ListenAddress,
  ProxyConfig,
  ServerConfig,
  VirtualAddress,
  VrrpInstanceConfig,
} from "./config.js";
import {
  defaultAdminListen,
  defaultAdminPassword,
  defaultAdminPath,
  defaultAdminUser,
  defaultPeerPort,
  demoInstance,
  demoProxy,
} from "./defaults.js";
import { checkPeerKey } from "./peer-link-section.js";
import { type Parsed, type Problem, quote } from "./problem.js";
import { suggestion } from "./suggest.js";
import { parseVirtualAddress } from "./virtual-address.js";

/** The flags of `lb run` that say something about the configuration, as the user wrote them. */
export interface Flags {
  readonly priority?: string;
  readonly interface?: string;
  readonly vrid?: string;
  readonly vip?: readonly string[];
  readonly "peer-key"?: string;
  readonly listen?: readonly string[];
  readonly backend?: readonly string[];
  readonly admin?: string;
  readonly "stats-socket"?: string;
  readonly engine?: string;
  readonly threads?: string;
  readonly "no-vrrp"?: boolean;
  readonly "no-proxy"?: boolean;
}

/** The configuration with the flags in it, or everything that is wrong with the flags. */
export type Merged =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly Problem[] };

/**
 * Lays the flags over a configuration. Pure.
 *
 * `isDemo`: `config` is the built-in demo, so its parts follow each other: with `--vip` and without `--listen` the
 * proxy listens on the new address's port 80, and the admin server goes to the interface of `--interface`.
 */
export function applyFlags(config: Config, flags: Flags, isDemo: boolean): Merged {
  const reader = new FlagReader();
  const vrrp = flags["no-vrrp"] === true ? withoutVrrp(flags, reader) : mergeVrrp(config, flags, reader);
  const proxies =
    flags["no-proxy"] === true
      ? withoutProxy(flags, reader)
      : mergeProxies(config, flags, isDemo, vrrp, reader);
  const merged: Config = {
    ...config,
    vrrp,
    peerLink: mergePeerLink(config, flags, vrrp, reader),
    proxies,
    admin: mergeAdmin(config, flags, vrrp, reader),
    statsSocket: mergeStatsSocket(config, flags, reader),
    threads: reader.number("threads", flags.threads, 1, 64) ?? config.threads,
    engine: reader.engine(flags.engine) ?? config.engine,
  };
  if (vrrp.length === 0 && proxies.length === 0 && reader.problems.length === 0) {
    reader.problem(
      "no-vrrp",
      "there is nothing left to do",
      "leave out --no-vrrp or --no-proxy, or configure the other",
    );
  }
  return reader.problems.length > 0
    ? { config: null, problems: reader.problems }
    : { config: merged, problems: [] };
}

function withoutVrrp(flags: Flags, reader: FlagReader): [] {
  for (const flag of ["priority", "vrid", "vip"] as const) {
    if (flags[flag] !== undefined)
      reader.problem(flag, "--no-vrrp leaves nothing for it to change", "leave out one of the two");
  }
  return [];
}

function mergeVrrp(config: Config, flags: Flags, reader: FlagReader): readonly VrrpInstanceConfig[] {
  const priority = reader.number("priority", flags.priority, 1, 255);
  const interfaceName = reader.one("interface", flags.interface, parseInterface);
  const virtualRouterId = reader.number("vrid", flags.vrid, 1, 255);
  const addresses = reader.all<VirtualAddress>("vip", flags.vip, parseVirtualAddress);
  if (addresses !== undefined && new Set(addresses.map(({ address }) => address)).size < addresses.length) {
    reader.problem("vip", "the same address stands twice", "keep one of them");
  }
  const isV6 = addresses?.[0]?.address.includes(":") ?? false;
  if (addresses?.some(({ address }) => address.includes(":") !== isV6)) {
    reader.problem("vip", "IPv4 and IPv6 addresses in one instance", "make an instance for each in the file");
  }
  if (isV6 && config.vrrp.some(({ authentication }) => authentication.type !== "none")) {
    reader.problem(
      "vip",
      "the file's authentication is none for IPv6",
      "leave authentication out of the file",
    );
  }
  const given = (["priority", "interface", "vrid", "vip"] as const).filter(
    (flag) => flags[flag] !== undefined,
  );
  if (given.length === 0) return config.vrrp;
  if (config.vrrp.length > 1) {
    reader.problem(given[0], `the file has ${config.vrrp.length} instances`, "change them in the file");
    return config.vrrp;
  }
  if (config.vrrp.length === 0 && flags.vip === undefined) {
    reader.problem(
      given[0],
      "the file has no vrrp instance to change",
      "add --vip, or an instance to the file",
    );
    return [];
  }
  return [
    {
      ...(config.vrrp[0] ?? demoInstance),
      ...(priority !== undefined && { priority }),
      ...(interfaceName !== undefined && { interface: interfaceName }),
      ...(virtualRouterId !== undefined && { virtualRouterId }),
      ...(addresses !== undefined && { addresses }),
      // VRRPv2 knows IPv4 alone.
      ...(isV6 && { version: 3 }),
    },
  ];
}

function mergePeerLink(
  config: Config,
  flags: Flags,
  vrrp: readonly VrrpInstanceConfig[],
  reader: FlagReader,
): Config["peerLink"] {
  const text = flags["peer-key"];
  if (vrrp.length === 0) {
    if (text !== undefined)
      reader.problem("peer-key", "without VRRP there is no partner", "leave it out, or --no-vrrp");
    return null;
  }
  if (text === undefined) return config.peerLink;
  const refusal = checkPeerKey(text);
  if (refusal !== null) reader.problem("peer-key", refusal.message, refusal.advice);
  return { key: { kind: "text", text }, port: config.peerLink?.port ?? defaultPeerPort };
}

function withoutProxy(flags: Flags, reader: FlagReader): [] {
  for (const flag of ["listen", "backend"] as const) {
    if (flags[flag] !== undefined)
      reader.problem(flag, "--no-proxy leaves nothing for it to change", "leave out one of the two");
  }
  return [];
}

function mergeProxies(
  config: Config,
  flags: Flags,
  isDemo: boolean,
  vrrp: readonly VrrpInstanceConfig[],
  reader: FlagReader,
): readonly ProxyConfig[] {
  const listen =
    reader.all<ListenAddress>("listen", flags.listen, parseListen) ?? followVip(flags, isDemo, vrrp);
  const servers = readBackends(flags.backend, reader);
  if (listen === undefined && servers === undefined) return config.proxies;
  const existing = config.proxies.find((proxy) => proxy.name === demoProxy.name);
  if (existing === undefined && (listen === undefined || servers === undefined)) {
    const [has, lacks] = listen === undefined ? ["backend", "--listen"] : ["listen", "--backend"];
    reader.problem(has, `the file has no proxy ${demoProxy.name} to change`, `add ${lacks} to make one`);
    return config.proxies;
  }
  if (existing?.side !== undefined) {
    const flag = listen === undefined ? "backend" : "listen";
    reader.problem(flag, `${existing.name} is a ${existing.side} of the file`, "change it in the file");
    return config.proxies;
  }
  const proxy: ProxyConfig = {
    ...(existing ?? demoProxy),
    ...(listen !== undefined && { listen }),
    ...(servers !== undefined && { servers }),
  };
  reportProxyClashes(proxy, config.proxies, reader);
  return existing === undefined
    ? [...config.proxies, proxy]
    : config.proxies.map((other) => (other === existing ? proxy : other));
}

function followVip(
  flags: Flags,
  isDemo: boolean,
  vrrp: readonly VrrpInstanceConfig[],
): readonly ListenAddress[] | undefined {
  if (!isDemo || flags.vip === undefined) return undefined;
  return vrrp.flatMap((instance) => instance.addresses.map(({ address }) => ({ address, port: 80 })));
}

/** `HOST:PORT`, called web01, web02 … by its place, or `NAME=HOST:PORT`. */
function readBackends(
  texts: readonly string[] | undefined,
  reader: FlagReader,
): readonly ServerConfig[] | undefined {
  if (texts === undefined) return undefined;
  const servers = texts.map((text, i) => {
    const [, given, address] = /^(?:([A-Za-z0-9_.:-]{1,64})=)?(.*)$/s.exec(text) ?? [];
    const endpoint = reader.one("backend", address, parseServerAddress) ?? { host: "", port: 0 };
    return { name: given ?? `web${String(i + 1).padStart(2, "0")}`, ...endpoint };
  });
  for (const [i, { name }] of servers.entries()) {
    if (servers.findIndex((server) => server.name === name) < i) {
      reader.problem(
        "backend",
        `two servers are called ${name}`,
        "give each its own name, as in --backend web03=HOST:PORT",
      );
    }
    if (name === "FRONTEND" || name === "BACKEND") {
      reader.problem("backend", `${name} is the name of a line of show stat`, "give the server another name");
    }
  }
  return servers;
}

function reportProxyClashes(proxy: ProxyConfig, all: readonly ProxyConfig[], reader: FlagReader): void {
  const others = all.filter((other) => other.name !== proxy.name).flatMap((other) => other.listen);
  for (const [i, address] of proxy.listen.entries()) {
    const text = describeEndpoint(address.address, address.port);
    if ([...others, ...proxy.listen.slice(0, i)].some((other) => overlaps(other, address))) {
      reader.problem("listen", `${text} is taken by another listening address`, "choose another port");
    }
    if (proxy.servers.some((server) => server.host === address.address && server.port === address.port)) {
      reader.problem(
        "backend",
        `${text} is the address that the proxy itself listens on`,
        "write a server's address",
      );
    }
  }
}

function mergeAdmin(
  config: Config,
  flags: Flags,
  vrrp: readonly VrrpInstanceConfig[],
  reader: FlagReader,
): Config["admin"] {
  if (flags.admin === "off") return null;
  const listen = reader.one("admin", flags.admin, parseAdminListen);
  if (listen !== undefined) {
    const { path, user, password } = config.admin ?? {
      path: defaultAdminPath,
      user: defaultAdminUser,
      password: defaultAdminPassword,
    };
    return { listen, path, user, password, isDefault: false };
  }
  if (config.admin?.isDefault) return { ...config.admin, listen: defaultAdminListen(vrrp) };
  return config.admin;
}

function mergeStatsSocket(config: Config, flags: Flags, reader: FlagReader): Config["statsSocket"] {
  const path = flags["stats-socket"];
  if (path === undefined) return config.statsSocket;
  if (path === "off") return null;
  const refusal = checkSocketPath(path);
  if (refusal !== null) reader.problem("stats-socket", refusal.message, refusal.advice);
  return { path, isDefault: false };
}

/** Reads flags' texts and gathers what is wrong with them. */
class FlagReader {
  readonly problems: Problem[] = [];

  problem(flag: string, message: string, advice: string): void {
    this.problems.push({ where: `--${flag}`, message, advice });
  }

  one<T>(flag: string, text: string | undefined, parse: (text: string) => Parsed<T>): T | undefined {
    if (text === undefined) return undefined;
    const result = parse(text);
    if (result.ok) return result.value;
    this.problem(flag, result.message, result.advice);
    return undefined;
  }

  all<T>(
    flag: string,
    texts: readonly string[] | undefined,
    parse: (text: string) => Parsed<T>,
  ): T[] | undefined {
    return texts?.map((text) => this.one(flag, text, parse)).filter((value) => value !== undefined);
  }

  number(flag: string, text: string | undefined, minimum: number, maximum: number): number | undefined {
    if (text === undefined) return undefined;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    this.problem(
      flag,
      `${quote(text)} is not a whole number from ${minimum} to ${maximum}`,
      `write, for example, --${flag} ${Math.min(maximum, Math.max(minimum, Number.isNaN(value) ? minimum : value))}`,
    );
    return undefined;
  }

  engine(text: string | undefined): Config["engine"] | undefined {
    if (text === undefined || text === "auto" || text === "direct" || text === "portable") return text;
    this.problem(
      "engine",
      `${quote(text)} is not an engine`,
      suggestion(text, ["auto", "direct", "portable"]),
    );
    return undefined;
  }
}
