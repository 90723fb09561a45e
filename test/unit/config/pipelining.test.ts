import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";

function load(lines: string) {
  const text = `proxies:\n  http:\n    bind: 192.0.2.1:80\n    servers: { web01: 10.0.0.1:80 }\n${lines}`;
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  return {
    pipelining: config?.proxies[0].pipelining,
    said: [...problems, ...warnings].map(describeProblem).join("\n"),
  };
}

t.test("pipelining is off unless a number is written", async (t) => {
  t.equal(load("").pipelining, undefined);
  t.equal(load("    pipelining: 8\n").pipelining, 8);
  t.match(load("    pipelining: 1\n").said, /lb\.yaml:5:17: .*from 2 to 16/);
  t.match(load("    pipelining: 17\n").said, /from 2 to 16/);
  t.match(load("    mode: tcp\n    pipelining: 8\n").said, /pipelining says nothing in mode tcp/);
});
