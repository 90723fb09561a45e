import type { Cause, Stage } from "./termination.js";

/** What is known of an exchange, or of a connection, when it is over. Times are ms, −1 where it never came so far. */
export interface LogRecord {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly frontend: string;
  /** The client's connection is over TLS that ends here: HAProxy's lines show a ~ behind the frontend's name. */
  readonly overTls: boolean;
  readonly backend: string;
  /** null: none was chosen. */
  readonly server: string | null;
  /** When the first byte of the request came, or the connection: ms since the epoch. */
  readonly beganEpochMs: number;
  /** From the first byte of the request to the end of its head. */
  readonly requestMs: number;
  /** Until the last attempt at a server began: queues, and attempts before it. */
  readonly queueMs: number;
  readonly connectMs: number;
  /** From the connection to the head of the response. */
  readonly responseMs: number;
  readonly totalMs: number;
  /** −1: the client got none. */
  readonly status: number;
  /** Sent to the client, heads included. */
  readonly bytes: number;
  readonly cause: Cause;
  readonly stage: Stage;
  /** HAProxy's third and fourth letter: what the client's cookie was, and what was done; `--` without stickiness. */
  readonly cookies: string;
  /** Connections of the process and of the frontend, this one included. */
  readonly processConnections: number;
  readonly frontendConnections: number;
  /** Exchanges of the backend and of the server besides this one. */
  readonly backendSessions: number;
  readonly serverSessions: number;
  readonly retries: number;
  readonly isRedispatched: boolean;
  /** How many stood in front of it in the queue when it came. */
  readonly serverQueue: number;
  readonly backendQueue: number;
  /** The request line as it came, one character a byte; null: it never was whole. */
  readonly request: string | null;
  /** unique_id_header's; left out: none. */
  readonly requestId?: string;
}
