import { connect } from "node:net";
import { defaultStatsSocket } from "../config/defaults.js";
import { readIncludes } from "../config/include.js";
import { readConfigFile, theseSurroundings } from "../config/read-file.js";
import type { Surroundings } from "../config/surroundings.js";
import { LbError } from "../errors.js";
import type { Arguments } from "./arguments.js";

const answerLimitMs = 5000;

/**
 * The stats socket of the running daemon: --stats-socket, else what the configuration file has, else the default.
 *
 * The file may be wrong, or hold references that only the daemon can resolve: a reload is there to say so. Throws
 * LbError LB_NO_CONFIG, LB_CONFIG_UNREADABLE, LB_NOT_RUNNING.
 */
export async function findSocket(args: Arguments): Promise<string> {
  const flag = args.flags["stats-socket"];
  const wanted = flag ?? (await socketOfFile(args));
  if (wanted === undefined || wanted === true) return defaultStatsSocket.path;
  if (typeof wanted === "string" && wanted !== "off") return wanted;
  throw new LbError(
    "LB_NOT_RUNNING",
    "the configuration has no stats socket, so there is nobody to ask",
    "give stats_socket: a path, or name the running daemon's with --stats-socket",
  );
}

/** The daemon's own environment and files may be out of this user's reach: what is missing is empty. */
function lenientSurroundings(): Surroundings {
  const here = theseSurroundings(process.env);
  return {
    ...here,
    variable: (name) => here.variable(name) ?? "",
    read: (path) => {
      const result = here.read(path);
      return result.ok ? result : { ok: true, value: "" };
    },
  };
}

async function socketOfFile(args: Arguments): Promise<unknown> {
  const file = await readConfigFile(args.config, process.env);
  if (file === null) return undefined;
  const { value } = readIncludes(file.text, file.path, lenientSurroundings());
  const socket: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, "stats_socket") : undefined;
  // A mapping without a path has the default one.
  return typeof socket === "object" && socket !== null ? Reflect.get(socket, "path") : socket;
}

/** One line to the stats socket, and all of its answer. `limitMs`: the longest silence. Throws LbError LB_NOT_RUNNING. */
export function askDaemon(path: string, line: string, limitMs = answerLimitMs): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      socket.destroy();
      reject(
        new LbError(
          "LB_NOT_RUNNING",
          `nobody answers on the stats socket ${path} (${reason})`,
          reason === "EACCES"
            ? "run this as root, or as a member of the group lb"
            : "start lb, or name its socket with --stats-socket or --config",
        ),
      );
    };
    const socket = connect(path);
    let answer = "";
    socket.setEncoding("utf8");
    socket.setTimeout(limitMs, () => fail("no answer in time"));
    socket.on("connect", () => socket.write(`${line}\n`));
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.on("end", () => resolve(answer));
  });
}

/** Without the empty line that ends an answer of the socket. */
export function trimAnswer(answer: string): string {
  return `${answer.trimEnd()}\n`;
}

/** The socket's level is lower than the command's. */
export function notAllowed(): LbError {
  return new LbError(
    "LB_NOT_RUNNING",
    "the stats socket does not allow this command",
    "raise its level in the configuration, stats_socket: { level: admin }, or send SIGHUP for a reload",
  );
}

/** An answer that should be JSON. Throws LbError LB_NOT_RUNNING: the daemon is of another version. */
export function parseAnswer<T>(answer: string, read: (text: string) => T | null): T {
  const value = read(answer.trim());
  if (value !== null) return value;
  const [first = ""] = answer.trim().split("\n");
  if (/^Permission denied/.test(first)) throw notAllowed();
  throw new LbError(
    "LB_NOT_RUNNING",
    `the daemon's answer is not understood: ${JSON.stringify(first.slice(0, 80))}`,
    "the daemon may be of another version than this command: restart it",
  );
}
