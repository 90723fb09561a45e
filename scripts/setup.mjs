/**
 * Everything that a fresh clone needs before its first command: npm packages, the build, Debian packages.
 *
 * Plain JavaScript without dependencies, because it runs before `npm ci`. Each step happens only if it is
 * needed, and says in one line what it does and why.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** An ordinary user's PATH often lacks sbin, where `ip`, `nginx` and `keepalived` live. */
const searchPath = [...new Set([...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"])];
process.env.PATH = searchPath.join(delimiter);

/** Which Debian package brings which command. */
const packageOf = {
  ip: "iproute2",
  setpriv: "util-linux",
  taskset: "util-linux",
  nft: "nftables",
  nginx: "nginx",
  keepalived: "keepalived",
  vrrpd: "frr",
  tcpdump: "tcpdump",
  tshark: "tshark",
  arping: "iputils-arping",
  socat: "socat",
  curl: "curl",
  openssl: "openssl",
  chromium: "chromium",
  wrk: "wrk",
  haproxy: "haproxy",
  groff: "groff-base",
  zsh: "zsh",
  "dpkg-deb": "dpkg",
  hatop: "hatop",
  "prometheus-haproxy-exporter": "prometheus-haproxy-exporter",
  h2load: "nghttp2-client",
  nghttp: "nghttp2-client",
  slowhttptest: "slowhttptest",
  script: "bsdutils",
  faketime: "faketime",
  python3: "python3",
  make: "make",
  "g++": "g++",
};

/** Packages whose services Debian would start, and enable at boot, as soon as they are installed. */
const serviceOf = {
  nginx: "nginx",
  keepalived: "keepalived",
  haproxy: "haproxy",
  frr: "frr",
  "prometheus-haproxy-exporter": "prometheus-haproxy-exporter",
};

/** What a build of the native packages calls for. */
const buildTools = ["python3", "make", "g++"];

/** Setup cannot go on. The message is for the user and says what to do. */
export class SetupError extends Error {}

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/** FRR's daemons are in no PATH. */
const otherFolders = ["/usr/lib/frr"];

/** @returns {boolean} whether a command of that name can be run. */
export function hasCommand(command) {
  return [...searchPath, ...otherFolders].some((folder) => existsSync(join(folder, command)));
}

/**
 * Brings this clone and this machine into the state that a command needs.
 *
 * @param {object} needs
 * @param {boolean} [needs.npm] npm packages, as the lockfile says.
 * @param {boolean} [needs.build] `dist/`, compiled from `src/`.
 * @param {boolean} [needs.lab] `dist-lab/`, compiled from `lab/`, `demo/`, `bench/` and `test/stress/`.
 * @param {boolean} [needs.sim] `dist-sim/`, compiled from `test/sim/` and what it simulates.
 * @param {string[]} [needs.commands] Commands that must be there; their Debian packages are installed.
 * @param {string[]} [needs.optional] Commands that the caller can do without.
 * @returns {string[]} The optional commands that are missing.
 * @throws {SetupError} when something that must be there is not and cannot be brought.
 */
export function ensure({
  npm = false,
  build = false,
  lab = false,
  sim = false,
  commands = [],
  optional = [],
}) {
  const wanted = [...commands];
  const installNpm = npm && !npmIsCurrent();
  if (installNpm) wanted.push(...buildTools);
  installDebian(wanted, optional);
  if (installNpm) installNpmPackages();
  if (build) {
    compile("tsconfig.build.json", "dist", ["src"]);
    compile("tsconfig.dashboard.json", "dist/dashboard", ["src/dashboard", "src/control/dashboard"]);
  }
  if (lab) compile("tsconfig.lab.json", "dist-lab", ["lab", "demo", "bench", "test/stress"]);
  if (sim) compile("tsconfig.sim.json", "dist-sim", ["src", "test/sim", "test/unit/vrrp"]);
  return optional.filter((command) => !hasCommand(command));
}

function installDebian(commands, optional) {
  const missing = commands.filter((command) => !hasCommand(command));
  const missingOptional = optional.filter((command) => !hasCommand(command));
  if (missing.length + missingOptional.length === 0) return;
  const advice = `apt-get install --no-install-recommends ${packagesOf([...missing, ...missingOptional]).join(" ")}`;

  let problem = "";
  if (!hasCommand("apt-get")) problem = "this is not Debian";
  else if (process.getuid() !== 0) problem = "you are not root";
  else {
    problem = aptInstall([...missing, ...missingOptional]);
    // What one can do without must not keep out what one cannot.
    if (problem !== "" && missing.length > 0 && missingOptional.length > 0) problem = aptInstall(missing);
  }

  if (missing.some((command) => !hasCommand(command)))
    throw new SetupError(
      `missing: ${missing.join(", ")}. They cannot be installed, because ${problem}. ` +
        `On Debian or Ubuntu, as root: ${advice}`,
    );
  const without = missingOptional.filter((command) => !hasCommand(command));
  if (without.length > 0) say(`goes on without ${without.join(", ")} (${problem}; as root: ${advice})`);
}

function packagesOf(commands) {
  return [...new Set(commands.map((command) => packageOf[command]))];
}

/** @returns {string} why it did not work, or "". */
function aptInstall(commands) {
  const packages = packagesOf(commands);
  const services = packages.filter((name) => name in serviceOf).map((name) => serviceOf[name]);
  say(
    `apt-get install ${packages.join(" ")}, for the missing ${commands.join(", ")}` +
      (services.length > 0 ? ` (without starting ${services.join(" or ")})` : ""),
  );
  const apt = (...parameters) =>
    spawnSync("apt-get", ["-q", "-o", "Dpkg::Use-Pty=0", ...parameters], {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  const updated = apt("update");
  // An old package list may still do; the installation is what counts.
  if (updated.status !== 0) say(`apt-get update failed: ${lastLine(updated.stderr)}`);
  const installed = withoutServiceStarts(services, () =>
    apt("install", "-y", "--no-install-recommends", ...packages),
  );
  return installed.status === 0 ? "" : `apt-get failed: ${lastLine(installed.stderr)}`;
}

/**
 * Runs an installation during which no service is started: Debian's own switch for that is a `policy-rc.d`
 * that answers 101. One that is there already is the administrator's and stays as it is. The services that
 * come with the packages are not enabled at boot either: the lab runs these programs itself.
 */
function withoutServiceStarts(services, install) {
  if (services.length === 0) return install();
  const policy = "/usr/sbin/policy-rc.d";
  const mark = "# written by tandem's setup, removed when it is done\n";
  const ours = !existsSync(policy) || readFileSync(policy, "utf8").includes(mark);
  if (ours) writeFileSync(policy, `#!/bin/sh\n${mark}exit 101\n`, { mode: 0o755 });
  // spawnSync blocks, so a Ctrl-C is handled only after the installation has ended, and the file goes too.
  const onSignal = () => {};
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    return install();
  } finally {
    if (ours) rmSync(policy, { force: true });
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    if (existsSync("/run/systemd/system"))
      for (const service of services)
        spawnSync("systemctl", ["disable", `${service}.service`], { stdio: "ignore" });
  }
}

function npmIsCurrent() {
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  if (installed === null) return false;
  const lock = readJson(join(root, "package-lock.json"));
  // An optional package of ours may fail to build here; whether that was tried with this lockfile is in the stamp.
  const tried = readJson(triedFile);
  const own = Object.keys(lock.packages[""].optionalDependencies ?? {}).map((name) => `node_modules/${name}`);
  // By content, not by date: a checkout touches the lockfile without changing it.
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "" || installed.packages[path]?.version === wanted.version) return true;
    if (wanted.optional !== true) return false;
    return !own.includes(path) || tried?.[path] === wanted.version;
  });
}

/** The optional packages of ours that `npm ci` was last asked for, by their path in the lockfile. */
const triedFile = join(root, "node_modules", ".tandem-optional.json");

function rememberOptional() {
  const { packages } = readJson(join(root, "package-lock.json"));
  const own = Object.keys(packages[""].optionalDependencies ?? {}).map((name) => `node_modules/${name}`);
  writeFileSync(
    triedFile,
    JSON.stringify(Object.fromEntries(own.map((path) => [path, packages[path]?.version]))),
  );
}

function installNpmPackages() {
  const why = existsSync(join(root, "node_modules"))
    ? "node_modules is not what the lockfile says"
    : "there is no node_modules";
  say(`npm ci, because ${why} (about a minute; three packages are compiled)`);
  const result = spawnSync(
    "npm",
    ["ci", "--include=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", env: npmEnvironment() },
  );
  if (result.status !== 0) {
    const output = `${result.stdout}${result.stderr}`.trim();
    throw new SetupError(
      `npm ci failed:\n${output}\nWhat it needs: a registry in reach, ${buildTools.join(", ")}.`,
    );
  }
  rememberOptional();
}

/** Node's own headers, where they lie beside this Node, save node-gyp a download. */
function npmEnvironment() {
  const prefix = dirname(dirname(process.execPath));
  const header = join(prefix, "include", "node", "node_version.h");
  if (process.env.npm_config_nodedir !== undefined || !existsSync(header)) return process.env;
  const text = readFileSync(header, "utf8");
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  const version = `v${part("MAJOR")}.${part("MINOR")}.${part("PATCH")}`;
  return version === process.version ? { ...process.env, npm_config_nodedir: prefix } : process.env;
}

/** Runs tsc if a source is newer than the last build. */
function compile(project, output, folders) {
  const stamp = join(root, output, ".built");
  const sources = folders.map((folder) => newestUnder(join(root, folder)));
  const newest = Math.max(...sources, modified(join(root, "tsconfig.json")), modified(join(root, project)));
  if (existsSync(stamp) && modified(stamp) >= newest) return;
  const why = existsSync(stamp) ? `${folders.join(" or ")} changed since` : `there is no ${output}/ yet`;
  say(`tsc -p ${project}, because ${why}`);
  const started = new Date();
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const result = spawnSync(process.execPath, [tsc, "-p", project], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (result.status !== 0) throw new SetupError(`the build failed:\n${result.stdout}${result.stderr}`.trim());
  mkdirSync(join(root, output), { recursive: true });
  writeFileSync(stamp, "");
  // A source that was saved while tsc ran is newer than this build.
  utimesSync(stamp, started, started);
}

function newestUnder(folder) {
  let newest = modified(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestUnder(path) : modified(path));
  }
  return newest;
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function lastLine(text) {
  return (text ?? "").trim().split("\n").at(-1) || "no message";
}

/** Runs a script's main part; a SetupError ends it with its message and exit code 1. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await main(() => {
    ensure({ npm: true, build: true });
    say("npm packages and build are current");
  });
