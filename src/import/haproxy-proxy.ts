import { parseBalance } from "../config/balance.js";
import type { Draft, Place } from "./draft.js";
import { readBindWords } from "./haproxy-bind.js";
import type { Line } from "./haproxy-parse.js";
import { RuleImport } from "./haproxy-rules.js";
import { haproxyTime, noteLeft, readServerWords } from "./haproxy-server.js";
import { proxyReasons, timeoutReasons } from "./haproxy-words.js";
import { freeName } from "./names.js";

/** A line of a proxy, or of the defaults that it has. */
export interface Inherited extends Line {
  readonly isDefault: boolean;
}

export interface LogTarget {
  /** Behind `log`. */
  readonly words: readonly string[];
  readonly place: Place;
}

export interface ProxyTarget {
  readonly draft: Draft;
  readonly path: readonly string[];
  readonly side: "both" | "frontend" | "backend";
  readonly file: string;
  readonly logTargets: readonly LogTarget[];
  readonly userlists: ReadonlyMap<string, ReadonlyMap<string, string>>;
  backendNamed(name: string): string;
}

/** What a line came to: carried over; of no use on this side; or why not. */
type Outcome = "taken" | "unused" | { readonly reason: string };

const clientTimeouts = ["client", "http-request", "http-keep-alive", "client-fin"];
const serverTimeouts = ["connect", "queue", "server", "tunnel", "server-fin"];
/** The time-outs of HAProxy 1.3. */
const oldTimeouts: Readonly<Record<string, string>> = {
  contimeout: "connect",
  clitimeout: "client",
  srvtimeout: "server",
};

/** One `listen`, `frontend` or `backend`. */
export class ProxyImport {
  /** Lines, by their numbers. */
  readonly taken = new Set<number>();
  readonly refused = new Set<number>();
  private readonly rules: RuleImport;
  private readonly statsLines: Inherited[] = [];
  private readonly defaultServer: { readonly words: readonly string[]; readonly place: Place }[] = [];
  private readonly binds: string[] = [];
  private mode = "http";

  constructor(
    private readonly target: ProxyTarget,
    private readonly lines: readonly Inherited[],
  ) {
    this.rules = new RuleImport(target.draft, [...target.path, "rules"], target.userlists);
  }

  /** `stats` and no servers: the page alone. */
  get isStatsOnly(): boolean {
    return (
      this.statsLines.length > 0 &&
      !this.lines.some(
        ({ words: [word], isDefault }) =>
          !isDefault && /^(server|default_backend|use_backend|server-template|dispatch)$/.test(word),
      )
    );
  }

  read(heading: Line): void {
    const { draft, path } = this.target;
    this.statsLines.push(...this.lines.filter(({ words: [word] }) => word === "stats"));
    this.mode = this.lines.findLast(({ words: [word] }) => word === "mode")?.words[1] ?? "http";
    if (this.isStatsOnly) {
      this.readStatsOnly(heading);
      return;
    }
    // HAProxy 1.x: `listen http 10.0.0.1:80`.
    const address = heading.words.slice(2).filter((word, i, all) => word !== "from" && all[i - 1] !== "from");
    for (const text of address) this.bind([text], { file: this.target.file, line: heading.line });
    // Where clients come in is what a reader looks for first.
    const isBind = ({ words: [word] }: Line): boolean => word === "bind";
    for (const line of [...this.lines.filter(isBind), ...this.lines.filter((one) => !isBind(one))]) {
      const place = { file: this.target.file, line: line.line };
      const outcome = this.readLine(line, place);
      if (outcome === "taken") this.taken.add(line.line);
      else if (outcome === "unused") {
        if (!line.isDefault) draft.note(place, shown(line.words), `a ${this.target.side} has no use for it`);
      } else {
        this.refused.add(line.line);
        draft.note(place, shown(line.words), outcome.reason);
      }
    }
    this.rules.finish();
    this.readStats();
    this.readLog();
    if (this.mode === "tcp" && draft.has(path)) {
      const place = this.lines.findLast(({ words: [word] }) => word === "mode");
      if (place !== undefined)
        draft.set([...path, "mode"], "tcp", { file: this.target.file, line: place.line });
    }
  }

