import type { Draft, Place } from "./draft.js";

/** The words of `server`, behind those of `default-server`, as the words of a server here. Pure. */

/** A server's own words here, and what was left out with its reason. */
export interface ServerWords {
  readonly words: ReadonlyMap<string, unknown>;
  readonly left: readonly { readonly word: string; readonly reason: string }[];
  /** The server cannot be had without it. */
  readonly refusal: string | null;
}

const checkTimes = ["inter", "fastinter", "downinter"];
const checkCounts = ["rise", "fall"];
/** With a value behind it. */
const valued: Readonly<Record<string, string>> = {
  minconn: "a server's maxconn is one number",
  id: "servers are numbered in their order",
  addr: "checks go to the server's own address",
  track: "a server is checked for itself",
  resolvers: "names of servers are looked up by the system",
  "resolve-prefer": "names of servers are looked up by the system",
  "init-addr": "a name that is not known yet is looked up again",
  source: "the kernel chooses the address towards servers",
  "pool-max-conn": "connections to servers are kept as long as they are useful",
  "pool-purge-delay": "connections to servers are kept as long as they are useful",
  "max-reuse": "connections to servers are kept as long as they are useful",
  redir: "write rules: [{ redirect: … }]",
  namespace: "the unit decides in which namespace Tandem runs",
  "check-sni": "checks ask for the server's own name",
  verifyhost: "write sni: the name that is asked for is the one that is verified",
  alpn: "servers are asked for HTTP/1.1",
  "check-alpn": "servers are asked for HTTP/1.1",
  ciphers: "OpenSSL's own list is used towards servers",
  ciphersuites: "OpenSSL's own list is used towards servers",
  "tcp-ut": "the time-outs find dead servers",
};
const flags: Readonly<Record<string, string>> = {
  "non-stick": "there are no stick tables",
  tfo: "it brings little between machines of one network",
  "no-check-ssl": "it is always so",
  "no-ssl": "it is always so",
  enabled: "it is always so",
};
/** Without these the bytes would be others than the server expects. */
const essential: Readonly<Record<string, string>> = {
  socks4: "servers are reached directly",
};

export function readServerWords(words: readonly string[]): ServerWords {
  const own = new Map<string, unknown>();
  const check = new Map<string, unknown>();
  const agent = new Map<string, unknown>();
  const left: { word: string; reason: string }[] = [];
  let isChecked = false;
  let isAsked = false;
  let refusal: string | null = null;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const value = words[i + 1];
    if (word === "check") isChecked = true;
    else if (word === "no-check") isChecked = false;
    else if (word === "agent-check" || word === "no-agent-check") isAsked = word === "agent-check";
    else if (word === "on-marked-down" || word === "on-marked-up")
      own.set(word.replaceAll("-", "_"), words[++i] ?? "");
    else if (word === "agent-port") agent.set("port", number(words[++i]));
    else if (word === "agent-inter") agent.set("inter", haproxyTime(words[++i]));
    else if (word === "agent-addr" || word === "agent-send") agent.set(word.slice(6), words[++i] ?? "");
    else if (word === "backup" || word === "disabled") own.set(word, true);
    else if (word === "send-proxy" || word === "send-proxy-v2") own.set(word.replaceAll("-", "_"), true);
    else if (word === "ssl") own.set("ssl", true);
    else if (word === "check-ssl") check.set("ssl", true);
    else if (word === "verify" || word === "crt") own.set(word, words[++i] ?? "");
    else if (word === "ca-file") {
      i++;
      if (value === "@system-ca")
        left.push({ word: `ca-file ${value}`, reason: "Node's own list is the default" });
      else own.set("ca_file", value ?? "");
    } else if (word === "sni") {
      i++;
      const name = /^str\(([^()]+)\)$/.exec(value ?? "")?.[1];
      if (name === undefined) left.push({ word, reason: "the name asked for is the same for each request" });
      else own.set("sni", name);
    } else if (word === "check-send-proxy") check.set("send_proxy", true);
    // HAProxy's 0 is no limit.
    else if (word === "maxconn" || word === "maxqueue") setLimit(own, word, words[++i]);
    else if (word === "cookie") own.set("cookie", words[++i] ?? "");
    else if (word === "weight") own.set(word, number(words[++i]));
    else if (word === "slowstart") own.set(word, haproxyTime(words[++i]));
    else if (checkTimes.includes(word)) check.set(word, haproxyTime(words[++i]));
    else if (checkCounts.includes(word) || word === "port") check.set(word, number(words[++i]));
    else if (word === "observe" || word === "error-limit" || word === "on-error") {
      i++;
      check.set(word.replace("-", "_"), word === "error-limit" ? number(value) : (value ?? ""));
    } else if (Object.hasOwn(essential, word)) refusal ??= essential[word];
    else if (Object.hasOwn(flags, word)) left.push({ word, reason: flags[word] });
    else if (Object.hasOwn(valued, word)) {
      i++;
      left.push({ word, reason: valued[word] });
    } else left.push({ word, reason: `servers have no ${word}` });
  }
  if (check.size > 0) own.set("check", check);
  else if (isChecked) own.set("check", true);
  if (isAsked) own.set("agent_check", agent);
  return { words: isChecked || !own.has("check") ? own : withoutCheck(own), left, refusal };
}

function setLimit(own: Map<string, unknown>, word: string, value: string | undefined): void {
  if (value === "0") own.delete(word);
  else own.set(word, number(value));
}

/** `inter` and the like say nothing before a server is checked. */
function withoutCheck(own: ReadonlyMap<string, unknown>): Map<string, unknown> {
  const rest = new Map(own);
  rest.delete("check");
  return rest;
}

export function noteLeft(left: ServerWords["left"], draft: Draft, place: Place): void {
  for (const { word, reason } of left) draft.note(place, word, `${word} is left out: ${reason}`);
}

/** HAProxy's times: a bare number is milliseconds. */
export function haproxyTime(text: string | undefined): string {
  if (text === undefined) return "";
  const micro = /^(\d+)us$/.exec(text);
  if (micro !== null) return `${Math.max(1, Math.round(Number(micro[1]) / 1000))}ms`;
  return /^\d+$/.test(text) ? `${text}ms` : text;
}

function number(text: string | undefined): number | string {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : (text ?? "");
}

/** Without a port HAProxy takes the one that the client came to: that of `binds`, if they have one. null: no address of a server here. */
export function serverAddress(text: string, binds: readonly string[]): string | null {
  const plain = text.replace(/^(ipv4|ipv6)@/, "");
  if (plain === "" || /^[a-z]+@|^\//.test(plain)) return null;
  if (/^(\[[^\]]+\]|[^:]+):\d+$/.test(plain)) return plain;
  // An IPv6 address without brackets: the port is behind the last colon.
  const bare = /^([0-9a-fA-F:]*::?[0-9a-fA-F:.]*):(\d+)$/.exec(plain);
  if (bare?.[1].includes(":")) return `[${bare[1]}]:${bare[2]}`;
  const ports = new Set(binds.map((bind) => /:(\d+)$/.exec(bind)?.[1]));
  const [port] = ports;
  return ports.size === 1 && port !== undefined && !plain.includes(":") ? `${plain}:${port}` : null;
}
