import { type CalendarTime, calendarTime } from "./calendar.js";
import type { LogRecord } from "./log-record.js";
import { terminationState } from "./termination.js";

/**
 * The forms of a line of the access log, without its newline: HAProxy's `option httplog` and `option tcplog` to the letter
 * (its manual, section 8.2, and what 2.6 was seen to write), and JSON in the form of the daemon's other lines.
 */
export type LogFormat = "json" | "httplog" | "tcplog";

/** HAProxy's REQURI_LEN, its final zero left out. */
const longestRequest = 1023;

/** `offsetMinutes`: local time minus UTC. `thread`: the name in the daemon's other lines. */
export function formatLine(
  format: LogFormat,
  record: LogRecord,
  offsetMinutes: number,
  thread: string,
): string {
  if (format === "json") return jsonLine(record, thread);
  return format === "httplog" ? httpLine(record, offsetMinutes) : tcpLine(record, offsetMinutes);
}

function httpLine(record: LogRecord, offsetMinutes: number): string {
  const { requestMs, queueMs, connectMs, responseMs, totalMs } = record;
  const request = record.request === null ? "<BADREQ>" : escapeRequest(record.request);
  return (
    `${origin(record, offsetMinutes)} ` +
    `${requestMs}/${queueMs}/${connectMs}/${responseMs}/${totalMs} ${record.status} ${record.bytes} - - ` +
    `${terminationState(record.cause, record.stage)}${record.cookies} ${counts(record)} "${request}"`
  );
}

function tcpLine(record: LogRecord, offsetMinutes: number): string {
  return (
    `${origin(record, offsetMinutes)} ${record.queueMs}/${record.connectMs}/${record.totalMs} ${record.bytes} ` +
    `${terminationState(record.cause, record.stage)} ${counts(record)}`
  );
}

function origin(record: LogRecord, offsetMinutes: number): string {
  return (
    `${record.clientAddress}:${record.clientPort} [${logDate(record.beganEpochMs, offsetMinutes)}] ` +
    `${record.frontend}${record.overTls ? "~" : ""} ${record.backend}/${record.server ?? "<NOSRV>"}`
  );
}

function counts(record: LogRecord): string {
  const { processConnections, frontendConnections, backendSessions, serverSessions } = record;
  const retries = `${record.isRedispatched ? "+" : ""}${record.retries}`;
  return (
    `${processConnections}/${frontendConnections}/${backendSessions}/${serverSessions}/${retries} ` +
    `${record.serverQueue}/${record.backendQueue}`
  );
}

function jsonLine(record: LogRecord, thread: string): string {
  return JSON.stringify({
    level: "info",
    time: isoDate(record.beganEpochMs),
    thread,
    ...describeRecord(record),
    msg: "request",
  });
}

/** The record by names, for JSON and for the line of a failed exchange in the daemon's log. */
export function describeRecord(record: LogRecord): Record<string, string | number> {
  return {
    client: record.clientAddress,
    clientPort: record.clientPort,
    frontend: record.frontend,
    backend: record.backend,
    ...(record.server !== null && { server: record.server }),
    ...(record.request !== null && { request: record.request }),
    ...(record.requestId !== undefined && { requestId: record.requestId }),
    status: record.status,
    bytes: record.bytes,
    termination: terminationState(record.cause, record.stage) + record.cookies,
    requestMs: record.requestMs,
    queueMs: record.queueMs,
    connectMs: record.connectMs,
    responseMs: record.responseMs,
    totalMs: record.totalMs,
    retries: record.retries,
    ...(record.isRedispatched && { redispatched: 1 }),
    processConnections: record.processConnections,
    frontendConnections: record.frontendConnections,
    backendSessions: record.backendSessions,
    serverSessions: record.serverSessions,
    ...(record.serverQueue > 0 && { serverQueue: record.serverQueue }),
    ...(record.backendQueue > 0 && { backendQueue: record.backendQueue }),
  };
}

/** HAProxy's url_encode_map: what could end the quotes, or is no printable ASCII, as `#` and two hexadecimal digits. */
function escapeRequest(request: string): string {
  const shown = request.length > longestRequest ? request.slice(0, longestRequest) : request;
  if (!mustBeEscaped.test(shown)) return shown;
  return shown.replace(
    everythingToEscape,
    (one) => `#${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

const mustBeEscaped = /[^\x20\x21\x24-\x7e]/;
const everythingToEscape = /[^\x20\x21\x24-\x7e]/g;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

const three = (value: number): string => `${value < 10 ? "00" : value < 100 ? "0" : ""}${value}`;

const clock = ({ hour, minute, second }: CalendarTime): string =>
  `${two(hour)}:${two(minute)}:${two(second)}`;

let lastSecond = Number.NaN;
let lastOffset = Number.NaN;
let lastText = "";

/** `24/Nov/2026:19:42:39.106`, local time. The text of a second is kept for the next line. */
export function logDate(epochMs: number, offsetMinutes: number): string {
  const whole = Math.floor(epochMs);
  const second = Math.floor(whole / 1000);
  if (second !== lastSecond || offsetMinutes !== lastOffset) {
    const date = calendarTime(second + offsetMinutes * 60);
    lastText = `${two(date.day)}/${months[date.month]}/${date.year}:${clock(date)}`;
    lastSecond = second;
    lastOffset = offsetMinutes;
  }
  return `${lastText}.${three(whole - second * 1000)}`;
}

/** `2026-11-24T19:42:39.106Z`. */
export function isoDate(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  const date = calendarTime(second);
  const ms = Math.floor(epochMs) - second * 1000;
  return `${date.year}-${two(date.month + 1)}-${two(date.day)}T${clock(date)}.${three(ms)}Z`;
}

/** RFC 3164 §4.1.2: `Nov  4 19:42:39`, local time. */
export function syslogDate(epochMs: number, offsetMinutes: number): string {
  const date = calendarTime(Math.floor(epochMs / 1000) + offsetMinutes * 60);
  return `${months[date.month]} ${date.day < 10 ? " " : ""}${date.day} ${clock(date)}`;
}
