import type { Context } from "./context.js";
import type { RuleShape } from "./rule-schema.js";
import type { Path } from "./source.js";

/** What a rule may do and ask in mode tcp, where nobody reads what passes but a TLS client's first message. */
const sessionWords = ["if", "unless", "use_backend"];
const sessionConditions = ["src", "req_ssl_sni"];

/** Reports words of `rules:` that are about something which the proxy's mode does not see. */
export function checkRuleModes(
  path: Path,
  shapes: readonly RuleShape[] | undefined,
  mode: "http" | "tcp",
  context: Context,
): void {
  const report = (at: Path, advice: string): void =>
    context.problem(at, `${at.at(-1)} is about requests, which mode tcp does not see`, advice, "key");
  for (const [index, shape] of (shapes ?? []).entries()) {
    const at = [...path, String(index)];
    const conditions = (["if", "unless"] as const).flatMap((side) =>
      Object.keys(shape[side] ?? {}).map((word) => [...at, side, word]),
    );
    if (mode === "tcp") {
      for (const word of Object.keys(shape))
        if (!sessionWords.includes(word)) report([...at, word], "leave it out, or write mode: http");
      for (const asked of conditions)
        if (!sessionConditions.includes(String(asked.at(-1))))
          report(asked, "ask for req_ssl_sni or src, or write mode: http");
    } else {
      for (const asked of conditions)
        if (asked.at(-1) === "req_ssl_sni")
          context.problem(asked, "req_ssl_sni is asked in mode tcp", "ask for the request's host", "key");
    }
  }
}

/** Whether a rule asks for what a client says first, so that the session has to wait for it. */
export function asksForName(shapes: readonly RuleShape[] | undefined): boolean {
  return (shapes ?? []).some(
    (shape) => shape.if?.req_ssl_sni !== undefined || shape.unless?.req_ssl_sni !== undefined,
  );
}
