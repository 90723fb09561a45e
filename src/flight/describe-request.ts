import type { LogLine } from "./log-line.js";

/** By the first letter of HAProxy's termination state: who ended it. */
const who: Readonly<Record<string, string>> = {
  C: "the client broke off",
  S: "the server broke off",
  P: "this node refused it",
  c: "the client was silent for too long",
  s: "the server was silent for too long",
  R: "a limit of this node was reached",
  I: "an error of this node's own",
  K: "an operator, or the end of a drain, cut it",
  D: "its server was marked down",
  U: "a server is up again that it had stood in for",
};

/** By the second letter: how far it had come. */
const when: Readonly<Record<string, string>> = {
  R: "before the request was whole",
  Q: "in the queue",
  C: "while connecting to the server",
  H: "before its answer began",
  D: "in the middle",
  L: "at its end",
};

/** Where the two letters together say more. */
const together: Readonly<Record<string, string>> = {
  PR: "this node refused the request",
  PH: "this node refused the server's answer",
  SC: "no server could be reached",
  sC: "the server did not take the connection in time",
  sQ: "no server had room in time",
};

/** `http/web01: GET /page HTTP/1.1 got 502 after 20 ms, SH--: the server broke off before its answer began`; null: it is no such line. Pure. */
export function describeFailedRequest(line: LogLine): string | null {
  const { msg, frontend, backend, server, request, status, termination, totalMs } = line;
  if (msg !== "request failed" || typeof termination !== "string" || typeof backend !== "string") return null;
  const via = frontend === backend || typeof frontend !== "string" ? "" : ` (by ${frontend})`;
  const place = `${typeof server === "string" ? `${backend}/${server}` : backend}${via}`;
  const what = typeof request === "string" ? request : "a connection";
  const got = typeof status === "number" && status > 0 ? ` got ${status}` : " got no answer";
  const after = typeof totalMs === "number" && totalMs >= 0 ? ` after ${totalMs} ms` : "";
  const [cause, stage] = termination;
  const why = together[`${cause}${stage}`] ?? [who[cause], when[stage]].filter(Boolean).join(" ");
  const more =
    typeof line.suppressed === "number" ? `; ${line.suppressed} more of the second before are not told` : "";
  return `${place}: ${what}${got}${after}, ${termination}${why === "" ? "" : `: ${why}`}${more}`;
}
