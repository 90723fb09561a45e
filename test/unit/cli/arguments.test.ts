import t from "tap";
import { parseArguments } from "../../../src/cli/arguments.js";
import { helpText, options } from "../../../src/cli/usage.js";

t.test("without a command it runs", async (t) => {
  t.same(parseArguments([]), { command: "run", config: undefined, print: false, flags: {} });
});

t.test("every flag is read as it is written, those that may be repeated as lists", async (t) => {
  const args = parseArguments([
    "run",
    "--config=/a b",
    "--priority",
    "101",
    "--interface=eth1",
    "--vrid=7",
    "--vip=10.0.0.1/24",
    "--vip",
    "10.0.0.2/24",
    "--listen",
    ":80",
    "--backend",
    "a:80",
    "--backend=b=c:80",
    "--admin",
    "off",
    "--stats-socket=/s",
    "--engine=portable",
    "--threads=2",
    "--no-vrrp",
    "--no-proxy",
  ]);
  t.same(args, {
    command: "run",
    config: "/a b",
    print: false,
    flags: {
      priority: "101",
      interface: "eth1",
      vrid: "7",
      vip: ["10.0.0.1/24", "10.0.0.2/24"],
      listen: [":80"],
      backend: ["a:80", "b=c:80"],
      admin: "off",
      "stats-socket": "/s",
      engine: "portable",
      threads: "2",
      "no-vrrp": true,
      "no-proxy": true,
    },
  });
});

t.test("--help and --version win over everything that is well written", async (t) => {
  t.equal(parseArguments(["check", "--priority=1", "--help"]).command, "help");
  t.equal(parseArguments(["-h"]).command, "help");
  t.equal(parseArguments(["run", "--version"]).command, "version");
  t.equal(parseArguments(["-V"]).command, "version");
});

const mistakes: readonly (readonly [argv: readonly string[], message: string, advice: string])[] = [
  [["--prioritty", "1"], "--prioritty is not a flag", "did you mean --priority?"],
  [["--no-vrp"], "--no-vrp is not a flag", "did you mean --no-vrrp?"],
  [["--xyzzy"], "--xyzzy is not a flag", "lb help lists them"],
  [["--constructor"], "--constructor is not a flag", "lb help lists them"],
  [["-p", "1"], "-p is not a flag", "lb help lists them"],
  [["--priority"], "--priority has no value", "write --priority and its value"],
  [["--priority="], "--priority has no value", "write --priority and its value"],
  [["--priority", "--vrid", "1"], "--priority has no value", "write --priority and its value"],
  [["--no-vrrp=yes"], "--no-vrrp takes no value", "write --no-vrrp alone"],
  [["--priority=1", "--priority=2"], "--priority is given twice", "keep one of them"],
  [["chekc"], '"chekc" is not a command', "did you mean check?"],
  [
    ["--no-vrrp", "yes"],
    '"yes" is not a command',
    "known here are run, check, plan, reload, upgrade, status, watch, explain, drain, server, import, completion, version, help",
  ],
  [["run", "fast"], '"fast" is one word too many', "flags begin with --"],
];

for (const [argv, message, advice] of mistakes) {
  t.test(`lb ${argv.join(" ")} is refused`, async (t) => {
    t.throws(() => parseArguments(argv), { code: "LB_USAGE", message, advice });
  });
}

t.test("the help names every flag", async (t) => {
  for (const name of Object.keys(options)) {
    if (name !== "help" && name !== "version") t.match(helpText, `--${name}`);
  }
});
