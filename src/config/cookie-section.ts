import Type from "typebox";
import { type Context, each } from "./context.js";
import type { CookieConfig } from "./cookie-config.js";
import { dynamicCookie } from "./dynamic-cookie.js";
import { quote } from "./problem.js";
import { closed, oneOrMore, text, truth } from "./schema-words.js";
import type { ServerConfig } from "./server-config.js";
import type { Path } from "./source.js";

/** HAProxy counts seconds here. */
function time(description: string) {
  const title = "a time such as 30m or 1d (a bare number counts seconds, as in HAProxy)";
  return Type.Optional(Type.Union([Type.Number(), Type.String()], { title, description }));
}

export const cookieSchema = Type.Object(
  {
    name: text("a cookie's name such as SERVERID", "Name of the cookie."),
    mode: Type.Optional(
      Type.Enum(["insert", "rewrite", "prefix"], {
        title: "insert, rewrite or prefix",
        description:
          "The proxy sets the cookie itself; or the servers set it, and their value is replaced, or gets one in front. Default insert.",
      }),
    ),
    indirect: truth("Servers do not see it. Default false."),
    nocache: truth("Responses that set it are marked private. Default false."),
    postonly: truth("Only answers to POST set it. Default false."),
    preserve: truth("A server's own cookie of that name passes. Default false."),
    httponly: truth("Scripts of the page do not see it. Default false."),
    secure: truth("Browsers send it over TLS alone. Default false."),
    domain: text("a domain such as .example.org", "Which hosts get it. Default: the one that set it."),
    maxidle: time("A client that has not come for so long is balanced anew. Default: no limit."),
    maxlife: time("So long after its first cookie a client is balanced anew. Default: no limit."),
    dynamic_key: text(
      "a secret such as a word of your own",
      "Servers without a cookie get one from this, their address and port, as HAProxy's dynamic-cookie-key does.",
    ),
    attr: oneOrMore("an attribute such as SameSite=Lax", "What else Set-Cookie says."),
  },
  {
    ...closed,
    title: "a mapping such as { name: SERVERID, indirect: true, nocache: true }",
    description: "Keeps a client at a server by a cookie. Left out: nothing does.",
  },
);

export type CookieShape = Type.Static<typeof cookieSchema>;

/** RFC 6265 §4.1.1. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const cookieOctets = /^[!#-+\--:<-[\]-~]+$/;
const attribute = /^[ !#-+\--:<-[\]-~]+$/;

/** Reads `cookie:` of a backend or listen; null: it is not usable. */
export function readCookie(
  path: Path,
  shape: CookieShape,
  servers: readonly ServerConfig[],
  context: Context,
): CookieConfig | null {
  const { name, domain } = shape;
  if (name === undefined) {
    context.missing([...path, "name"], "cookie has no name", "add one, such as name: SERVERID");
    return null;
  }
  if (!token.test(name))
    context.problem([...path, "name"], `${quote(name)} is no cookie's name`, "write letters, digits and _ -");
  if (domain !== undefined && !/^\.?[A-Za-z0-9.-]+$/.test(domain))
    context.problem([...path, "domain"], `${quote(domain)} is no domain`, "write, for example, .example.org");
  const mode = shape.mode === "insert" ? undefined : shape.mode;
  if (mode !== undefined) {
    for (const word of [
      "indirect",
      "nocache",
      "postonly",
      "preserve",
      "httponly",
      "secure",
      "domain",
      "attr",
      "maxidle",
      "maxlife",
      "dynamic_key",
    ] as const) {
      if (shape[word] === undefined || shape[word] === false) continue;
      context.problem(
        [...path, word],
        `${word} is about a cookie that the proxy sets, and with mode: ${mode} the servers do`,
        "leave it out, or write mode: insert",
        "key",
      );
    }
  }
  const divided = mode === "prefix" ? servers.find(({ cookie }) => cookie?.includes("~")) : undefined;
  if (divided !== undefined)
    context.problem(
      [...path, "mode"],
      `${quote(divided.cookie ?? "")}, the cookie of ${divided.name}, has the ~ in it that ends a prefix`,
      "give the server a value without ~",
    );
  const attributes = each([...path, "attr"], shape.attr);
  for (const [at, value] of attributes) {
    if (!attribute.test(value))
      context.problem(
        at,
        `${quote(value)} cannot stand in Set-Cookie`,
        "write one attribute, such as SameSite=Lax",
      );
  }
  if (
    shape.dynamic_key === undefined &&
    servers.length > 0 &&
    servers.every(({ cookie }) => cookie === undefined)
  ) {
    context.problem(
      path,
      "no server has a cookie, so none can be told from another",
      "give each its own, such as web01: { address: …, cookie: web01 }",
      "key",
    );
  }
  return {
    name,
    ...(mode !== undefined && { mode }),
    indirect: shape.indirect === true,
    nocache: shape.nocache === true,
    postonly: shape.postonly === true,
    preserve: shape.preserve === true,
    httponly: shape.httponly === true,
    secure: shape.secure === true,
    ...(domain !== undefined && { domain }),
    ...lifetimes(path, shape, context),
    attributes: attributes.map(([, value]) => value),
  };
}

function lifetimes(path: Path, shape: CookieShape, context: Context) {
  const secondsOf = (word: "maxidle" | "maxlife") =>
    shape[word] === undefined
      ? undefined
      : Math.floor(context.duration([...path, word], shape[word], "s", 1_000, 1_000) / 1_000);
  const [maxIdleS, maxLifeS] = [secondsOf("maxidle"), secondsOf("maxlife")];
  return { ...(maxIdleS !== undefined && { maxIdleS }), ...(maxLifeS !== undefined && { maxLifeS }) };
}

/** HAProxy's `dynamic` of a cookie: what servers without one of their own get. */
export function withDynamicCookies(
  path: Path,
  shape: CookieShape,
  servers: readonly ServerConfig[],
  context: Context,
): readonly ServerConfig[] {
  const key = shape.dynamic_key;
  if (key === undefined) return servers;
  return servers.map((server) => {
    if (server.cookie !== undefined) return server;
    const cookie = dynamicCookie(key, server.host, server.port);
    if (cookie !== null) return { ...server, cookie };
    context.problem(
      [...path, "dynamic_key"],
      `${server.name} is at ${quote(server.host)}, a name, and its cookie is made from an address`,
      `give ${server.name} a cookie of its own, or write its IP address`,
      "key",
    );
    return server;
  });
}

/** A server's own value, for the cookie of its backend. */
export function readCookieValue(path: Path, value: string, context: Context): string {
  if (!cookieOctets.test(value))
    context.problem(
      path,
      `${quote(value)} cannot be a cookie's value`,
      "write it without blanks, quotes, commas, semicolons and backslashes",
    );
  return value;
}

export function writeCookie(cookie: CookieConfig): object {
  const { name, domain, attributes } = cookie;
  const flags = ["indirect", "nocache", "postonly", "preserve", "httponly", "secure"] as const;
  return {
    name,
    mode: cookie.mode ?? "insert",
    ...Object.fromEntries(flags.filter((flag) => cookie[flag]).map((flag) => [flag, true])),
    ...(domain !== undefined && { domain }),
    ...(cookie.maxIdleS !== undefined && { maxidle: `${cookie.maxIdleS}s` }),
    ...(cookie.maxLifeS !== undefined && { maxlife: `${cookie.maxLifeS}s` }),
    ...(attributes.length > 0 && { attr: attributes }),
  };
}
