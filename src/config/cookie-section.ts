import Type from "typebox";
import { type Context, each } from "./context.js";
import type { CookieConfig } from "./cookie-config.js";
import { quote } from "./problem.js";
import { closed, oneOrMore, text, truth } from "./schema-words.js";
import type { ServerConfig } from "./server-config.js";
import type { Path } from "./source.js";

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
  if (servers.length > 0 && servers.every(({ cookie }) => cookie === undefined)) {
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
    attributes: attributes.map(([, value]) => value),
  };
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
    ...(attributes.length > 0 && { attr: attributes }),
  };
}
