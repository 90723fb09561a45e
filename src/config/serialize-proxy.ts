import { describeEndpoint } from "./address.js";
import { writeAgent } from "./agent-section.js";
import { describeBalance } from "./balance.js";
import { writeBind } from "./bind-section.js";
import type { ProxyConfig } from "./config.js";
import { writeConnectionRules } from "./connection-rule-section.js";
import { writeCookie } from "./cookie-section.js";
import { describeDuration } from "./duration.js";
import { writeForwardFor } from "./forwardfor-section.js";
import { describeStatuses } from "./http-check-section.js";
import { writeAccessLog } from "./log-section.js";
import { hasBackend, hasFrontend } from "./proxy-sides.js";
import { writeResponseRules } from "./response-rule-section.js";
import { writeRetry } from "./retry-section.js";
import { writeRules } from "./serialize-rules.js";
import type { CheckConfig, HttpCheckConfig, ServerConfig } from "./server-config.js";
import type { ServerTlsConfig } from "./tls-config.js";

/** Writes a proxy as the file has it, defaults spelled out; a server that has nothing but an address in the short form. */
export function writeProxy(proxy: ProxyConfig, secret: (text: string) => string): object {
  const { timeouts } = proxy;
  const isTcp = proxy.mode === "tcp";
  const clients = hasFrontend(proxy);
  const servers = hasBackend(proxy);
  return {
    ...(isTcp && { mode: "tcp" }),
    ...(clients && { bind: writeBind(proxy.listen) }),
    ...(proxy.defaultBackend !== undefined && { default_backend: proxy.defaultBackend }),
    ...(servers && writeServers(proxy)),
    ...(proxy.connectionRules !== undefined && {
      connection_rules: writeConnectionRules(proxy.connectionRules),
    }),
    ...(proxy.rules !== undefined && { rules: writeRules(proxy.rules, secret) }),
    ...(proxy.responseRules !== undefined && { response_rules: writeResponseRules(proxy.responseRules) }),
    ...(proxy.uniqueIdHeader !== undefined && { unique_id_header: proxy.uniqueIdHeader }),
    ...(proxy.forwardFor !== undefined && { forwardfor: writeForwardFor(proxy.forwardFor) }),
    ...(proxy.traceparent === true && { traceparent: true }),
    timeout: {
      ...(servers && { connect: describeDuration(timeouts.connectMs) }),
      ...(clients && !isTcp && { "http-request": describeDuration(timeouts.requestHeadMs) }),
      ...(clients && { client: describeDuration(timeouts.clientMs) }),
      ...(timeouts.inspectMs !== undefined && { "inspect-delay": describeDuration(timeouts.inspectMs) }),
      ...(servers && { server: describeDuration(timeouts.serverMs) }),
      ...(clients && !isTcp && { "http-keep-alive": describeDuration(timeouts.keepAliveMs) }),
      ...(timeouts.queueMs !== undefined && { queue: describeDuration(timeouts.queueMs) }),
      ...(servers && { tunnel: describeDuration(timeouts.tunnelMs) }),
      ...(timeouts.halfClosedMs !== undefined && {
        [clients ? "client-fin" : "server-fin"]: describeDuration(timeouts.halfClosedMs),
      }),
    },
    ...(clients && !isTcp && { max_head_bytes: proxy.maxHeadBytes }),
    ...(proxy.maxconn !== null && { maxconn: proxy.maxconn }),
    ...(proxy.retry !== undefined && writeRetry(proxy.retry)),
    ...(proxy.pipelining !== undefined && { pipelining: proxy.pipelining }),
    ...(proxy.errorFiles !== undefined && {
      errorfiles: new Map(proxy.errorFiles.map(({ status, path }) => [status, path])),
    }),
    ...(proxy.log !== undefined && { log: writeAccessLog(proxy.log) }),
  };
}

function writeServers(proxy: ProxyConfig): object {
  return {
    balance: describeBalance(proxy.balance),
    ...(proxy.hashType !== undefined && { hash_type: proxy.hashType }),
    ...(proxy.allBackups === true && { allbackups: true }),
    ...(proxy.httpCheck !== undefined && { http_check: writeHttpCheck(proxy.httpCheck) }),
    ...(proxy.cookie !== undefined && { cookie: writeCookie(proxy.cookie) }),
    // A Map, because an object would move names such as "1" to the front.
    servers: new Map(proxy.servers.map((server) => [server.name, writeServer(server)])),
  };
}

function writeServer(server: ServerConfig): string | object {
  const {
    host,
    port,
    weight,
    backup,
    disabled,
    slowStartMs,
    sendProxy,
    tls,
    maxconn,
    maxqueue,
    cookie,
    check,
    agent,
    onMarkedDown,
    onMarkedUp,
  } = server;
  const address = describeEndpoint(host, port);
  const words = {
    ...(weight !== undefined && { weight }),
    ...(backup === true && { backup }),
    ...(disabled === true && { disabled }),
    ...(slowStartMs !== undefined && { slowstart: describeDuration(slowStartMs) }),
    ...(sendProxy !== undefined && { [sendProxy === 1 ? "send_proxy" : "send_proxy_v2"]: true }),
    ...(maxconn !== undefined && { maxconn }),
    ...(maxqueue !== undefined && { maxqueue }),
    ...(cookie !== undefined && { cookie }),
    ...(tls !== undefined && writeServerTls(tls)),
    ...(check !== undefined && { check: writeCheck(check) }),
    ...(agent !== undefined && { agent_check: writeAgent(agent) }),
    ...(onMarkedDown !== undefined && { on_marked_down: onMarkedDown }),
    ...(onMarkedUp !== undefined && { on_marked_up: onMarkedUp }),
  };
  return Object.keys(words).length === 0 ? address : { address, ...words };
}

function writeServerTls({ verify, caFile, sni, crt }: ServerTlsConfig): object {
  return {
    ssl: true,
    verify,
    ...(caFile !== undefined && { ca_file: caFile }),
    ...(sni !== undefined && { sni }),
    ...(crt !== undefined && { crt }),
  };
}

function writeCheck(check: CheckConfig): object {
  const { observe } = check;
  return {
    inter: describeDuration(check.intervalMs),
    fastinter: describeDuration(check.fastIntervalMs),
    downinter: describeDuration(check.downIntervalMs),
    rise: check.rise,
    fall: check.fall,
    port: check.port,
    timeout: describeDuration(check.timeoutMs),
    ...(check.sendProxy === true && { send_proxy: true }),
    ...(check.overTls === true && { ssl: true }),
    ...(observe !== undefined && {
      observe: observe.layer,
      error_limit: observe.errorLimit,
      on_error: observe.onError,
    }),
  };
}

function writeHttpCheck({ method, uri, host, expect }: HttpCheckConfig): object {
  return {
    method,
    uri,
    ...(host !== undefined && { host }),
    expect: expect.kind === "string" ? { string: expect.text } : { status: describeStatuses(expect.ranges) },
  };
}
