/** Where the lab can be built: network namespaces need root, or a user namespace in which one is root. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { SetupError } from "./setup.mjs";

/** Set in the environment of a script that was started again inside a user namespace. */
const mark = "TANDEM_USER_NAMESPACE";

/** @returns {boolean} whether this script is the one inside. Its set-up has been done outside. */
export function insideUserNamespace() {
  return process.env[mark] === "1";
}

/**
 * @returns {boolean} whether this process must go into a user namespace to make network namespaces.
 * @throws {SetupError} when neither way is open.
 */
export function needsUserNamespace() {
  if (can("unshare", "-nm", "true")) return false;
  if (can("unshare", "-Urnm", "mount", "-t", "tmpfs", "tmpfs", "/run")) return true;
  throw new SetupError(
    "network namespaces cannot be made here. As root: `sudo npm run …`. In a container: give it CAP_SYS_ADMIN and " +
      "CAP_NET_ADMIN (docker run --privileged). As an ordinary user: allow user namespaces (Debian: sysctl " +
      "kernel.unprivileged_userns_clone=1; Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)",
  );
}

/**
 * Runs a script again as root of a user namespace, with a /run of its own for `ip netns`.
 *
 * @param {string} url the script, as its import.meta.url
 * @param {(line: string) => void} [onLine] is told each line of its standard output, which is shown as well
 * @returns {Promise<number>} its exit code
 */
export function runInUserNamespace(url, parameters, onLine) {
  // Two steps: root may mount; but tcpdump, as root, insists on becoming another user, of whom there is none in here.
  // So the second step is an ordinary user's again, one who has all of root's capabilities.
  const user = ["--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "--net", "--mount"];
  const inside = `mount -t tmpfs tmpfs /run && exec unshare ${user.join(" ")} "$0" "$@"`;
  const script = [process.execPath, fileURLToPath(url), ...parameters];
  const child = spawn("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", inside, ...script], {
    stdio: ["ignore", onLine === undefined ? "inherit" : "pipe", "inherit"],
    env: { ...process.env, [mark]: "1" },
  });
  // Ctrl-C reaches the child by itself; it cleans up, and its end is ours.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  if (onLine !== undefined)
    createInterface({ input: child.stdout }).on("line", (line) => {
      process.stdout.write(`${line}\n`);
      onLine(line);
    });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function can(command, ...parameters) {
  return spawnSync(command, parameters, { stdio: "ignore" }).status === 0;
}
