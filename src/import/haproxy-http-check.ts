import type { Place } from "./draft.js";
import type { Outcome, ProxyTarget } from "./haproxy-target.js";

/** What a backend is checked by: `option httpchk` and `http-check` as `http_check:`. Pure. */

type CheckTarget = Pick<ProxyTarget, "draft" | "path">;

/** Behind `option httpchk`: a method, a path and a version with fields of the head. */
export function importHttpchk({ draft, path }: CheckTarget, rest: readonly string[], place: Place): Outcome {
  const [method, uri] = rest.length === 1 ? [undefined, rest[0]] : rest;
  const host = /Host:\s*([^\r\n\\]+)/i.exec(rest.slice(2).join(" "))?.[1];
  draft.set([...path, "http_check", "method"], method ?? "OPTIONS", place);
  if (uri !== undefined) draft.set([...path, "http_check", "uri"], uri, place);
  if (host !== undefined) draft.set([...path, "http_check", "host"], host.trim(), place);
  return "taken";
}

/** `http-check send …` and `http-check expect …`. */
export function importHttpCheck(
  { draft, path }: CheckTarget,
  words: readonly string[],
  place: Place,
): Outcome {
  const [kind, ...rest] = words;
  const set = (value: string, ...at: string[]): Outcome => {
    draft.set([...path, "http_check", ...at], value, place);
    return "taken";
  };
  if (kind === "send") {
    let outcome: Outcome = { reason: "http_check has nothing of it" };
    for (let i = 0; i < rest.length; i++) {
      const value = rest[i + 1] ?? "";
      if (rest[i] === "meth") outcome = set(value, "method");
      else if (rest[i] === "uri") outcome = set(value, "uri");
      else if (rest[i] === "hdr" && value.toLowerCase() === "host") {
        outcome = set(rest[i + 2] ?? "", "host");
        i++;
      } else if (rest[i] !== "ver") {
        draft.note(place, rest[i], `http_check has no ${rest[i]}`);
      }
      i++;
    }
    return outcome;
  }
  if (kind === "expect") {
    const [what, value = ""] = rest.filter((word) => !["min-recv", "comment"].includes(word));
    if (what === "status") return set(value.replaceAll(" ", ","), "expect", "status");
    if (what === "string") return set(rest.slice(1).join(" "), "expect", "string");
    return { reason: `http_check expects a status or a string, and not ${what}` };
  }
  return { reason: `http_check has no ${kind}` };
}
