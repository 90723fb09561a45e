import type { Outcome } from "./client.js";
import { differences } from "./haproxy-differences.js";
import { malformedOf } from "./malformed.js";
import { hasNoBody } from "./messages.js";
import type { ConnectionPlan, ExchangePlan } from "./plan.js";

/** What stands between the client and the servers. */
export type Peer = "tandem" | "haproxy";

/** What was wrong with an exchange; `listed`: a difference of HAProxy's that has its reason. */
export interface Verdict {
  readonly exchange: ExchangePlan;
  readonly outcome: Outcome;
  readonly problem: string;
  readonly listed: string | null;
}

/**
 * What a client must see of a connection, whoever is in between: the same statuses and the same bytes. Tandem is held
 * to it without exception, HAProxy but for the listed differences.
 */
export function judgeConnection(
  plan: ConnectionPlan,
  outcomes: readonly Outcome[],
  peer: Peer,
): readonly Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [i, exchange] of plan.exchanges.entries()) {
    const outcome = outcomes[i];
    const problem = judge(plan, exchange, outcome);
    if (problem === null) continue;
    const difference =
      peer === "haproxy" ? differences.find((one) => one.explains(plan, exchange, outcome)) : undefined;
    verdicts.push({ exchange, outcome, problem, listed: difference?.name ?? null });
    if (difference?.spoilsTheRest === true) break;
  }
  return verdicts;
}

/** What is wrong with an outcome, or null. */
function judge(plan: ConnectionPlan, exchange: ExchangePlan, outcome: Outcome): string | null {
  if (outcome.wrong !== null) return outcome.wrong;
  const isServers = outcome.uploaded !== "" || outcome.status === 101;
  if (isServers && !outcome.right) return "bytes that are not the ones that were sent";
  const isLast = exchange === plan.exchanges.at(-1);
  // Who leaves may have seen any part of the answer, as long as that part was right.
  if (isLast && plan.abort !== null) return null;
  switch (exchange.special) {
    case "malformed":
      return judgeMalformed(exchange, outcome);
    case "reset":
    case "garbage":
      return expectOwn(exchange, outcome, 502);
    case "flaky":
      return judgeFlaky(exchange, outcome);
    case "cut":
      return judgeCut(exchange, outcome);
    default:
      return expectAnswer(exchange, outcome);
  }
}

function expectAnswer(exchange: ExchangePlan, outcome: Outcome): string | null {
  const { answer, special, upload } = exchange;
  if (outcome.status !== answer.status) return `status ${outcome.status} instead of ${answer.status}`;
  if (outcome.body !== "whole") return `the body is ${outcome.body}`;
  const bytes = hasNoBody(exchange, answer.status) ? 0 : answer.bytes;
  if (outcome.bytes !== bytes) return `${outcome.bytes} bytes instead of ${bytes}`;
  if (special === "tunnel") return null;
  const early = special === "early-drain" || special === "early-close";
  const uploaded = early ? "unread" : `${upload?.bytes ?? 0} right`;
  if (outcome.uploaded !== uploaded)
    return `the server got ${JSON.stringify(outcome.uploaded)} instead of ${JSON.stringify(uploaded)}`;
  return null;
}

/** An answer of the proxy's own. */
function expectOwn(exchange: ExchangePlan, outcome: Outcome, ...statuses: readonly number[]): string | null {
  if (!statuses.includes(outcome.status))
    return `status ${outcome.status} instead of ${statuses.join(" or ")} (${exchange.special})`;
  if (outcome.body !== "whole") return `the body of the proxy's own ${outcome.status} is ${outcome.body}`;
  return null;
}

function judgeMalformed(exchange: ExchangePlan, outcome: Outcome): string | null {
  const { status, name } = malformedOf(exchange.malformed);
  const problem = expectOwn(exchange, outcome, status);
  return problem === null ? null : `${name}: ${problem}`;
}

/** A body up to this size is surely kept for a second try; above it, it is the timing's what was sent by then. */
const surelyKeptBytes = 8_192;

/** A request that may be sent twice without harm is sent again, to the other server, when the first one resets. */
function judgeFlaky(exchange: ExchangePlan, outcome: Outcome): string | null {
  if (exchange.method === "POST") return expectOwn(exchange, outcome, 502);
  const mayFail = (exchange.upload?.bytes ?? 0) > surelyKeptBytes;
  return mayFail && outcome.status === 502
    ? expectOwn(exchange, outcome, 502)
    : expectAnswer(exchange, outcome);
}

/** The status stands, the body must not look whole. */
function judgeCut(exchange: ExchangePlan, outcome: Outcome): string | null {
  const { answer } = exchange;
  if (hasNoBody(exchange, answer.status)) return expectAnswer(exchange, outcome);
  if (outcome.status !== answer.status) return `status ${outcome.status} instead of ${answer.status} (cut)`;
  if (outcome.body === "whole") return "a body that was cut looks whole";
  return outcome.bytes < answer.bytes ? null : `${outcome.bytes} bytes of a body that was cut`;
}
