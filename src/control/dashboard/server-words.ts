import type { ServerView } from "../server-view.js";
import type { Tone } from "./shape.js";

/** `L7OK/200 in 1 ms, OK`: what the last check said; empty without checks and in maintenance. */
export function describeCheck({ check, admin }: ServerView): string {
  if (check === null || admin === "maint") return "";
  const { status, code, durationMs, detail } = check;
  const time = durationMs === null ? "" : ` in ${durationMs} ms`;
  return `${status}${code === null ? "" : `/${code}`}${time}${detail === "" ? "" : `, ${detail}`}`;
}

export function toneOf({ isStopped, isUsable, admin, check, status }: ServerView): Tone {
  if (admin !== "ready") return "warn";
  if (isStopped) return "bad";
  if (check === null) return "dim";
  return isUsable && status === "UP" ? "ok" : "warn";
}
