import { parseBalance } from "./balance.js";
import { readBind, type Taken } from "./bind-section.js";
import type { ProxyConfig, ProxyTimeouts } from "./config.js";
import { readConnectionRules } from "./connection-rule-section.js";
import type { Context } from "./context.js";
import { readCookie, withDynamicCookies } from "./cookie-section.js";
import { defaultInspectMs, defaultMaxHeadBytes, defaultTimeouts } from "./defaults.js";
import { readErrorFiles } from "./error-file-section.js";
import { readForwardFor } from "./forwardfor-section.js";
import { readHttpCheck } from "./http-check-section.js";
import { readAccessLog } from "./log-section.js";
import { quote } from "./problem.js";
import type { FrontendShape, ProxyShape } from "./proxy-schema.js";
import { chosenBackends, hasBackend } from "./proxy-sides.js";
import { readResponseRules } from "./response-rule-section.js";
import { readRetry } from "./retry-section.js";
import { asksForName, checkRuleModes } from "./rule-modes.js";
import { checkFieldName, readRules } from "./rule-section.js";
import type { FileShape } from "./schema.js";
import type { ServerConfig } from "./server-config.js";
import { readServers } from "./server-section.js";
import type { Path } from "./source.js";
import { suggestion } from "./suggest.js";

/** A proxy of any of the three kinds, as the file has it: what a kind does not know is never there. */
type AnyShape = ProxyShape & Pick<FrontendShape, "default_backend">;

/** Reads `proxies:`, `frontends:` and `backends:`, every one by name. */
export function readProxies(
  file: Pick<FileShape, "proxies" | "frontends" | "backends">,
  context: Context,
): ProxyConfig[] {
  const taken: Taken[] = [];
  const all: { readonly path: Path; readonly shape: AnyShape; readonly proxy: ProxyConfig }[] = [];
  const read = (word: string, section: Readonly<Record<string, AnyShape>> | undefined, side: Side): void => {
    for (const [name, shape] of context.members([word], section)) {
      const path = [word, name];
      const namesake = all.find(({ proxy }) => proxy.name === name);
      if (namesake !== undefined) {
        context.problem(
          path,
          `${name} is also the name of one of the ${namesake.path[0]}`,
          "give each its own name, for show stat and set server",
          "key",
        );
      }
      all.push({ path, shape, proxy: readProxy(path, name, shape, side, taken, context) });
    }
  };
  read("proxies", file.proxies, "both");
  read("frontends", file.frontends, "frontend");
  read("backends", file.backends, "backend");
  const proxies = all.map(({ proxy }) => proxy);
  for (const { path, shape, proxy } of all) {
    if (proxy.side === "frontend") checkDefaultBackend(path, proxy, proxies, context);
    checkChosenBackends([...path, "rules"], shape.rules, proxy.mode, proxies, context);
    if (hasBackend(proxy)) checkCircle(path, proxy, proxies, context);
    const isUsed = proxy.side !== "backend" || proxies.some((other) => leadsTo(other, proxy.name));
    if (!isUsed)
      context.warning(
        path,
        `no frontend uses ${proxy.name}`,
        "name it as a default_backend, or in a rule as use_backend",
        "key",
      );
  }
  return proxies;
}

type Side = "both" | "frontend" | "backend";

function readProxy(
  path: Path,
  name: string,
  shape: AnyShape,
  side: Side,
  taken: Taken[],
  context: Context,
): ProxyConfig {
  const mode = shape.mode ?? "http";
  const listen =
    side === "backend" ? [] : readBind([...path, "bind"], name, shape.bind, mode, taken, context);
  const asksName = mode === "tcp" && asksForName(shape.rules);
  const timeouts = readTimeouts([...path, "timeout"], shape.timeout, { mode, side, asksName }, context);
  if (mode === "tcp") reportHttpWords(path, shape, context);
  const connectionRules = readConnectionRules([...path, "connection_rules"], shape.connection_rules, context);
  checkRuleModes([...path, "rules"], shape.rules, mode, context);
  if (asksName && listen.length > 0 && listen.every(({ tls }) => tls !== undefined))
    context.warning(
      [...path, "rules"],
      "req_ssl_sni is looked for inside of TLS that ends here, where no client says it",
      "let TLS through, with a bind without tls",
      "key",
    );
  const rules = readRules([...path, "rules"], name, shape.rules, context);
  const responseRules = readResponseRules([...path, "response_rules"], shape.response_rules, context);
  const listed =
    side === "frontend"
      ? []
      : readServers(path, name, shape.servers, shape.default_server, timeouts.connectMs, context);
  const servers =
    shape.cookie === undefined
      ? listed
      : withDynamicCookies([...path, "cookie"], shape.cookie, listed, context);
  if (side === "frontend" && shape.default_backend === undefined) {
    context.missing(
      [...path, "default_backend"],
      `${name} has no default_backend`,
      "name the backend whose servers serve its clients",
    );
  }
  const retry = mode === "tcp" ? null : readRetry(path, shape, context);
  const errorFiles = mode === "tcp" ? [] : readErrorFiles([...path, "errorfiles"], shape.errorfiles, context);
  const cookie =
    mode === "tcp" || shape.cookie === undefined
      ? null
      : readCookie([...path, "cookie"], shape.cookie, servers, context);
  const forwardFor =
    mode === "tcp" ? undefined : readForwardFor([...path, "forwardfor"], shape.forwardfor, context);
  const log = readAccessLog([...path, "log"], shape.log, context);
  if (mode === "tcp" && log?.format === "httplog") {
    context.problem(
      [...path, "log", "format"],
      "httplog is about requests, which mode tcp does not see",
      "write format: tcplog",
    );
  }
  return {
    name,
    ...(side !== "both" && { side }),
    ...(shape.default_backend !== undefined && { defaultBackend: shape.default_backend }),
    listen,
    ...(mode === "tcp" && { mode }),
    ...readBalance(path, shape, context),
    ...readChecks(path, shape, servers, context),
    ...(connectionRules.length > 0 && { connectionRules }),
    ...(rules.length > 0 && { rules }),
    ...(responseRules.length > 0 && { responseRules }),
    ...readIdentity(path, shape, context),
    ...(forwardFor !== undefined && { forwardFor }),
    servers,
    timeouts,
    maxHeadBytes: shape.max_head_bytes ?? defaultMaxHeadBytes,
    maxconn: shape.maxconn ?? null,
    ...(log !== null && { log }),
    ...(retry !== null && { retry }),
    ...(shape.pipelining !== undefined && { pipelining: shape.pipelining }),
    ...(errorFiles.length > 0 && { errorFiles }),
    ...(cookie !== null && { cookie }),
  };
}

