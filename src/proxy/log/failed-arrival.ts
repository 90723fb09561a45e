import { isoDate, type LogFormat, logDate } from "./log-line.js";

/** What is known of a connection that never came to be served. */
export interface FailedArrival {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly frontend: string;
  /** Which of the frontend's addresses it came to, from 1. */
  readonly bind: number;
  readonly beganEpochMs: number;
  /** In HAProxy's words. */
  readonly reason: string;
}

/** The line of the access log: HAProxy's for both its formats (its manual, section 8.2.5), or JSON. */
export function formatArrival(
  format: LogFormat,
  arrival: FailedArrival,
  offsetMinutes: number,
  thread: string,
): string {
  const { clientAddress, clientPort, frontend, bind, beganEpochMs, reason } = arrival;
  if (format !== "json") {
    const date = logDate(beganEpochMs, offsetMinutes);
    return `${clientAddress}:${clientPort} [${date}] ${frontend}/${bind}: ${reason}`;
  }
  const fields = describeArrival(arrival);
  return JSON.stringify({
    level: "info",
    time: isoDate(beganEpochMs),
    thread,
    ...fields,
    msg: "connection failed",
  });
}

/** By names, for JSON and for the daemon's log. */
export function describeArrival(arrival: FailedArrival): Record<string, string | number> {
  const { clientAddress, clientPort, frontend, bind, reason } = arrival;
  return { client: clientAddress, clientPort, frontend, bind, reason };
}