  private readLine(line: Inherited, place: Place): Outcome {
    const { draft, path, side } = this.target;
    const { words } = line;
    const [word, value = "", ...rest] = words;
    const hasClients = side !== "backend";
    const hasServers = side !== "frontend";
    switch (word) {
      case "mode":
        if (value !== "http" && value !== "tcp") return { reason: `mode ${value} is not there` };
        draft.join(path, place);
        return "taken";
      case "bind":
        return hasClients ? this.bind(words.slice(1), place) : "unused";
      case "maxconn":
        return hasClients && /^\d+$/.test(value) ? this.set(["maxconn"], Number(value), place) : "unused";
      case "default_backend":
        return side === "frontend"
          ? this.set(["default_backend"], this.target.backendNamed(value), place)
          : "unused";
      case "balance":
        return hasServers ? this.balance([value, ...rest].join(" "), place) : "unused";
      case "hash-type":
        if (!hasServers) return "unused";
        return value === "consistent" || value === "map-based"
          ? this.set(["hash_type"], value, place)
          : { reason: `hash_type has no ${value}` };
      case "retries":
        return hasServers && this.mode === "http" ? this.set(["retries"], Number(value), place) : "unused";
      case "retry-on":
        return hasServers && this.mode === "http" ? this.retryOn([value, ...rest], place) : "unused";
      case "server":
        return hasServers ? this.server(value, rest, place) : "unused";
      case "default-server":
        if (!hasServers) return "unused";
        this.defaultServer.push({ words: words.slice(1), place });
        draft.join([...path, "servers"], place);
        return "taken";
      case "timeout":
        return this.timeout(value, rest[0], place);
      case "contimeout":
      case "clitimeout":
      case "srvtimeout":
        return this.timeout(oldTimeouts[word], value, place);
      case "cookie":
        return hasServers && this.mode === "http" ? this.cookie(value, rest, place) : "unused";
      case "errorfile":
        if (this.mode === "tcp") return "unused";
        if (!/^[45]\d\d$/.test(value)) return { reason: "errorfiles are about 400 to 599" };
        return rest[0]?.startsWith("/") === true
          ? this.set(["errorfiles", value], rest[0], place)
          : { reason: "errorfiles have absolute paths" };
      case "option":
        return this.option(value, rest, place);
      case "http-check":
        return hasServers ? this.httpCheck([value, ...rest], place) : "unused";
      case "stats":
        return "taken";
      case "log":
        return hasClients ? "taken" : "unused";
      case "no":
        return { reason: "it switches off what is not there, or what is always there" };
      default:
        return this.readRuleLine(line, place);
    }
  }

  private readRuleLine(line: Inherited, place: Place): Outcome {
    const { words } = line;
    const [word, value = "", ...rest] = words;
    if (this.mode === "tcp" && word === "tcp-request") {
      if (value === "inspect-delay")
        return this.set(["timeout", "inspect-delay"], haproxyTime(rest[0] ?? ""), place);
      if (value === "content" && rest[0] === "accept") {
        this.rules.accept(rest.slice(1));
        return "taken";
      }
    }
    if (
      !["acl", "http-request", "redirect", "block", "monitor-uri", "use_backend", "http-response"].includes(
        word,
      )
    )
      return this.unknown(words);
    if (this.target.side === "backend") return { reason: "rules stand in frontends and proxies" };
    if (this.mode === "tcp" && word !== "acl" && word !== "use_backend")
      return { reason: "rules are about requests, which mode tcp does not see" };
    if (word === "acl") this.rules.acl(line, place);
    else if (word === "use_backend")
      this.rules.useBackend(this.target.backendNamed(value), rest, { line, place, mode: this.mode });
    else if (word === "http-response") this.rules.response([value, ...rest], line, place);
    else if (word === "http-request") this.rules.request([value, ...rest], line, place);
    else if (word === "monitor-uri")
      this.rules.request(["return", "status", "200", "if", "{", "path", value, "}"], line, place);
    else this.rules.request(words, line, place);
    return "taken";
  }

  private unknown(words: readonly string[]): Outcome {
    const pair = words.slice(0, 2).join(" ");
    const reason = Object.hasOwn(proxyReasons, pair)
      ? proxyReasons[pair]
      : Object.hasOwn(proxyReasons, words[0])
        ? proxyReasons[words[0]]
        : `Tandem has no ${words[0]}`;
    return { reason };
  }

  private set(
    path: readonly string[],
    value: string | number | boolean | readonly string[],
    place: Place,
  ): Outcome {
    this.target.draft.set([...this.target.path, ...path], value, place);
    return "taken";
  }

  private bind(words: readonly string[], place: Place): Outcome {
    const [addresses = "", ...parameters] = words;
    const { draft } = this.target;
    const { words: own, left, missing } = readBindWords(parameters);
    if (missing !== null)
      return { reason: `bind has no ${missing}, and without it the clients would not be understood` };
    for (const word of left) draft.note(place, word, `${word} of bind is left out: it changes nothing here`);
    const listed = addresses.split(",").map(listenAddress);
    if (listed.some((address) => address === null))
      return { reason: "a proxy listens on addresses and ports alone" };
    const taken = listed.flatMap((address) => address ?? []);
    this.binds.push(...taken);
    if (own.size === 0) return this.set(["bind"], taken, place);
    for (const address of taken)
      draft.add([...this.target.path, "bind"], new Map([["address", address], ...own]), place);
    return "taken";
  }

