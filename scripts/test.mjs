/**
 * `npm test`, `npm run test:unit`, `npm run test:judges` …: test.mjs unit|sim|stress|judges|lab|interop …
 *
 * Sets up what is missing, runs the suites with tap, shows one line per test and all of a failure, and ends with
 * `N passed, N failed`, which counts assertions.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensure, main, root, SetupError } from "./setup.mjs";
import { TapView } from "./tap-view.mjs";
import { insideUserNamespace, needsUserNamespace, runInUserNamespace } from "./user-namespace.mjs";

/** Of the suites that make networks, for which a user namespace does where nobody is root. */
const labCommands = [
  "ip",
  "setpriv",
  "nft",
  "nginx",
  "keepalived",
  "vrrpd",
  "tcpdump",
  "tshark",
  "arping",
  "socat",
  "curl",
  "openssl",
  "wrk",
  "haproxy",
  "chromium",
  "groff",
  "zsh",
  "script",
  "faketime",
];

const suites = {
  unit: {
    folders: ["test/unit", "test/http", "test/tcp"],
    options: ["--jobs=2", "--timeout=300"],
    commands: ["openssl"],
  },
  // Thousands of simulated hours: long, and nothing in them depends on the time they take.
  sim: { folders: ["test/sim"], options: ["--timeout=900"], commands: [] },
  stress: {
    folders: ["test/stress"],
    options: ["--jobs=1", "--timeout=300"],
    commands: ["setpriv", "haproxy"],
  },
  // HAProxy and other programs beside Tandem (docs/judges.md). What they measure of time is printed, not judged; but for one ratio (slow-crowd.test.ts).
  judges: {
    folders: ["test/judges"],
    options: ["--jobs=2", "--timeout=300"],
    commands: [
      "setpriv",
      "haproxy",
      "curl",
      "wrk",
      "h2load",
      "nghttp",
      "slowhttptest",
      "script",
      "hatop",
      "prometheus-haproxy-exporter",
    ],
  },
  lab: {
    folders: ["test/lab"],
    // One file after the other: they measure time, and some of them load the machine.
    options: ["--jobs=1", "--timeout=300"],
    commands: labCommands,
  },
  // Each pair of routers has a network of its own, and mostly waits for adverts.
  interop: { folders: ["test/interop"], options: ["--jobs=2", "--timeout=300"], commands: labCommands },
};

await main(async () => {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !(name in suites));
  if (names.length === 0 || unknown.length > 0)
    throw new SetupError(
      `usage: test.mjs ${Object.keys(suites).join("|")} … (unknown: ${unknown.join(", ")})`,
    );
  if (!insideUserNamespace()) ensure({ npm: true, build: true });

  const totals = { passed: 0, failed: 0 };
  for (const name of names) {
    try {
      add(totals, await runSuite(name));
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      console.log(`the ${name} suite did not run: ${error.message}`);
      add(totals, { passed: 0, failed: 1 });
    }
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  return totals.failed === 0 ? 0 : 1;
});

async function runSuite(name) {
  const suite = suites[name];
  if (insideUserNamespace()) return await runTap(suite);
  ensure({ commands: suite.commands });
  if (suite.commands !== labCommands || !needsUserNamespace()) return await runTap(suite);
  console.log("not root, so the lab is built in a user namespace");
  let last = "";
  await runInUserNamespace(import.meta.url, [name], (line) => {
    last = line;
  });
  return parseTotals(/^(\d+) passed, (\d+) failed$/.exec(last));
}

function add(totals, more) {
  totals.passed += more.passed;
  totals.failed += more.failed;
}

/** A runner that ends without totals, or with an error that no test explains, is a failure. */
function parseTotals(found) {
  return found === null ? { passed: 0, failed: 1 } : { passed: Number(found[1]), failed: Number(found[2]) };
}

function runTap(suite) {
  const files = suite.folders.flatMap(testFiles);
  const tap = ["node_modules/tap/dist/esm/run.mjs", "--reporter=tap", ...suite.options, ...files];
  const child = spawn(process.execPath, tap, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  const view = new TapView();
  createInterface({ input: child.stdout }).on("line", (line) => view.line(line));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const totals = view.totals ?? { passed: 0, failed: 1 };
      if (code !== 0 && totals.failed === 0) totals.failed = 1;
      resolve(totals);
    });
  });
}

/** tap takes every file of a folder for a test; only these are. */
function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(folder, name))
    .sort();
}
