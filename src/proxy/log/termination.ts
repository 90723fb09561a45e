/**
 * How an exchange or a connection ended: the first two letters of HAProxy's termination state (its manual, section 8.5).
 */

/** Who or what ended it. */
export const Cause = {
  none: 0,
  /** The client broke off. */
  client: 1,
  /** The server broke off, refused, or there was none. */
  server: 2,
  /** This proxy refused the request, or the response. */
  proxy: 3,
  clientTimeout: 4,
  /** Of the server's side: connecting, queueing, answering. */
  serverTimeout: 5,
  /** A limit of this process. */
  resource: 6,
  internal: 7,
  /** This proxy answers by itself, as it was told to. */
  local: 8,
  /** Cut by an operator or at the end of a drain. */
  killed: 9,
  /** The server was marked down, and its sessions with it. */
  markedDown: 10,
  /** A backup server's sessions end because another server is up again. */
  markedUp: 11,
} as const;
export type Cause = (typeof Cause)[keyof typeof Cause];

/** How far it had come. */
export const Stage = { none: 0, request: 1, queue: 2, connect: 3, headers: 4, data: 5, last: 6 } as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

const causes = "-CSPcsRILKDU";
const stages = "-RQCHDL";

/** What tells how far an exchange has come. */
export interface Progress {
  /** The request's head is whole. */
  readonly hasRequest: boolean;
  /** It waits for a server to have room. */
  readonly isQueued: boolean;
  /** A connection to a server stands. */
  readonly isConnected: boolean;
  /** Its body is whole, or it has none. */
  readonly requestComplete: boolean;
  /** The head of the final response has come. */
  readonly responseBegan: boolean;
}

/** In the order in which HAProxy looks: a body that is still on its way is data, whichever direction it has. */
export function stageOf(progress: Progress): Stage {
  if (!progress.hasRequest) return Stage.request;
  if (progress.isQueued) return Stage.queue;
  if (!progress.isConnected) return Stage.connect;
  if (progress.responseBegan || !progress.requestComplete) return Stage.data;
  return Stage.headers;
}

/** Two letters, such as `SC` or `cD`; `--` for what ended as it should, however far it had come. */
export function terminationState(cause: Cause, stage: Stage): string {
  if (cause === Cause.none) return "--";
  return causes[cause] + (cause === Cause.local ? stages[Stage.request] : stages[stage]);
}
