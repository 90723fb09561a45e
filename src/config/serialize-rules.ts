import { describeDuration } from "./duration.js";
import type { Action, Condition, Rule } from "./rule-config.js";
import { describeTextTemplate } from "./text-template.js";

/** Writes rules as the file has them, one action in a line. */
export function writeRules(rules: readonly Rule[], secret: (text: string) => string): object[] {
  return rules.map(({ when, unless, action }) => ({
    ...(when !== null && { if: writeCondition(when) }),
    ...(unless !== null && { unless: writeCondition(unless) }),
    ...writeAction(action, secret),
  }));
}

export function writeCondition(condition: Condition): object {
  const { overTls, isCertified, hosts, serverNames, methods, paths, pathBegins, pathEnds, sources, fields } =
    condition;
  return {
    ...(hosts !== undefined && { host: hosts }),
    ...(serverNames !== undefined && { req_ssl_sni: serverNames }),
    ...(methods !== undefined && { method: methods }),
    ...(paths !== undefined && { path: paths }),
    ...(pathBegins !== undefined && { path_beg: pathBegins }),
    ...(pathEnds !== undefined && { path_end: pathEnds }),
    ...(overTls !== undefined && { ssl_fc: overTls }),
    ...(isCertified !== undefined && { ssl_c_used: isCertified }),
    ...(sources !== undefined && { src: sources.map(({ text }) => text) }),
    ...(fields !== undefined && { hdr: new Map(fields.map(({ name, values }) => [name, values ?? true])) }),
  };
}

function writeAction(action: Action, secret: (text: string) => string): object {
  switch (action.kind) {
    case "deny":
      return { deny: action.status };
    case "redirect":
      return { redirect: { location: describeTextTemplate(action.location), code: action.status } };
    case "return":
      return {
        return: {
          status: action.status,
          content_type: action.contentType,
          ...(action.body !== "" && { body: action.body }),
        },
      };
    case "auth":
      return {
        auth: {
          realm: action.realm,
          users: new Map(action.users.map(({ name, password }) => [name, secret(password)])),
        },
      };
    case "rate-limit":
      return {
        rate_limit: {
          requests: action.requests,
          per: describeDuration(action.periodMs),
          by: action.by === "src" ? "src" : `hdr(${action.by.field})`,
          status: action.status,
          keys: action.keys,
        },
      };
    case "set-header":
      return { set_header: new Map([[action.name, describeTextTemplate(action.value)]]) };
    case "add-header":
      return { add_header: new Map([[action.name, describeTextTemplate(action.value)]]) };
    case "del-header":
      return { del_header: action.name };
    case "set-path":
      return { set_path: describeTextTemplate(action.path) };
    case "use-backend":
      return { use_backend: action.backend };
    case "replace-prefix":
      return { replace_path: { prefix: action.prefix, with: action.by } };
  }
}
