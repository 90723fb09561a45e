import { parseBalance } from "../config/balance.js";
import type { Place } from "./draft.js";
import { listenAddress, readBindWords } from "./haproxy-bind.js";
import { importHttpCheck, importHttpchk } from "./haproxy-http-check.js";
import { importLog } from "./haproxy-log.js";
import type { Line } from "./haproxy-parse.js";
import { RuleImport } from "./haproxy-rules.js";
import { haproxyTime, noteLeft, readServerWords, serverAddress } from "./haproxy-server.js";
import { importStats, importStatsPage } from "./haproxy-stats.js";
import type { Inherited, Outcome, ProxyTarget } from "./haproxy-target.js";
import { proxyReasons, timeoutReasons } from "./haproxy-words.js";
import { freeName } from "./names.js";
import { shown } from "./shown-line.js";

const clientTimeouts = ["client", "http-request", "http-keep-alive", "client-fin"];
const serverTimeouts = ["connect", "queue", "server", "tunnel", "server-fin"];
/** The time-outs of HAProxy 1.3. */
const oldTimeouts: Readonly<Record<string, string>> = {
  contimeout: "connect",
  clitimeout: "client",
  srvtimeout: "server",
};

const isDynamicCookie = ({ words }: Inherited): boolean => words[0] === "cookie" && words.includes("dynamic");

/** HAProxy counts seconds where the unit is left out. */
const haproxySeconds = (text: string): string => (/^\d+$/.test(text) ? `${text}s` : text);

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
      importStatsPage(this.target, heading, this.lines);
      this.readStats();
      draft.join(["admin"], { file: this.target.file, line: heading.line });
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
    if (this.target.side !== "backend") importLog(this.target, this.lines, this.mode);
    if (this.mode === "tcp" && draft.has(path)) {
      const place = this.lines.findLast(({ words: [word] }) => word === "mode");
      if (place !== undefined)
        draft.set([...path, "mode"], "tcp", { file: this.target.file, line: place.line });
    }
  }

  private readStats(): void {
    for (const { line } of this.statsLines) this.taken.add(line);
    importStats(this.target, this.statsLines, this.isStatsOnly);
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
      case "dynamic-cookie-key":
        // The cookie's line looks for it.
        return hasServers && this.mode === "http" && this.lines.some(isDynamicCookie) ? "taken" : "unused";
      case "errorfile":
        if (this.mode === "tcp") return "unused";
        if (!/^[45]\d\d$/.test(value)) return { reason: "errorfiles are about 400 to 599" };
        return rest[0]?.startsWith("/") === true
          ? this.set(["errorfiles", value], rest[0], place)
          : { reason: "errorfiles have absolute paths" };
      case "option":
        return this.option(value, rest, place);
      case "http-check":
        return hasServers ? importHttpCheck(this.target, [value, ...rest], place) : "unused";
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
    const attributes: string[] = [];
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      if (flags.includes(word)) this.set(["cookie", word], true, place);
      else if (mode !== "insert" && /^(domain|attr|maxidle|maxlife)$/.test(word)) i++;
      else if (word === "domain") this.set(["cookie", "domain"], words[++i] ?? "", place);
      else if (word === "attr") attributes.push(words[++i] ?? "");
      else if (word === "maxidle" || word === "maxlife") {
        // 0: no limit.
        const time = words[++i] ?? "";
        if (!/^0+\D*$/.test(time)) this.set(["cookie", word], haproxySeconds(time), place);
      } else if (word === "dynamic" && mode === "insert") this.dynamicCookie(place);
      else if (word !== mode) this.target.draft.note(place, word, `cookie: has no ${word}`);
    }
    if (attributes.length > 0) this.set(["cookie", "attr"], attributes, place);
    return "taken";
  }

  private dynamicCookie(place: Place): void {
    const key = this.lines.findLast(({ words: [word] }) => word === "dynamic-cookie-key")?.words[1];
    if (key !== undefined) this.set(["cookie", "dynamic_key"], key, place);
    else this.target.draft.note(place, "dynamic", "without dynamic-cookie-key no server gets a cookie by it");
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
    const endpoint = serverAddress(address, this.binds);
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

  /** Each line says all of it anew, whatever the ones before it said. */
  private forwardFor(words: readonly string[], place: Place): Outcome {
    const last = this.lines.findLast(({ words: [word, name] }) => word === "option" && name === "forwardfor");
    if (words.length === 0) return this.unknown(["option", "forwardfor"]);
    if (this.mode === "tcp" || this.target.side === "backend") return "unused";
    if (last?.line !== place.line) return "taken";
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      if (word === "if-none") this.set(["forwardfor", "if_none"], true, place);
      else if (word === "except" || word === "header")
        this.set(["forwardfor", word], words[++i] ?? "", place);
      else this.target.draft.note(place, word, `forwardfor: has no ${word}`);
    }
    return "taken";
  }

  private option(name: string, rest: readonly string[], place: Place): Outcome {
    const { side } = this.target;
    const hasServers = side !== "frontend";
    if (["httplog", "tcplog", "dontlognull", "dontlog-normal"].includes(name)) {
      return side === "backend" ? "unused" : "taken";
    }
    if (name === "allbackups") return hasServers ? this.set(["allbackups"], true, place) : "unused";
    if (name === "forwardfor") return this.forwardFor(rest, place);
    if (name !== "httpchk") return this.unknown(["option", name]);
    return hasServers ? importHttpchk(this.target, rest, place) : "unused";
  }
}

function simple(value: unknown): string | number | boolean {
  return typeof value === "number" || typeof value === "boolean" ? value : String(value);
}