  private balance(text: string, place: Place): Outcome {
    const plain = text.replace(/^static-rr$/, "roundrobin").replace(/\s+use_domain_only$/, "");
    const result = parseBalance(plain);
    return result.ok ? this.set(["balance"], plain, place) : { reason: result.message };
  }

  private cookie(name: string, words: readonly string[], place: Place): Outcome {
    const mode = words.find((word) => word === "insert" || word === "rewrite" || word === "prefix");
    if (mode === undefined) return { reason: "a cookie is inserted, rewritten or a prefix" };
    // What HAProxy takes beside the other modes says nothing there.
    const flags =
      mode === "insert" ? ["indirect", "nocache", "postonly", "preserve", "httponly", "secure"] : [];
    this.set(["cookie", "name"], name, place);
    if (mode !== "insert") this.set(["cookie", "mode"], mode, place);
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      if (flags.includes(word)) this.set(["cookie", word], true, place);
      else if (mode !== "insert" && (word === "domain" || word === "attr")) i++;
      else if (word === "domain") this.set(["cookie", "domain"], words[++i] ?? "", place);
      else if (word === "attr") this.set(["cookie", "attr"], [words[++i] ?? ""], place);
      else if (word !== mode) {
        this.target.draft.note(place, word, `cookie: has no ${word}`);
        if (/^max/.test(word)) i++;
      }
    }
    return "taken";
  }

  private retryOn(words: readonly string[], place: Place): Outcome {
    const known = words.filter((word) =>
      /^(conn-failure|empty-response|response-timeout|all-retryable-errors|\d{3})$/.test(word),
    );
    for (const word of words.filter((each) => !known.includes(each)))
      this.target.draft.note(place, word, `retry_on has no ${word}`);
    // A later line takes the place of the defaults'.
    if (this.target.draft.has([...this.target.path, "retry_on"]))
      this.target.draft.join(this.target.path, place);
    return known.length === 0
      ? { reason: "nothing of it was carried over" }
      : this.set(["retry_on"], known, place);
  }

  private server(name: string, [address = "", ...words]: readonly string[], place: Place): Outcome {
    const { draft, path } = this.target;
    const {
      words: own,
      left,
      refusal,
    } = readServerWords([...this.defaultServer.flatMap(({ words: its }) => its), ...words]);
    if (refusal !== null) return { reason: refusal };
    const endpoint = this.serverAddress(address);
    if (endpoint === null) return { reason: "a server has an address and a port" };
    const plain = freeName(name, new Set(draft.keys([...path, "servers"])));
    noteLeft(left, draft, place);
    if (plain !== name) draft.note(place, name, `its name is ${plain} in lb.yaml`);
    if (own.size === 0) return this.set(["servers", plain], endpoint, place);
    draft.set([...path, "servers", plain, "address"], endpoint, place);
    for (const [word, value] of own) {
      const at = [...path, "servers", plain, word];
      if (value instanceof Map)
        for (const [inner, text] of value) draft.set([...at, String(inner)], simple(text), place);
      else draft.set(at, simple(value), place);
    }
    return "taken";
  }

  /** Without a port HAProxy takes the one that the client came to. */
  private serverAddress(text: string): string | null {
    const plain = text.replace(/^(ipv4|ipv6)@/, "");
    if (plain === "" || /^[a-z]+@|^\//.test(plain)) return null;
    if (/^(\[[^\]]+\]|[^:]+):\d+$/.test(plain)) return plain;
    // An IPv6 address without brackets: the port is behind the last colon.
    const bare = /^([0-9a-fA-F:]*::?[0-9a-fA-F:.]*):(\d+)$/.exec(plain);
    if (bare?.[1].includes(":")) return `[${bare[1]}]:${bare[2]}`;
    const ports = new Set(this.binds.map((bind) => /:(\d+)$/.exec(bind)?.[1]));
    const [port] = ports;
    return ports.size === 1 && port !== undefined && !plain.includes(":") ? `${plain}:${port}` : null;
  }

  private timeout(word: string, value: string | undefined, place: Place): Outcome {
    const { side } = this.target;
    if (value === undefined) return { reason: "it has no value" };
    if (word === "check") return { reason: "write it as check: { timeout } of default_server" };
    if (Object.hasOwn(timeoutReasons, word)) return { reason: timeoutReasons[word] };
    const isClient = clientTimeouts.includes(word);
    if (!isClient && !serverTimeouts.includes(word)) return { reason: `there is no timeout ${word}` };
    if (isClient ? side === "backend" : side === "frontend") return "unused";
    const isHttp = word === "http-request" || word === "http-keep-alive";
    if ((isHttp && this.mode === "tcp") || (word.endsWith("-fin") && this.mode === "http")) return "unused";
    return this.set(["timeout", word], haproxyTime(value), place);
  }

  private option(name: string, rest: readonly string[], place: Place): Outcome {
    const { draft, path, side } = this.target;
    const hasServers = side !== "frontend";
    if (["httplog", "tcplog", "dontlognull", "dontlog-normal"].includes(name)) {
      return side === "backend" ? "unused" : "taken";
    }
    if (name === "allbackups") return hasServers ? this.set(["allbackups"], true, place) : "unused";
    if (name !== "httpchk") return this.unknown(["option", name]);
    if (!hasServers) return "unused";
    const [method, uri] = rest.length === 1 ? [undefined, rest[0]] : rest;
    const host = /Host:\s*([^\r\n\\]+)/i.exec(rest.slice(2).join(" "))?.[1];
    draft.set([...path, "http_check", "method"], method ?? "OPTIONS", place);
    if (uri !== undefined) draft.set([...path, "http_check", "uri"], uri, place);
    if (host !== undefined) draft.set([...path, "http_check", "host"], host.trim(), place);
    return "taken";
  }

  private httpCheck(words: readonly string[], place: Place): Outcome {
    const [kind, ...rest] = words;
    const at = (word: string): readonly string[] => ["http_check", word];
    if (kind === "send") {
      let outcome: Outcome = { reason: "http_check has nothing of it" };
      for (let i = 0; i < rest.length; i++) {
        const value = rest[i + 1] ?? "";
        if (rest[i] === "meth") outcome = this.set(at("method"), value, place);
        else if (rest[i] === "uri") outcome = this.set(at("uri"), value, place);
        else if (rest[i] === "hdr" && value.toLowerCase() === "host") {
          outcome = this.set(at("host"), rest[i + 2] ?? "", place);
          i++;
        } else if (rest[i] !== "ver") {
          this.target.draft.note(place, rest[i], `http_check has no ${rest[i]}`);
        }
        i++;
      }
      return outcome;
    }
    if (kind === "expect") {
      const [what, value = ""] = rest.filter((word) => !["min-recv", "comment"].includes(word));
      if (what === "status")
        return this.set(["http_check", "expect", "status"], value.replaceAll(" ", ","), place);
      if (what === "string")
        return this.set(["http_check", "expect", "string"], rest.slice(1).join(" "), place);
      return { reason: `http_check expects a status or a string, and not ${what}` };
    }
    return { reason: `http_check has no ${kind}` };
  }

  /** A proxy for the page alone is `admin:` here; a page beside traffic gets an address of its own. */
  private readStatsOnly(heading: Line): void {
    const { draft, file } = this.target;
    const old = heading.words.slice(2).find((word) => word !== "from");
    for (const line of this.lines) {
      const place = { file, line: line.line };
      const [word, value = ""] = line.words;
      if (word === "bind" && !line.isDefault) {
        const listed = value.split(",").map(listenAddress);
        const [first] = listed;
        if (first === null || draft.has(["admin", "bind"]))
          draft.note(place, shown(line.words), "the admin server has one address");
        else draft.set(["admin", "bind"], first.replace(/^\*/, "0.0.0.0"), place);
      } else if (word === "stats") continue;
      else if (!line.isDefault) draft.note(place, shown(line.words), "the admin server has no such setting");
    }
    if (old !== undefined) {
      const address = listenAddress(old);
      if (address !== null)
        draft.set(["admin", "bind"], address.replace(/^\*/, "0.0.0.0"), { file, line: heading.line });
    }
    this.readStats();
    draft.join(["admin"], { file, line: heading.line });
  }

  private readStats(): void {
    const { draft, file } = this.target;
    let isBeside = false;
    for (const { words, line, isDefault } of this.statsLines) {
      const place = { file, line };
      const [, word = "", value = ""] = words;
      this.taken.add(line);
      const [user = "", ...password] = value.split(":");
      if (word === "uri") draft.set(["admin", "stats", "uri"], value, place);
      else if (word === "auth" && !draft.has(["admin", "stats", "password"])) {
        draft.set(["admin", "stats", "user"], user, place);
        draft.set(["admin", "stats", "password"], password.join(":"), place);
      } else if (word === "auth") draft.note(place, "stats auth", "the stats page has one user");
      else if (word === "enable") draft.join(["admin"], place);
      else if (word === "admin" && value === "if" && words[3] === "TRUE")
        draft.set(["admin", "stats", "admin"], true, place);
      else draft.note(place, words.join(" "), statsReason(word));
      isBeside ||= !isDefault && !this.isStatsOnly;
    }
    if (isBeside && draft.has(["admin"])) {
      const first = this.statsLines.find(({ isDefault }) => !isDefault);
      draft.note(
        { file, line: first?.line ?? 1 },
        "stats",
        "the page moves from this proxy's address to that of admin:",
      );
    }
  }

  /** `log global` with `option httplog` and the like. */
  private readLog(): void {
    const { draft, path, side, file, logTargets } = this.target;
    if (side === "backend") return;
    const lines = this.lines.filter(({ words: [word] }) => word === "log");
    const options = this.lines.filter(
      ({ words: [word, name] }) =>
        word === "option" && /^(httplog|tcplog|dontlognull|dontlog-normal)$/.test(name ?? ""),
    );
    if (lines.length === 0) {
      for (const { line, words } of options)
        draft.note({ file, line }, words.join(" "), "no log names where lines go");
      return;
    }
    for (const { words, line } of lines) {
      const targets = words[1] === "global" ? logTargets : [{ words: words.slice(1), place: { file, line } }];
      for (const { words: own, place } of targets) {
        const [to = "", ...rest] = own;
        const address = logAddress(to);
        if (address === null) {
          draft.note(place, `log ${own.join(" ")}`, "lines go to stdout, files and syslog");
          continue;
        }
        const known = draft.get([...path, "log", "to"]);
        if (!Array.isArray(known) || !known.includes(address))
          draft.set([...path, "log", "to"], [address], place);
        else draft.join([...path, "log"], place);
        const facility = rest.find((word) => /^(local\d|daemon|user|kern|mail|auth|syslog|cron)$/.test(word));
        if (facility !== undefined && address !== "stdout")
          draft.set([...path, "log", "facility"], facility, place);
        draft.join([...path, "log"], { file, line });
      }
    }
    if (!draft.has([...path, "log"])) return;
    const [first] = lines;
    draft.set([...path, "log", "format"], this.mode === "tcp" ? "tcplog" : "httplog", {
      file,
      line: first.line,
    });
    for (const { words, line } of options) {
      const place = { file, line };
      if (words[1] === "dontlognull") draft.set([...path, "log", "dontlognull"], true, place);
      else if (words[1] === "dontlog-normal") draft.set([...path, "log", "dontlog_normal"], true, place);
      else if (words[1] === "tcplog") draft.set([...path, "log", "format"], "tcplog", place);
      else draft.join([...path, "log"], place);
    }
  }
}

