import type { CookieConfig } from "../config/cookie-config.js";
import { ageOf, type CookieDates, noDates, splitDates, writeDates } from "./cookie-dates.js";
import { lower } from "./http1/byte-class.js";
import { Head, type HeadLimits, Method, parseRequestHead } from "./http1/head.js";
import { RequestFacts } from "./rules/request-facts.js";
import type { ResponseFacts } from "./rules/response-facts.js";

/** What a client's cookie said: HAProxy's third letter of the termination state. */
export type CookieSaid = "N" | "I" | "D" | "V" | "E" | "O";

/**
 * HAProxy's fourth letter: nothing was done about the cookie, it was inserted, its dates were renewed, the server's own passed, was
 * dropped, or rewritten.
 */
export type CookieDone = "N" | "I" | "U" | "P" | "D" | "R";

/** Between a server's value and what the server itself has set, with mode prefix. */
const delimiter = "~";

/** Whether a server takes requests of clients that are its own. */
export interface StickyServers {
  /** Down, or in maintenance: a drained server keeps its clients. */
  isStopped(server: number): boolean;
}

/** What a request's cookie said, for the answer to it. */
export interface Asked {
  /** The server that it led to; −1: none. */
  readonly server: number;
  readonly dates: CookieDates;
}

/** What the cookie is about is not who sends it. */
const nobody = { source: "", overTls: false, certificate: null, agreed: null };

const cookieName = [..."cookie"].map((letter) => letter.charCodeAt(0));

/**
 * HAProxy's cookie: tells a client which server it was at, and finds that server again. One for each
 * backend and data thread; `server`, `said` and `head` are those of the request that was looked at last.
 */
export class Stickiness {
  /** The server that the client asks for; −1: none, or it is stopped. */
  server = -1;
  said: CookieSaid = "N";
  /** When the client came last and first, by its cookie. */
  dates: CookieDates = noDates;
  /** Of the request that `lookAt` has changed. */
  readonly head: Head;
  private readonly servers = new Map<string, number>();

  constructor(
    private readonly config: CookieConfig,
    /** The servers' values; null: this one has none. */
    private readonly values: readonly (string | null)[],
    private readonly states: StickyServers,
    private readonly limits: HeadLimits,
    /** Seconds since 1970. */
    private readonly nowS: () => number,
  ) {
    this.head = new Head(limits.maxFields);
    for (const [server, value] of values.entries()) {
      if (value !== null && !this.servers.has(value)) this.servers.set(value, server);
    }
  }

  /**
   * Looks for the cookie of the request that `head` describes in `bytes`. Returns the request without it, described by
   * `this.head`, where servers are not to see it (`indirect`), or not all of it (`prefix`); null: it goes on as it came.
   */
  lookAt(bytes: Uint8Array, head: Head): Uint8Array | null {
    this.server = -1;
    this.said = "N";
    this.dates = noDates;
    let isThere = false;
    for (let field = 0; field < head.fieldCount; field++) {
      if (!isCookie(bytes, head.nameStart[field], head.nameEnd[field])) continue;
      const value = latin1(bytes, head.valueStart[field], head.valueEnd[field]);
      for (const pair of value.split(";")) {
        const own = this.ownValue(pair);
        if (own === null) continue;
        isThere = true;
        if (this.config.mode === "prefix") this.take(own.split(delimiter, 1)[0]);
        else this.takeDated(own);
      }
    }
    const { indirect, mode } = this.config;
    return isThere && (indirect || mode === "prefix") ? this.asServersSeeIt(bytes, head) : null;
  }

  /**
   * Tells the client of `server`, which answered, where it asked for another one or for none, or its cookie's dates are to be
   * renewed. Returns HAProxy's fourth letter.
   */
  answer(response: ResponseFacts, server: number, asked: Asked, method: number): CookieDone {
    const { config } = this;
    if (config.mode !== undefined) return this.rewrite(response, this.values[server], config.mode);
    let letter: CookieDone = "N";
    const own = response.fields.some((field) => this.isOwnSetCookie(field));
    if (own && config.preserve) return "P";
    if (own) {
      response.keepFields((field) => !this.isOwnSetCookie(field));
      letter = "D";
    }
    const isOwn = server === asked.server;
    if (isOwn && !this.isToRenew(asked.dates)) return letter;
    if (config.postonly && method !== Method.POST) return letter;
    const value = this.values[server];
    response.addField("Set-Cookie", this.setCookie(value === null ? null : this.dated(value, asked.dates)));
    if (config.nocache && mayBeCached(response, method)) response.addField("Cache-Control", "private");
    return isOwn && value !== null ? "U" : "I";
  }

  /** Down or in maintenance: it has lost its clients. */
  isGone(server: number): boolean {
    return this.states.isStopped(server);
  }

  /** Dates that are too old have the client forgotten. */
  private takeDated(text: string): void {
    const [value, dates] = splitDates(text);
    if (dates === noDates || this.server >= 0) {
      this.take(value);
      return;
    }
    const age = ageOf(dates, this.config, this.nowS());
    this.dates = age === null ? dates : noDates;
    if (age === null) this.take(value);
    else this.said = age;
  }

