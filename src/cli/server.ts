import { suggestion } from "../config/suggest.js";
import type { NodeReport, ServerReport } from "../control/show-node.js";
import { ExitCode, LbError } from "../errors.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, parseAnswer } from "./ask-daemon.js";
import { parseNodeReport } from "./node-report.js";
import { table } from "./table.js";

const actions = ["list", "enable", "disable", "drain", "weight"];
const states: Readonly<Record<string, string>> = { enable: "ready", disable: "maint", drain: "drain" };

/** `lb server`. Throws LbError LB_USAGE, LB_NOT_RUNNING. Exit code 1: the daemon refuses it. */
export async function server(args: Arguments): Promise<number> {
  const [action = "list", name, value] = args.words ?? [];
  if (!actions.includes(action))
    throw new LbError(
      "LB_USAGE",
      `${JSON.stringify(action)} is nothing that lb server does`,
      suggestion(action, actions),
    );
  const path = await findSocket(args);
  const report = async (): Promise<NodeReport> =>
    parseAnswer(await askDaemon(path, "show node"), parseNodeReport);
  const servers = (await report()).proxies.flatMap((proxy) => proxy.servers);
  if (action === "list") {
    process.stdout.write(args.json ? `${serversJson(servers)}\n` : listServers(servers));
    return ExitCode.ok;
  }
  const wanted = findServer(name, servers);
  if (action === "weight" && value === undefined)
    throw new LbError(
      "LB_USAGE",
      "lb server weight needs a weight",
      `write lb server weight ${wanted} 10, or 50%`,
    );
  if (action !== "weight" && value !== undefined)
    throw new LbError("LB_USAGE", `${JSON.stringify(value)} is one word too many`, "flags begin with --");
  const what = action === "weight" ? `weight ${value}` : `state ${states[action]}`;
  const refusal = (await askDaemon(path, `set server ${wanted} ${what}`)).trim();
  if (refusal !== "") {
    console.error(`lb: ${refusal}`);
    return ExitCode.fatal;
  }
  const after = (await report()).proxies
    .flatMap((proxy) => proxy.servers)
    .filter((one) => one.name === wanted);
  process.stdout.write(args.json ? `${serversJson(after)}\n` : listServers(after));
  return ExitCode.ok;
}

/** `http/web01`, or `web01` where only one proxy has a server of that name. */
function findServer(name: string | undefined, servers: readonly ServerReport[]): string {
  const known = servers.map((one) => one.name);
  if (name === undefined)
    throw new LbError("LB_USAGE", "no server is named", `known here are ${known.join(", ")}`);
  const found = known.filter((one) => one === name || one.split("/")[1] === name);
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  throw new LbError(
    "LB_USAGE",
    found.length === 0
      ? `there is no server ${JSON.stringify(name)}`
      : `${name} is a server of several proxies`,
    found.length === 0 ? suggestion(name, known) : `write ${found.join(" or ")}`,
  );
}

/** One server a line, so that a shell can read it. */
function serversJson(servers: readonly ServerReport[]): string {
  return `[\n${servers.map((one) => `  ${JSON.stringify(one)}`).join(",\n")}\n]`;
}

function listServers(servers: readonly ServerReport[]): string {
  return table(
    ["SERVER", "ADDRESS", "STATUS", "WEIGHT", "SESSIONS", "REQ/S", "REQUESTS", "ERRORS", "CHECK"],
    servers.map((one) => [
      one.name,
      one.address,
      `${one.status}${one.backup ? " (backup)" : ""}`,
      one.weight === one.configuredWeight
        ? `${one.weight}`
        : `${one.weight} (configured: ${one.configuredWeight})`,
      `${one.sessions}`,
      `${one.requestsPerSecond}`,
      `${one.requests}`,
      `${one.errors}`,
      one.check,
    ]),
  );
}