function statsReason(word: string): string {
  if (word === "refresh") return "ask for it in the address: /stats;refresh=5s";
  if (word === "admin")
    return "the page acts for everybody who has its password, or for nobody: admin: stats: admin: true";
  if (word === "realm") return "the realm is HAProxy Statistics";
  if (word === "hide-version" || word === "show-node" || word === "show-legends" || word === "show-desc")
    return "the page has one form";
  return "the page has no such setting";
}

/** `*:80`, `:80`, `:::80`, `10.0.0.1:80`, `ipv4@…`; null: no address of a proxy. */
export function listenAddress(text: string): string | null {
  const plain = text.replace(/^(ipv4|ipv6)@/, "");
  if (/^[a-z]+@|^\//.test(plain)) return null;
  const match = /^(.*):(\d+(?:-\d+)?)$/.exec(plain);
  if (match === null) return null;
  const [, host, ports] = match;
  if (host === "" || host === "*" || host === "0.0.0.0") return `*:${ports}`;
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${ports}` : `${host}:${ports}`;
}

function logAddress(text: string): string | null {
  if (text === "stdout" || text === "fd@1" || text === "stderr") return "stdout";
  if (text.startsWith("/")) return text;
  if (/^(\d+\.){3}\d+$/.test(text) || /^[\w.-]+$/.test(text)) return `${text}:514`;
  return /^[\w.-]+:\d+$/.test(text) ? text : null;
}

/** A line for a message; what follows a word for a password is not shown. */
export function shown(words: readonly string[]): string {
  const secret = words.findIndex((word) => /pass|auth|secret|user/i.test(word));
  return (secret === -1 ? words : [...words.slice(0, secret + 1), "…"]).join(" ");
}

function simple(value: unknown): string | number | boolean {
  return typeof value === "number" || typeof value === "boolean" ? value : String(value);
}
