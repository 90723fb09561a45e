/**
 * What a line of the log is about, as far as it is kept apart from the others: each kind has a place of its own, so that a
 * storm of one pushes nothing of another out.
 */
export type Kind = "transition" | "server" | "tracking" | "node" | "request" | "other";

/** How much of a kind is kept, and told as a change. */
export interface KindBounds {
  readonly mostLines: number;
  readonly mostBytes: number;
  /** null: as long as there is room. */
  readonly keptMs: number | null;
  /** How many of them the time line has; 0: they are no changes. */
  readonly mostChanges: number;
}

/** How long what is no change is kept, and adverts. */
export const keptMs = 15 * 60_000;

const kibi = 1024;

export const kinds: Readonly<Record<Kind, KindBounds>> = {
  transition: { mostLines: 256, mostBytes: 256 * kibi, keptMs: null, mostChanges: 60 },
  server: { mostLines: 256, mostBytes: 256 * kibi, keptMs: null, mostChanges: 60 },
  tracking: { mostLines: 128, mostBytes: 128 * kibi, keptMs: null, mostChanges: 30 },
  node: { mostLines: 256, mostBytes: 384 * kibi, keptMs: null, mostChanges: 50 },
  request: { mostLines: 2048, mostBytes: 1024 * kibi, keptMs, mostChanges: 0 },
  other: { mostLines: 1024, mostBytes: 512 * kibi, keptMs, mostChanges: 0 },
};

const kindsByEvent: Readonly<Record<string, Kind>> = {
  vrrp: "transition",
  "vrrp-group": "transition",
  "split-brain": "transition",
  server: "server",
  backend: "server",
  "vrrp-priority": "tracking",
  tracked: "tracking",
  process: "node",
  thread: "node",
  fitness: "node",
  reload: "node",
  upgrade: "node",
  "peer-link": "node",
  handover: "node",
  response: "request",
  accept: "request",
};

const eventField = '"event":"';
/** Behind the fields that every line begins with: some 70 characters. */
const farthestEvent = 200;
const failedRequest = / failed"\}\n?$/;

/**
 * Reads of a line of the log, JSON as pino writes it, what it is about. Pure, without parsing it: the main thread does this
 * for each line. What clients say cannot pass for an event, since quotes in a value are escaped.
 */
export function kindOf(text: string): Kind {
  const at = text.slice(0, farthestEvent).indexOf(eventField);
  if (at < 0) return failedRequest.test(text.slice(-40)) ? "request" : "other";
  const start = at + eventField.length;
  return kindOfEvent(text.slice(start, text.indexOf('"', start)));
}

/** By the field `event` of a line. */
export function kindOfEvent(event: unknown): Kind {
  return typeof event === "string" && Object.hasOwn(kindsByEvent, event) ? kindsByEvent[event] : "other";
}