function checkDefaultBackend(
  path: Path,
  { defaultBackend, mode }: ProxyConfig,
  proxies: readonly ProxyConfig[],
  context: Context,
): void {
  if (defaultBackend !== undefined)
    checkBackend([...path, "default_backend"], defaultBackend, mode, proxies, context);
}

function checkChosenBackends(
  path: Path,
  rules: ProxyShape["rules"],
  mode: ProxyConfig["mode"],
  proxies: readonly ProxyConfig[],
  context: Context,
): void {
  for (const [line, { use_backend }] of (rules ?? []).entries()) {
    if (use_backend !== undefined)
      checkBackend([...path, String(line), "use_backend"], use_backend, mode, proxies, context);
  }
}

function checkBackend(
  at: Path,
  name: string,
  mode: ProxyConfig["mode"],
  proxies: readonly ProxyConfig[],
  context: Context,
): void {
  const found = proxies.find((proxy) => proxy.name === name && hasBackend(proxy));
  if (found === undefined) {
    const known = proxies.filter(hasBackend).map(({ name }) => name);
    const advice = known.length === 0 ? "add it to backends:" : suggestion(name, known);
    context.problem(at, `there is no backend ${quote(name)}`, advice);
  } else if (found.mode !== mode) {
    context.problem(
      at,
      `${name} is of mode ${found.mode ?? "http"}, and this frontend of mode ${mode ?? "http"}`,
      "give both the same mode",
    );
  }
}

/** Whether a proxy's clients may come to the servers of another one of that name. */
function leadsTo(proxy: ProxyConfig, backend: string): boolean {
  return proxy.defaultBackend === backend || chosenBackends(proxy).includes(backend);
}

/** Servers that are the proxy itself. */
function checkCircle(
  path: Path,
  backend: ProxyConfig,
  proxies: readonly ProxyConfig[],
  context: Context,
): void {
  const entries = proxies.filter((proxy) => proxy === backend || leadsTo(proxy, backend.name));
  for (const server of backend.servers) {
    const circle = entries.find(({ listen }) =>
      listen.some((address) => address.port === server.port && address.address === server.host),
    );
    if (circle === undefined) continue;
    context.problem(
      [...path, "servers", server.name],
      `${server.name} is the address that ${circle.name} itself listens on`,
      "write the address of a server behind it, or every request runs in a circle",
    );
  }
}

/** In `mode: tcp` there are no requests to name. */
function readIdentity(
  path: Path,
  { mode, unique_id_header: header, traceparent }: ProxyShape,
  context: Context,
): Pick<ProxyConfig, "uniqueIdHeader" | "traceparent"> {
  if (mode === "tcp") return {};
  if (header !== undefined) checkFieldName([...path, "unique_id_header"], header, "value", context);
  return {
    ...(header !== undefined && { uniqueIdHeader: header }),
    ...(traceparent === true && { traceparent }),
  };
}

