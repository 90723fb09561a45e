import type { Outcome } from "./client.js";
import { malformedOf } from "./malformed.js";
import type { ConnectionPlan, ExchangePlan } from "./plan.js";

/**
 * Where HAProxy 2.6 does something else than the plan asks for, and why Tandem, which does not, is right. Anything
 * that is not in this list counts as a fault, of ours or of the test.
 */
export interface Difference {
  readonly name: string;
  readonly why: string;
  /** Whether it explains what was seen. */
  explains(plan: ConnectionPlan, exchange: ExchangePlan, outcome: Outcome): boolean;
  /** What follows on the connection is not comparable any more. */
  readonly spoilsTheRest: boolean;
}

export const differences: readonly Difference[] = [
  {
    name: "malformed-passes",
    why: "HAProxy forwards or answers differently some shapes that smuggling lives on (malformed.ts says which, and why)",
    explains: (_plan, exchange, outcome) =>
      exchange.special === "malformed" &&
      malformedOf(exchange.malformed).haproxy?.statuses.includes(outcome.status) === true,
    spoilsTheRest: true,
  },
  {
    name: "refusal-lost",
    why: "HAProxy closes with part of an overlong head unread, and the reset that follows overtakes its 400; Tandem lingers",
    explains: (_plan, exchange, outcome) =>
      outcome.status === 0 && ["large-head", "long-target"].includes(exchange.malformed ?? ""),
    spoilsTheRest: true,
  },
  {
    name: "silent-close",
    why: "when a server resets a kept connection of its own in the middle of a request HAProxy closes without an answer; Tandem answers 502",
    explains: (_plan, exchange, outcome) =>
      ["reset", "flaky"].includes(exchange.special) && outcome.status === 0,
    spoilsTheRest: true,
  },
  {
    name: "no-replay",
    why: "a safe request that one server resets is asked of the other one by Tandem (RFC 9110 §9.2.2); HAProxy answers 502 unless told to retry",
    explains: (_plan, exchange, outcome) => exchange.special === "flaky" && outcome.status === 502,
    spoilsTheRest: false,
  },
  {
    name: "half-closed-pipeline",
    why: "HAProxy drops pipelined requests once the client's FIN has come; FIN says only that nothing more will be sent (RFC 9112 §9.3.2)",
    explains: (plan, exchange, outcome) =>
      plan.pipelined &&
      plan.ending === "half-close" &&
      outcome.status === 0 &&
      exchange !== plan.exchanges[0],
    spoilsTheRest: true,
  },
];

/**
 * A plan as HAProxy gets it: without informational responses. HAProxy 2.6 loses, damages or never ends a body that comes
 * in one read with a 103 before it (newer ones do not), so that nothing on such a connection could be compared.
 */
export function planForHaproxy(plan: ConnectionPlan): ConnectionPlan {
  const exchanges = plan.exchanges.map((exchange) => ({
    ...exchange,
    answer: { ...exchange.answer, hints: 0 },
  }));
  return { ...plan, exchanges };
}
