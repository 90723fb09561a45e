import type { Config, ProxyConfig, VrrpInstanceConfig } from "./config.js";
import type { Context } from "./context.js";
import { defaultAdminPassword } from "./defaults.js";
import { describeDuration } from "./duration.js";

/** The unit's TimeoutStopSec, less what a hand-over may take. */
const longestDrainMs = 40_000;
/** In the examples of everybody: whoever is on the wire tries them first. */
const knownPasswords = ["1111", "1234", "password", "secret", "changeme", "k@l!ve1"];
const demoPeerKey = "key-of-the-demo-boxes";

/** Told by `lb check` and at each start. */
export const defaultPasswordMessage = "the stats page has its default password, which everybody knows";

/** Warns of settings that are allowed and most likely not meant. */
export function lintSettings(config: Config, context: Context): void {
  if (config.admin?.password === defaultAdminPassword) {
    context.warning(
      ["admin", "stats", "password"],
      defaultPasswordMessage,
      "set admin: stats: password:, such as ${file:/etc/lb/admin-password}",
    );
  }
  if (config.peerLink?.key.kind === "text" && config.peerLink.key.text === demoPeerKey) {
    context.warning(
      ["peer_link", "key"],
      "the key of peer_link is the demo's, which everybody knows",
      "take a long random one, such as `openssl rand -hex 32` prints",
    );
  }
  for (const instance of config.vrrp) lintInstance(instance, context);
  for (const proxy of config.proxies) lintProxy(proxy, context);
  if (config.drainTimeoutMs > longestDrainMs) {
    context.warning(
      ["drain_timeout"],
      `drain_timeout ${describeDuration(config.drainTimeoutMs)} is longer than the unit waits for a stop`,
      "choose at most 40s, or raise TimeoutStopSec= of lb.service",
    );
  }
}

function lintInstance(instance: VrrpInstanceConfig, context: Context): void {
  const { name, priority, partnerPriority, preempt, preemptDelayMs, authentication } = instance;
  const path = ["vrrp", name];
  if (partnerPriority === priority) {
    context.warning(
      [...path, "partner_priority"],
      `${name} has priority ${priority} on both nodes, so their addresses decide`,
      "give the node that should be master the higher one",
    );
  }
  if (!preempt && priority === 255) {
    context.warning(
      [...path, "preempt"],
      "preempt: false says nothing at priority 255: the owner always takes its address",
      "choose a priority from 1 to 254, or leave preempt out",
    );
  }
  if (!preempt && preemptDelayMs > 0) {
    context.warning(
      [...path, "preempt_delay"],
      "preempt_delay says nothing with preempt: false",
      "leave one of the two out",
    );
  }
  if (authentication.type !== "none" && knownPasswords.includes(authentication.password)) {
    context.warning(
      [...path, "authentication", "auth_pass"],
      "this auth_pass stands in everybody's examples",
      "choose another one on all nodes; it keeps out mistakes, not attackers",
    );
  }
}

function lintProxy(proxy: ProxyConfig, context: Context): void {
  const { name, servers, side, timeouts } = proxy;
  const section = side === undefined ? "proxies" : `${side}s`;
  const path = [section, name];
  if (servers.length > 0 && servers.every(({ weight }) => weight === 0)) {
    context.warning(
      [...path, "servers"],
      `every server of ${name} has weight 0, so none gets a request`,
      "give one of them a weight",
      "key",
    );
  }
  if (servers.length > 0 && servers.every(({ disabled }) => disabled === true)) {
    context.warning(
      [...path, "servers"],
      `every server of ${name} is disabled`,
      "leave disabled out of one of them",
      "key",
    );
  }
  if (side !== "frontend" && timeouts.connectMs > timeouts.serverMs) {
    context.warning(
      [...path, "timeout", "connect"],
      `connecting to a server of ${name} may take longer (${describeDuration(timeouts.connectMs)}) than its answer (${describeDuration(timeouts.serverMs)})`,
      "choose a shorter connect, or a longer server",
    );
  }
}
