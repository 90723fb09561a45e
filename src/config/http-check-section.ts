import type { Context } from "./context.js";
import { type Parsed, parsed, quote, refused } from "./problem.js";
import type { HttpCheckConfig, StatusRange } from "./server-config.js";
import type { HttpCheckShape } from "./server-schema.js";
import type { Path } from "./source.js";

/** HAProxy's: what is not an error counts as well. */
const defaultRanges: readonly StatusRange[] = [{ from: 200, to: 399 }];

/** Reads `http_check:` at `path`. */
export function readHttpCheck(path: Path, shape: HttpCheckShape, context: Context): HttpCheckConfig {
  const method = shape.method ?? "OPTIONS";
  // RFC 9110 §5.6.2, token: what else stood there would end the request line early, or begin another one.
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method))
    context.problem([...path, "method"], `${quote(method)} is not a method`, "write GET, HEAD or OPTIONS");
  const uri = shape.uri ?? "/";
  if (!/^(\/[!-~]*|\*)$/.test(uri)) {
    context.problem(
      [...path, "uri"],
      `${quote(uri)} is not a path`,
      "write one that begins with /, such as /health, with what is not ASCII as %xx",
    );
  }
  const host = shape.host === undefined ? null : context.text([...path, "host"], shape.host, "");
  if (host !== null && !/^[!-~]+$/.test(host))
    context.problem(
      [...path, "host"],
      `${quote(host)} is not a host`,
      "write a name such as www.example.org",
    );
  return {
    method,
    uri,
    ...(host !== null && { host }),
    expect: readExpectation([...path, "expect"], shape.expect, context),
  };
}

function readExpectation(
  path: Path,
  shape: HttpCheckShape["expect"],
  context: Context,
): HttpCheckConfig["expect"] {
  if (shape?.string !== undefined) {
    if (shape.status !== undefined) {
      context.problem(
        [...path, "status"],
        "expect has a status and a string",
        "keep one of them: a string is looked for whatever the status",
        "key",
      );
    }
    return { kind: "string", text: context.text([...path, "string"], shape.string, "") };
  }
  if (shape?.status === undefined) return { kind: "status", ranges: defaultRanges };
  const ranges = context.take([...path, "status"], parseStatuses(String(shape.status)), defaultRanges);
  return { kind: "status", ranges };
}

/** `200`, `200-299`, `200-299,301`. */
export function parseStatuses(text: string): Parsed<readonly StatusRange[]> {
  const ranges: StatusRange[] = [];
  for (const part of text.split(",")) {
    const match = /^\s*(\d{3})(?:-(\d{3}))?\s*$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || from < 100 || to > 599 || from > to)
      return refused(`${quote(text)} are no statuses`, "write statuses from 100 to 599, such as 200-299,301");
    ranges.push({ from, to });
  }
  return parsed(ranges);
}

export function describeStatuses(ranges: readonly StatusRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}
