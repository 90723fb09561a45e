import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

function load(lines: string) {
  const text = `proxies:\n  http:\n    bind: 192.0.2.1:80\n    servers: { web01: 10.0.0.1:80 }\n${lines}`;
  const { config, problems } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  return { retry: config?.proxies[0].retry, problems: problems.map(describeProblem) };
}

t.test("retries and retry_on are HAProxy's", async (t) => {
  t.equal(load("").retry, undefined);
  t.same(load("    retries: 1\n").retry, {
    retries: 1,
    onConnectFailure: true,
    onEmptyResponse: true,
    onResponseTimeout: false,
    onStatuses: [],
  });
  t.same(load("    retry_on: [conn-failure, '503', response-timeout]\n    retry_budget: 20\n").retry, {
    retries: 3,
    onConnectFailure: true,
    onEmptyResponse: false,
    onResponseTimeout: true,
    onStatuses: [503],
    budgetPercent: 20,
  });
  t.same(load("    retry_on: all-retryable-errors\n").retry?.onStatuses, [500, 502, 503, 504]);
  t.match(load("    retry_on: none\n").retry, { onConnectFailure: false, onEmptyResponse: false });
});

t.test("mode tcp has no such words, and says so", async (t) => {
  const text =
    "proxies:\n  x:\n    mode: tcp\n    bind: 192.0.2.1:80\n    servers: { a: 10.0.0.1:80 }\n    retry_on: [none]\n    retries: 1\n";
  const { config, warnings } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  t.equal(config?.proxies[0].retry, undefined);
  t.match(warnings.map(describeProblem), [
    "lb.yaml:6:5: retry_on says nothing in mode tcp. Leave it out, or write mode: http.",
    /^lb\.yaml:7:5: retries says nothing in mode tcp/,
  ]);
});

t.test("what retry_on does not know is refused", async (t) => {
  t.match(load("    retry_on: 0rtt-rejected\n").problems, [
    /lb\.yaml:5:\d+: retry_on does not know 0rtt-rejected\. Write none, conn-failure/,
  ]);
  t.match(load("    retry_on: [none, '500']\n").problems, [/retry_on says none and something/]);
  t.match(load("    retries: 101\n").problems, [/a whole number from 0 to 100/]);
});