function readBalance(
  path: Path,
  shape: ProxyShape,
  context: Context,
): Pick<ProxyConfig, "balance" | "hashType" | "allBackups"> {
  const at = [...path, "balance"];
  const balance =
    shape.balance === undefined
      ? "roundrobin"
      : context.take(at, parseBalance(shape.balance), "roundrobin" as const);
  if (shape.mode === "tcp" && typeof balance !== "string" && balance.by !== "random") {
    context.problem(
      at,
      `${balance.by} is in requests, which mode tcp does not see`,
      "balance by source, or by roundrobin, leastconn, random or first",
    );
  }
  const isHashed = balance === "source" || (typeof balance !== "string" && balance.by !== "random");
  if (shape.hash_type !== undefined && !isHashed && !context.flagged(at)) {
    context.warning(
      [...path, "hash_type"],
      "hash_type says nothing where requests are not hashed",
      "leave it out, or balance by source, uri or hdr(name)",
      "key",
    );
  }
  return {
    balance,
    ...(shape.hash_type === "consistent" && { hashType: "consistent" as const }),
    ...(shape.allbackups === true && { allBackups: true as const }),
  };
}

function readChecks(
  path: Path,
  shape: ProxyShape,
  servers: readonly ServerConfig[],
  context: Context,
): Pick<ProxyConfig, "httpCheck"> {
  if (shape.http_check === undefined) return {};
  const at = [...path, "http_check"];
  if (servers.length > 0 && servers.every(({ check }) => check === undefined)) {
    context.warning(
      at,
      "http_check says how, and no server is checked",
      "add default_server: { check: true }",
      "key",
    );
  }
  return { httpCheck: readHttpCheck(at, shape.http_check, context) };
}

/** Words about requests, which nobody sees in `mode: tcp`. */
function reportHttpWords(path: Path, shape: ProxyShape, context: Context): void {
  const said: Path[] = [];
  if (shape.response_rules !== undefined) {
    context.problem(
      [...path, "response_rules"],
      "response_rules are about responses, which mode tcp does not see",
      "leave them out, or write mode: http",
      "key",
    );
  }
  for (const word of [
    "max_head_bytes",
    "unique_id_header",
    "forwardfor",
    "traceparent",
    "errorfiles",
    "cookie",
    "retries",
    "retry_on",
    "retry_budget",
    "pipelining",
  ] as const) {
    if (shape[word] !== undefined) said.push([...path, word]);
  }
  for (const word of ["http-request", "http-keep-alive"] as const) {
    if (shape.timeout?.[word] !== undefined) said.push([...path, "timeout", word]);
  }
  for (const at of said) {
    context.warning(at, `${at.at(-1)} says nothing in mode tcp`, "leave it out, or write mode: http", "key");
  }
}

function readTimeouts(
  path: Path,
  shape: ProxyShape["timeout"],
  proxy: { readonly mode: "http" | "tcp"; readonly side: Side; readonly asksName: boolean },
  context: Context,
): ProxyTimeouts {
  const { mode, side, asksName } = proxy;
  const read = (word: keyof NonNullable<ProxyShape["timeout"]>, fallbackMs: number): number => {
    const value = shape?.[word];
    const isBare = typeof value === "number" || (value !== undefined && /^[\d.]+$/.test(value));
    if (isBare && Number(value) < 100 && Number(value) >= 1) {
      context.warning(
        [...path, word],
        `${word} ${value} counts milliseconds, as in HAProxy`,
        `write ${value}s if seconds are meant, or ${value}ms`,
      );
    }
    return context.duration([...path, word], value, "ms", fallbackMs, 1);
  };
  const clientMs = read("client", defaultTimeouts.clientMs);
  const serverMs = read("server", defaultTimeouts.serverMs);
  // HAProxy's rule: without a time-out of its own, a session that is silent ends with the first of both sides' time-outs.
  const silentMs = side === "backend" ? serverMs : Math.min(clientMs, serverMs);
  const tunnelMs = mode === "tcp" ? silentMs : defaultTimeouts.tunnelMs;
  const halfClosedMs = Math.min(read("client-fin", Infinity), read("server-fin", Infinity));
  if (mode === "http" && halfClosedMs < Infinity) {
    context.warning(path, "client-fin and server-fin say nothing in mode http", "leave them out", "key");
  }
  if (!asksName && shape?.["inspect-delay"] !== undefined) {
    context.warning(
      [...path, "inspect-delay"],
      "inspect-delay says nothing where no rule of mode tcp asks for req_ssl_sni",
      "leave it out, or add rules: [{ if: { req_ssl_sni: www.example.org }, use_backend: … }]",
      "key",
    );
  }
  return {
    connectMs: read("connect", defaultTimeouts.connectMs),
    requestHeadMs: read("http-request", defaultTimeouts.requestHeadMs),
    clientMs,
    serverMs,
    keepAliveMs: read("http-keep-alive", defaultTimeouts.keepAliveMs),
    tunnelMs: side === "frontend" ? defaultTimeouts.tunnelMs : read("tunnel", tunnelMs),
    ...(mode === "tcp" && halfClosedMs < Infinity && { halfClosedMs }),
    ...(asksName && { inspectMs: read("inspect-delay", defaultInspectMs) }),
    ...(shape?.queue !== undefined &&
      side !== "frontend" && { queueMs: read("queue", defaultTimeouts.connectMs) }),
  };
}
