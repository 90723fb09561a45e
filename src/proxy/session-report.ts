import { isIP } from "../config/address.js";

/**
 * How far a client's connection has come: `arrival` before it is served (a PROXY header or a handshake is awaited), `inspect`
 * while a session of mode tcp waits for its client's first message, `idle` and
 * `request` before a request's head is whole, then `queue`, `connect`, `body` (the request's), `wait` for the response's head, `response`; `flush`
 * while a slow client takes the rest of an answer, `tunnel`, and `closing` while its FIN is awaited.
 */
export type SessionState =
  | "arrival"
  | "inspect"
  | "idle"
  | "request"
  | "queue"
  | "connect"
  | "body"
  | "wait"
  | "response"
  | "flush"
  | "tunnel"
  | "closing";

/** What an exchange, or a session of mode tcp, tells of itself. Times are spans in ms; −1: it has not come to that. */
export interface ExchangeReport {
  readonly state: SessionState;
  readonly backend: string;
  readonly server: string | null;
  readonly queueMs: number;
  readonly connectMs: number;
  readonly responseMs: number;
  /** Since the request, or the connection, began. */
  readonly elapsedMs: number;
  readonly retries: number;
}

/** A client's connection at one instant. */
export interface SessionReport {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly frontend: string;
  readonly overTls: boolean;
  readonly ageMs: number;
  readonly state: SessionState;
  /** null: nothing is asked of a server just now. */
  readonly exchange: ExchangeReport | null;
  /** Sent to the client for the present request, or in all with mode tcp. */
  readonly sentBytes: number;
  /** The present request's line; null: there is none, or it is not at hand. */
  readonly request: string | null;
}

/** HAProxy's form of an id. */
const formatSessionId = (id: number): string => `0x${id.toString(16)}`;

/**
 * One line of `show sess`, in HAProxy's `key=value`: of its keys those that say something of a connection here, then the state,
 * httplog's times in ms (in the queue, to connect, to the response's head, in all) and what has been sent.
 */
export function formatSession(id: number, report: SessionReport): string {
  const { exchange } = report;
  const times =
    exchange === null
      ? ""
      : ` tw=${round(exchange.queueMs)} tc=${round(exchange.connectMs)} tr=${round(exchange.responseMs)}` +
        ` tt=${round(exchange.elapsedMs)} retries=${exchange.retries}`;
  return (
    `${formatSessionId(id)}: proto=${proto(report)} src=${report.clientAddress}:${report.clientPort} ` +
    `fe=${report.frontend} be=${exchange?.backend ?? "<NONE>"} srv=${exchange?.server ?? "<none>"} ` +
    `age=${formatAge(report.ageMs)} state=${report.state}${times} out=${report.sentBytes}\n`
  );
}

/** What `show sess all` and `show sess <id>` tell, several lines, the first of them as HAProxy's. `began`: HAProxy's date of a log line. */
export function formatSessionAtLength(id: number, report: SessionReport, began: string): string {
  const { exchange } = report;
  const lines = [
    `${formatSessionId(id)}: [${began}] proto=${proto(report)} source=${report.clientAddress}:${report.clientPort}`,
    `state=${report.state} age=${formatAge(report.ageMs)} tls=${report.overTls ? "yes" : "no"} out=${report.sentBytes}`,
    `frontend=${report.frontend}`,
    `backend=${exchange?.backend ?? "<NONE>"}`,
    `server=${exchange?.server ?? "<NONE>"}`,
  ];
  if (exchange !== null)
    lines.push(
      `tw=${round(exchange.queueMs)} tc=${round(exchange.connectMs)} tr=${round(exchange.responseMs)} ` +
        `tt=${round(exchange.elapsedMs)} retries=${exchange.retries}`,
    );
  if (report.request !== null) lines.push(`request=${JSON.stringify(report.request)}`);
  return lines.map((line, i) => `${i === 0 ? "" : "  "}${line}\n`).join("");
}

/** HAProxy's `human_time`: the two greatest units, such as `1m5s`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units: readonly (readonly [name: string, seconds: number])[] = [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ];
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return "0s";
  const [name, length] = units[first];
  const next = units.at(first + 1);
  const rest = next === undefined ? 0 : Math.floor((seconds % length) / next[1]);
  return `${Math.floor(seconds / length)}${name}${next === undefined || rest === 0 ? "" : `${rest}${next[0]}`}`;
}

function proto({ clientAddress }: SessionReport): string {
  return isIP(clientAddress) && clientAddress.includes(":") ? "tcpv6" : "tcpv4";
}

const round = (ms: number): number => (ms < 0 ? -1 : Math.round(ms));
