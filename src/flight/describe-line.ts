import { describeFailedRequest } from "./describe-request.js";
import type { LogLine } from "./log-line.js";

/** Fields that say more than the message does, in this order. */
const tellingFields = [
  "proxy",
  "server",
  "script",
  "process",
  "file",
  "value",
  "dataThread",
  "version",
  "reason",
  "status",
  "request",
  "termination",
  "code",
  "advice",
  "steps",
  "suppressed",
];

/** A line of the log as a sentence; "" when there is nothing in it for a reader. Pure. */
export function describeLine(line: LogLine): string {
  const { msg, level } = line;
  if (typeof msg !== "string" || level === "debug" || level === "trace" || msg === "state") return "";
  return describeServer(line) ?? describeFailedRequest(line) ?? `${msg}${describeFields(line, msg)}`;
}

/** `http/web01: DOWN, Layer4 timeout`; null: it is of no server. */
function describeServer({ event, proxy, server, status, reason, msg }: LogLine): string | null {
  if (event !== "server" || typeof proxy !== "string" || typeof server !== "string") return null;
  const word = status === "no check" ? "ready" : status;
  const what = typeof word === "string" ? word : String(msg).replace(/^server /, "");
  return `${proxy}/${server}: ${what}${typeof reason === "string" && reason !== "" ? `, ${reason}` : ""}`;
}

function describeFields(line: LogLine, msg: string): string {
  const fields = tellingFields.flatMap((name) => {
    const value = line[name];
    if (value === undefined || value === null || value === "") return [];
    const text =
      typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
    return msg.includes(text) ? [] : [`${name} ${text}`];
  });
  return fields.length === 0 ? "" : ` (${fields.join(", ")})`;
}
