import { type Context, each } from "./context.js";
import type { ProxyShape } from "./proxy-schema.js";
import type { Path } from "./source.js";

/** HAProxy's retries and retry-on: when a request that failed goes to another server, if it may be sent twice at all. */
export interface RetryConfig {
  /** Moves of one request altogether. */
  readonly retries: number;
  /** The server could not be reached. */
  readonly onConnectFailure: boolean;
  /** Its connection ended before a byte of the response. */
  readonly onEmptyResponse: boolean;
  /** It did not answer in time. */
  readonly onResponseTimeout: boolean;
  /** Answers that are not passed on while another server may be asked. */
  readonly onStatuses: readonly number[];
  /** Replays beside requests, in percent; left out: no limit. Moves from servers that could not be reached are none. */
  readonly budgetPercent?: number;
}

/** HAProxy's default. */
const defaultRetries = 3;

const statuses: Readonly<Record<string, number>> = {
  "404": 404,
  "408": 408,
  "425": 425,
  "500": 500,
  "501": 501,
  "502": 502,
  "503": 503,
  "504": 504,
};

/** As `all-retryable-errors` has them in HAProxy's manual. */
const retryableStatuses = [500, 502, 503, 504];

/** Reads `retries`, `retry_on` and `retry_budget`; null: none of them is there. */
export function readRetry(path: Path, shape: ProxyShape, context: Context): RetryConfig | null {
  const { retries, retry_on, retry_budget } = shape;
  if (retries === undefined && retry_on === undefined && retry_budget === undefined) return null;
  const words = new Set<string>();
  const onStatuses = new Set<number>();
  for (const [at, word] of each([...path, "retry_on"], retry_on)) {
    const status = statuses[word];
    if (status !== undefined) onStatuses.add(status);
    else if (word === "all-retryable-errors") {
      for (const one of ["conn-failure", "empty-response", "response-timeout"]) words.add(one);
      for (const one of retryableStatuses) onStatuses.add(one);
    } else if (["none", "conn-failure", "empty-response", "response-timeout"].includes(word)) words.add(word);
    else {
      context.problem(
        at,
        `retry_on does not know ${word}`,
        `write none, conn-failure, empty-response, response-timeout, all-retryable-errors, or one of ${Object.keys(statuses).join(", ")}`,
      );
    }
  }
  if (words.has("none") && words.size + onStatuses.size > 1) {
    context.problem(
      [...path, "retry_on"],
      "retry_on says none and something",
      "leave none out, or the others",
    );
  }
  const isGiven = retry_on !== undefined;
  return {
    retries: retries ?? defaultRetries,
    onConnectFailure: isGiven ? words.has("conn-failure") : true,
    onEmptyResponse: isGiven ? words.has("empty-response") : true,
    onResponseTimeout: words.has("response-timeout"),
    onStatuses: [...onStatuses].toSorted((a, b) => a - b),
    ...(retry_budget !== undefined && { budgetPercent: retry_budget }),
  };
}

/** As the file has it. */
export function writeRetry(retry: RetryConfig): object {
  const words = [
    ...(retry.onConnectFailure ? ["conn-failure"] : []),
    ...(retry.onEmptyResponse ? ["empty-response"] : []),
    ...(retry.onResponseTimeout ? ["response-timeout"] : []),
    ...retry.onStatuses.map(String),
  ];
  return {
    retries: retry.retries,
    retry_on: words.length === 0 ? ["none"] : words,
    ...(retry.budgetPercent !== undefined && { retry_budget: retry.budgetPercent }),
  };
}
