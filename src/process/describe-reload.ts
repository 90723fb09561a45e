import { describeEndpoint } from "../config/address.js";
import { changedPaths, changedValues } from "../config/changes.js";
import type { Config, ProxyConfig } from "../config/config.js";
import { describeDuration } from "../config/duration.js";
import { describeStep, vrrpReloadSteps } from "../vrrp/reload-steps.js";
import { planReload } from "./reload-plan.js";

/**
 * What leads from one configuration to another, as sentences without a full stop, in the order in which a reload does
 * it: the proxies, VRRP, the control thread. Empty: nothing differs. Pure; secrets are named, never shown. `hasNewKey`: the
 * peer link's key_file has another content. `hasNewCertificates`: files of certificates have.
 */
export function describeReload(
  before: Config,
  after: Config,
  hasNewKey = false,
  hasNewCertificates = false,
): string[] {
  const changed = [...changedValues(before, after), ...(hasNewKey ? ["peerLink.key"] : [])];
  if (changed.length === 0 && !hasNewCertificates) return [];
  const plan = planReload(before, after, changed);
  const steps = [...describeProxies(before, after)];
  if (plan.proxies) {
    steps.push(
      `new data threads take over the listening sockets; what is in flight is finished by the old ones, for at most ${describeDuration(after.drainTimeoutMs)}`,
    );
  }
  if (hasNewCertificates) steps.push("clients that come from now on are shown the renewed certificates");
  const setup = ({ vrrp, syncGroups }: Config) => ({ instances: vrrp, groups: syncGroups });
  for (const step of vrrpReloadSteps(setup(before), setup(after))) steps.push(`vrrp: ${describeStep(step)}`);
  if (plan.peerLink) {
    const what =
      before.peerLink === null
        ? "begins"
        : after.peerLink === null
          ? "ends"
          : "is made anew with the new key or port";
    steps.push(`the peer link ${what}`);
  }
  const rest = changed.filter((path) => !/^(proxies|vrrp|syncGroups|peerLink)\b/.test(path));
  if (rest.length > 0) steps.push(`changed: ${rest.join(", ")}`);
  if (plan.control)
    steps.push("a new control thread takes over the admin server, the stats socket and the checks");
  return steps;
}

function describeProxies(before: Config, after: Config): string[] {
  const old = new Map(before.proxies.map((proxy) => [proxy.name, proxy]));
  const names = new Set(after.proxies.map(({ name }) => name));
  const gone = before.proxies.filter(({ name }) => !names.has(name));
  return [
    ...gone.map((proxy) => `${kindOf(proxy)} ${proxy.name} removed: ${describeListen(proxy)}`),
    ...after.proxies.flatMap((proxy) => {
      const present = old.get(proxy.name);
      return present === undefined
        ? [`${kindOf(proxy)} ${proxy.name} added: ${describeListen(proxy)}`]
        : describeProxy(present, proxy);
    }),
  ];
}

function describeProxy(before: ProxyConfig, after: ProxyConfig): string[] {
  const what = `${kindOf(after)} ${after.name}`;
  const listens = ({ listen }: ProxyConfig) =>
    listen.map(({ address, port }) => describeEndpoint(address, port));
  const [had, has] = [listens(before), listens(after)];
  const server = (name: string, proxy: ProxyConfig) => proxy.servers.find((one) => one.name === name);
  const steps = [
    ...had
      .filter((address) => !has.includes(address))
      .map((address) => `${what} no longer listens on ${address}`),
    ...has.filter((address) => !had.includes(address)).map((address) => `${what} listens on ${address}`),
    ...after.listen.flatMap((next) => {
      const present = before.listen.find(
        ({ address, port }) => address === next.address && port === next.port,
      );
      const values = present === undefined ? [] : changedPaths(present, next);
      if (values.length === 0) return [];
      return [`${what} changed on ${describeEndpoint(next.address, next.port)}: ${values.join(", ")}`];
    }),
    ...before.servers
      .filter(({ name }) => server(name, after) === undefined)
      .map(({ name }) => `server ${after.name}/${name} removed`),
  ];
  for (const next of after.servers) {
    const present = server(next.name, before);
    const where = describeEndpoint(next.host, next.port);
    if (present === undefined) steps.push(`server ${after.name}/${next.name} added: ${where}`);
    else {
      const values = changedPaths(present, next);
      if (values.length > 0) steps.push(`server ${after.name}/${next.name} changed: ${values.join(", ")}`);
    }
  }
  const { listen: _1, servers: _2, ...restBefore } = before;
  const { listen: _3, servers: _4, ...restAfter } = after;
  const rest = changedPaths(restBefore, restAfter);
  const order = (proxy: ProxyConfig) => proxy.servers.map(({ name }) => name).join(" ");
  const isReordered =
    steps.length === 0 && order(before) !== order(after) ? ["the order of the servers"] : [];
  const words = [...rest, ...isReordered];
  if (words.length > 0) steps.push(`${what} changed: ${words.join(", ")}`);
  return steps;
}

function kindOf({ side }: ProxyConfig): string {
  return side ?? "proxy";
}

function describeListen({ listen, servers }: ProxyConfig): string {
  const addresses = listen.map(({ address, port }) => describeEndpoint(address, port)).join(", ");
  const behind = servers.map(({ name }) => name).join(", ");
  return [addresses, behind].filter((text) => text !== "").join(" → ");
}
