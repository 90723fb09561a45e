import { parseServerAddress } from "./address.js";
import { readAgent } from "./agent-section.js";
import type { Context } from "./context.js";
import { readCookieValue } from "./cookie-section.js";
import { quote } from "./problem.js";
import type { CheckConfig, ObserveConfig, ServerConfig } from "./server-config.js";
import type { ServerShape, ServerWordsShape } from "./server-schema.js";
import type { Path } from "./source.js";
import type { ServerTlsConfig } from "./tls-config.js";

/** HAProxy's defaults. */
const defaultCheck = { intervalMs: 2000, rise: 2, fall: 3, errorLimit: 10 } as const;

/** A check every millisecond would be an attack on the server. */
const shortestIntervalMs = 10;

/** Reads `servers:` of the proxy at `path`, each with what `default_server` says. */
export function readServers(
  path: Path,
  name: string,
  section: Readonly<Record<string, ServerShape>> | undefined,
  defaults: ServerWordsShape | undefined,
  connectTimeoutMs: number,
  context: Context,
): ServerConfig[] {
  const at = [...path, "servers"];
  const entries = context.members(at, section);
  if (entries.length === 0) {
    context.missing(
      at,
      `${name} has no servers`,
      "add at least one, such as servers: { web01: 192.168.33.68:80 }",
    );
  }
  const inherited: Words = { path: [...path, "default_server"], words: defaults ?? {} };
  return entries.map(([serverName, shape]) => {
    const place = [...at, serverName];
    if (serverName === "FRONTEND" || serverName === "BACKEND") {
      context.problem(
        place,
        `${serverName} is the name of a line of show stat`,
        "give the server another name",
        "key",
      );
    }
    return readServer(place, serverName, shape, inherited, connectTimeoutMs, context);
  });
}

/** Words with the place where they stand, so that a problem is reported where it was written. */
interface Words {
  readonly path: Path;
  readonly words: ServerWordsShape;
}

function readServer(
  path: Path,
  name: string,
  shape: ServerShape,
  inherited: Words,
  connectTimeoutMs: number,
  context: Context,
): ServerConfig {
  const own: Words = { path, words: typeof shape === "string" ? {} : shape };
  const address = typeof shape === "string" ? shape : shape.address;
  const addressPath = typeof shape === "string" ? path : [...path, "address"];
  if (address === undefined) {
    context.missing(addressPath, `${name} has no address`, "add one, such as address: 192.168.33.68:80");
  }
  const nowhere = { host: "", port: 0 };
  const endpoint =
    address === undefined ? nowhere : context.take(addressPath, parseServerAddress(address), nowhere);
  const slowStart = chosen(own, inherited, "slowstart");
  const slowStartMs = context.duration(slowStart.path, slowStart.value, "ms", 0, 0);
  const weight = chosen(own, inherited, "weight").value ?? 1;
  const maxconn = chosen(own, inherited, "maxconn").value;
  const maxqueue = chosen(own, inherited, "maxqueue");
  if (maxqueue.value !== undefined && maxconn === undefined)
    context.problem(
      maxqueue.path,
      "maxqueue says nothing without maxconn",
      "add maxconn: how many requests the server gets at once",
      "key",
    );
  const value = chosen(own, inherited, "cookie");
  const cookie =
    value.value === undefined
      ? undefined
      : readCookieValue(value.path, context.text(value.path, value.value, ""), context);
  const sendProxy = readSendProxy(own, inherited, context);
  const tls = readServerTls(own, inherited, context);
  const says = { proxy: sendProxy !== null, tls: tls !== null };
  const check = readCheck(own, inherited, endpoint.port, connectTimeoutMs, says, context);
  const agentOf = ({ path, words }: Words) => ({ path: [...path, "agent_check"], words: words.agent_check });
  const agent = readAgent(agentOf(own), agentOf(inherited), connectTimeoutMs, context);
  return {
    name,
    ...endpoint,
    ...(weight !== 1 && { weight }),
    ...(chosen(own, inherited, "backup").value === true && { backup: true as const }),
    ...(chosen(own, inherited, "disabled").value === true && { disabled: true as const }),
    ...(slowStartMs > 0 && { slowStartMs }),
    ...(sendProxy !== null && { sendProxy }),
    ...(maxconn !== undefined && { maxconn }),
    ...(maxqueue.value !== undefined && { maxqueue: maxqueue.value }),
    ...(cookie !== undefined && { cookie }),
    ...(tls !== null && { tls }),
    ...(check !== null && { check }),
    ...(agent !== null && { agent }),
    ...readMarks(own, inherited),
  };
}

function readMarks(own: Words, inherited: Words): Pick<ServerConfig, "onMarkedDown" | "onMarkedUp"> {
  const { value: onMarkedDown } = chosen(own, inherited, "on_marked_down");
  const { value: onMarkedUp } = chosen(own, inherited, "on_marked_up");
  return {
    ...(onMarkedDown !== undefined && { onMarkedDown }),
    ...(onMarkedUp !== undefined && { onMarkedUp }),
  };
}