  private isToRenew({ lastS, firstS }: CookieDates): boolean {
    const { maxIdleS, maxLifeS } = this.config;
    if (maxIdleS === undefined && maxLifeS === undefined && lastS === 0 && firstS === 0) return false;
    return (
      (maxLifeS !== undefined) !== (firstS !== 0) ||
      ((maxIdleS !== undefined || lastS !== 0) && (lastS === 0 || lastS < this.nowS()))
    );
  }

  private dated(value: string, { firstS }: CookieDates): string {
    const { maxIdleS, maxLifeS } = this.config;
    if (maxIdleS === undefined && maxLifeS === undefined) return value;
    return writeDates(value, this.nowS(), maxLifeS === undefined ? null : firstS);
  }

  private take(value: string): void {
    if (this.server >= 0) return;
    const server = this.servers.get(value);
    if (server === undefined) {
      if (this.said === "N") this.said = "I";
    } else if (this.states.isStopped(server)) {
      this.said = "D";
    } else {
      this.said = "V";
      this.server = server;
    }
  }

  /** Of `name=value`; null: another cookie. */
  private ownValue(pair: string): string | null {
    const equals = pair.indexOf("=");
    return equals >= 0 && pair.slice(0, equals).trim() === this.config.name
      ? pair.slice(equals + 1).trim()
      : null;
  }

  /** The server's own cookie names the server now. */
  private rewrite(response: ResponseFacts, id: string | null, mode: "rewrite" | "prefix"): CookieDone {
    const own = response.fields.some((field) => this.isOwnSetCookie(field));
    if (!own) return "N";
    if (id === null) return "P";
    response.replaceFields("set-cookie", (value) => {
      if (!this.isOwnSetCookie({ name: "set-cookie", value })) return value;
      const [pair, ...attributes] = value.split(";");
      const set = mode === "rewrite" ? id : `${id}${delimiter}${this.ownValue(pair)}`;
      return [`${pair.slice(0, pair.indexOf("="))}=${set}`, ...attributes].join(";");
    });
    return "R";
  }

  private asServersSeeIt(bytes: Uint8Array, head: Head): Uint8Array | null {
    const facts = new RequestFacts(bytes, head, nobody);
    facts.replaceFields("cookie", (value) => {
      if (this.config.mode === "prefix")
        return value
          .split(";")
          .map((pair) => this.withoutId(pair))
          .join(";");
      const left = value.split(";").filter((pair) => this.ownValue(pair) === null);
      return left.length === 0 ? null : left.join(";").trim();
    });
    const edited = facts.toHead();
    const end = parseRequestHead(edited, 0, edited.length, this.head, this.limits);
    return end === edited.length ? edited : null;
  }

  /** `SRV=s1~abc` is `SRV=abc` for the server. */
  private withoutId(pair: string): string {
    const value = pair.indexOf("=") + 1;
    const at = this.ownValue(pair) === null ? -1 : pair.indexOf(delimiter, value);
    return at < 0 ? pair : pair.slice(0, value) + pair.slice(at + 1);
  }

  private isOwnSetCookie({ name, value }: { readonly name: string; readonly value: string }): boolean {
    return name.toLowerCase() === "set-cookie" && this.ownValue(value.split(";", 1)[0]) !== null;
  }

  /** A server without a value of its own has the client forget the one that it has. */
  private setCookie(value: string | null): string {
    const { name, domain, httponly, secure, attributes } = this.config;
    return [
      value === null ? `${name}=; Expires=Thu, 01-Jan-1970 00:00:01 GMT` : `${name}=${value}`,
      "path=/",
      ...(domain === undefined ? [] : [`domain=${domain}`]),
      ...(httponly ? ["HttpOnly"] : []),
      ...(secure ? ["Secure"] : []),
      ...attributes,
    ].join("; ");
  }
}

/**
 * Whether HAProxy takes a cache to be allowed to keep it: by status and method, by a word on its freshness or something to
 * validate it by, and if its own words do not say otherwise.
 */
function mayBeCached(response: ResponseFacts, method: number): boolean {
  if (method !== Method.GET && method !== Method.HEAD) return false;
  if (![200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501].includes(response.status)) return false;
  const says = (name: string): boolean => response.valueOf(name) !== null;
  if (!says("cache-control") && !says("expires") && !says("etag") && !says("last-modified")) return false;
  return !response.fields.some(
    ({ name, value }) =>
      (name.toLowerCase() === "cache-control" &&
        /(?:^|,)\s*(?:private|no-cache|no-store|max-age=0|s-maxage=0)\s*(?:,|$)/i.test(value)) ||
      (name.toLowerCase() === "pragma" && /no-cache/i.test(value)),
  );
}

function isCookie(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== cookieName.length) return false;
  for (let i = 0; i < cookieName.length; i++) if (lower(bytes[start + i]) !== cookieName[i]) return false;
  return true;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
