import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { describeLogTarget, parseLogTarget } from "../../../src/config/log-section.js";
import { describeProblem } from "../../../src/config/problem.js";

function load(log: string) {
  const text = `proxies:\n  http:\n    bind: 192.0.2.1:80\n    servers: { web01: 10.0.0.1:80 }\n    log: ${log}\n`;
  const { config, problems, warnings } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  return {
    log: config?.proxies[0].log,
    problems: problems.map(describeProblem),
    warnings: warnings.map(describeProblem),
  };
}

t.test("an access log is off, on, or says where it goes and in which form", async (t) => {
  t.equal(load("false").log, undefined);
  t.same(load("true").log, {
    targets: [{ kind: "stdout" }],
    format: "json",
    facility: "local0",
    dontLogNull: false,
    dontLogNormal: false,
  });
  t.same(
    load(
      "{ to: [/dev/log, 'file:/var/log/lb.log', '192.0.2.9', '[fd00::1]:1514'], format: httplog, facility: local3, dontlognull: true, dontlog_normal: true }",
    ).log,
    {
      targets: [
        { kind: "unix", path: "/dev/log" },
        { kind: "file", path: "/var/log/lb.log" },
        { kind: "udp", host: "192.0.2.9", port: 514 },
        { kind: "udp", host: "fd00::1", port: 1514 },
      ],
      format: "httplog",
      facility: "local3",
      dontLogNull: true,
      dontLogNormal: true,
    },
  );
});

t.test("what is no place for a log, no format and no facility is refused", async (t) => {
  t.match(load("{ to: 'file:access.log' }").problems, [
    /lb\.yaml:5:\d+: "access\.log" is no absolute path\. /,
  ]);
  t.match(load("{ to: stderr }").problems, [/"stderr" is no place for a log\. Write stdout, file:/]);
  t.match(load(`{ to: /${"x".repeat(120)} }`).problems, [/is too long for a socket\. Use at most 107 bytes/]);
  t.match(load("{ format: combined }").problems, [/json, httplog or tcplog/]);
  t.match(load("{ to: /dev/log, facility: local9 }").problems, [/a facility such as local0/]);
  t.match(load("{ to: stdout, facility: local1 }").warnings, [/facility says nothing/]);
});

t.test("mode tcp has no httplog", async (t) => {
  const text =
    "proxies:\n  x:\n    mode: tcp\n    bind: 192.0.2.1:80\n    servers: { a: 10.0.0.1:80 }\n    log: { format: httplog }\n";
  const { problems } = loadConfig(text, "lb.yaml", { hostname: "lb", cores: 1 });
  t.match(problems.map(describeProblem), [
    "lb.yaml:6:20: httplog is about requests, which mode tcp does not see. Write format: tcplog.",
  ]);
});

t.test("a target is written as it is read", async (t) => {
  for (const text of ["stdout", "file:/a/b", "/dev/log", "192.0.2.1:514", "[fd00::1]:514", "loghost:1514"]) {
    const target = parseLogTarget(text);
    if (!target.ok || target.value === null) throw new Error(text);
    t.equal(describeLogTarget(target.value), text);
  }
});