/** null: in the clear. */
function readServerTls(own: Words, inherited: Words, context: Context): ServerTlsConfig | null {
  const find = <Word extends "ca_file" | "crt">(word: Word): string | undefined => {
    const { path, value } = chosen(own, inherited, word);
    if (value !== undefined && !value.startsWith("/"))
      context.problem(path, `${quote(value)} is no absolute path`, "write where it is from / on");
    return value;
  };
  const [caFile, crt] = [find("ca_file"), find("crt")];
  const { path, value: sni } = chosen(own, inherited, "sni");
  if (sni !== undefined && !/^[A-Za-z0-9_.-]{1,253}$/.test(sni))
    context.problem(path, `${quote(sni)} is no host name`, "write a name alone, such as www.example.org");
  if (chosen(own, inherited, "ssl").value !== true) {
    for (const word of ["verify", "ca_file", "sni", "crt"] as const) {
      if (own.words[word] === undefined) continue;
      context.warning([...own.path, word], `${word} says nothing without ssl`, "add ssl: true", "key");
    }
    return null;
  }
  return {
    verify: chosen(own, inherited, "verify").value ?? "required",
    ...(caFile !== undefined && { caFile }),
    ...(sni !== undefined && { sni }),
    ...(crt !== undefined && { crt }),
  };
}

/** null: none. A server that says either word means both. */
function readSendProxy(own: Words, inherited: Words, context: Context): 1 | 2 | null {
  const isOwn = own.words.send_proxy !== undefined || own.words.send_proxy_v2 !== undefined;
  const { path, words } = isOwn ? own : inherited;
  if (words.send_proxy === true && words.send_proxy_v2 === true) {
    context.problem(
      [...path, "send_proxy_v2"],
      "send_proxy and send_proxy_v2 are two headers",
      "keep the one that the server expects",
      "key",
    );
  }
  if (words.send_proxy_v2 === true) return 2;
  return words.send_proxy === true ? 1 : null;
}

/** A server's own word, or that of `default_server`. */
function chosen<Word extends keyof ServerWordsShape>(own: Words, inherited: Words, word: Word) {
  const from = own.words[word] === undefined ? inherited : own;
  return { path: [...from.path, word], value: from.words[word] };
}

type CheckWords = Exclude<NonNullable<ServerWordsShape["check"]>, boolean>;

/** null: no check. A mapping without further words switches it on, and `default_server`'s words hold beside its own. */
function readCheck(
  own: Words,
  inherited: Words,
  serverPort: number,
  connectTimeoutMs: number,
  /** What the server is told in front of everything else. */
  says: { readonly proxy: boolean; readonly tls: boolean },
  context: Context,
): CheckConfig | null {
  const wanted = own.words.check ?? inherited.words.check ?? false;
  if (wanted === false) return null;
  const find = <Word extends keyof CheckWords>(word: Word) => {
    for (const { path, words } of [own, inherited]) {
      const { check } = words;
      if (typeof check === "object" && check[word] !== undefined)
        return { path: [...path, "check", word], value: check[word] };
    }
    return { path: [...own.path, "check", word], value: undefined };
  };
  const time = (word: "inter" | "fastinter" | "downinter" | "timeout", fallbackMs: number) => {
    const { path, value } = find(word);
    return context.duration(path, value, "ms", fallbackMs, shortestIntervalMs);
  };
  const intervalMs = time("inter", defaultCheck.intervalMs);
  const observe = readObserve(find, context);
  const port = find("port").value;
  // HAProxy's rule: whatever listens on a port of its own may not expect it.
  const sendProxy = find("send_proxy").value ?? (says.proxy && port === undefined);
  const overTls = find("ssl").value ?? (says.tls && port === undefined);
  return {
    intervalMs,
    fastIntervalMs: time("fastinter", intervalMs),
    downIntervalMs: time("downinter", intervalMs),
    rise: find("rise").value ?? defaultCheck.rise,
    fall: find("fall").value ?? defaultCheck.fall,
    port: port ?? serverPort,
    timeoutMs: time("timeout", Math.max(shortestIntervalMs, Math.min(intervalMs, connectTimeoutMs))),
    ...(sendProxy && { sendProxy: true as const }),
    ...(overTls && { overTls: true as const }),
    ...(observe !== null && { observe }),
  };
}

type FindCheckWord = <Word extends keyof CheckWords>(
  word: Word,
) => { readonly path: Path; readonly value: CheckWords[Word] | undefined };

function readObserve(find: FindCheckWord, context: Context): ObserveConfig | null {
  const layer = find("observe").value;
  if (layer !== undefined && layer !== "none") {
    return {
      layer,
      errorLimit: find("error_limit").value ?? defaultCheck.errorLimit,
      onError: find("on_error").value ?? "fail-check",
    };
  }
  for (const word of ["error_limit", "on_error"] as const) {
    const { path, value } = find(word);
    if (value === undefined) continue;
    context.problem(path, `${word} says nothing without observe`, "add observe: layer4 or observe: layer7");
  }
  return null;
}
