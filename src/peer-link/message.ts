import Type from "typebox";
import { Check } from "typebox/value";
import { isRecord, parseJson } from "../json.js";

/**
 * What the partners tell each other, as JSON in the link's authenticated messages. A member that is not known is left
 * out of account, so that a newer partner can say more.
 */

const routerState = Type.Object({
  virtualRouterId: Type.Integer({ minimum: 1, maximum: 255 }),
  family: Type.Union([Type.Literal(4), Type.Literal(6)]),
  state: Type.Union([
    Type.Literal("INIT"),
    Type.Literal("BACKUP"),
    Type.Literal("MASTER"),
    Type.Literal("FAULT"),
  ]),
  /** As it counts now: what it would advertise. */
  priority: Type.Integer({ minimum: 0, maximum: 255 }),
  /** Why it is in this state. */
  reason: Type.String({ maxLength: 500 }),
});

/** What the sender balances, for the partner's dashboard. */
const nodeLoad = Type.Object({
  connections: Type.Integer({ minimum: 0 }),
  requestsTotal: Type.Integer({ minimum: 0 }),
  serversUp: Type.Integer({ minimum: 0 }),
  serversTotal: Type.Integer({ minimum: 0 }),
});

const stateMessage = Type.Object({
  kind: Type.Literal("state"),
  node: Type.String({ maxLength: 255 }),
  /** Of the interface that the link goes over, as `02:00:00:00:00:01`. */
  mac: Type.String({ pattern: "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$" }),
  routers: Type.Array(routerState, { maxItems: 255 }),
  /** The partners that the sender has a link with, the reader among them: who else may take over from it. */
  members: Type.Array(
    Type.Object({
      address: Type.String({ maxLength: 64 }),
      routers: Type.Array(routerState, { maxItems: 255 }),
    }),
    { maxItems: 16 },
  ),
  load: Type.Optional(nodeLoad),
  /** Somebody looks at the sender's dashboard: it wants `servers`, and gets it from whoever knows that message. */
  watches: Type.Optional(Type.Boolean()),
});

/**
 * The sender's servers, for a partner that watches: at most one a second. The main threads carry the text unread, from one
 * control thread to the other (`server-report.ts`).
 */
const serversMessage = Type.Object({
  kind: Type.Literal("servers"),
  report: Type.String({ maxLength: 16_384 }),
});

/** Goodbye: the process ends in good order, and its closed link is no sign of a crash. */
const byeMessage = Type.Object({ kind: Type.Literal("bye") });

/**
 * A move of one virtual router in which no connection is lost. The side that begins asks, the other one does its part
 * and answers; `drainMs` bounds how long both keep it up.
 *
 *     preempting backup ── take ──▶ master         stopping master ── offer ──▶ best backup
 *                       ◀─ answer ─                                ◀─ answer ──
 *     takes over                                                   ── go ─────▶ takes over
 *                       ◀─ done ──  when its connections have ended ── done ──▶
 *
 * `withdraw`, in place of what follows: whoever asked goes on without the other one, which undoes its part.
 */
const moveMessage = Type.Object({
  kind: Type.Union([
    Type.Literal("take"),
    Type.Literal("offer"),
    Type.Literal("withdraw"),
    Type.Literal("go"),
    Type.Literal("done"),
  ]),
  virtualRouterId: Type.Integer({ minimum: 1, maximum: 255 }),
  family: Type.Union([Type.Literal(4), Type.Literal(6)]),
  drainMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
});

const answerMessage = Type.Object({
  kind: Type.Literal("answer"),
  virtualRouterId: Type.Integer({ minimum: 1, maximum: 255 }),
  family: Type.Union([Type.Literal(4), Type.Literal(6)]),
  /** Null: ready; otherwise why not. */
  refusal: Type.Union([Type.Null(), Type.String({ maxLength: 500 })]),
});

const messageSchema = Type.Union([stateMessage, serversMessage, byeMessage, moveMessage, answerMessage]);
/** Of this version; a kind that is none of them is a newer partner's, and no fault. */
const kinds: readonly string[] = [
  "state",
  "servers",
  "bye",
  "take",
  "offer",
  "withdraw",
  "go",
  "done",
  "answer",
];

export type PeerMessage = Type.Static<typeof messageSchema>;
export type StateMessage = Type.Static<typeof stateMessage>;
export type MoveMessage = Type.Static<typeof moveMessage>;
export type AnswerMessage = Type.Static<typeof answerMessage>;
export type RouterState = Type.Static<typeof routerState>;
export type NodeLoad = Type.Static<typeof nodeLoad>;

export function encodeMessage(message: PeerMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

/** `unknown`: of a kind that this version does not know, to be left out of account. Null: it is no message. */
export function parseMessage(body: Uint8Array): PeerMessage | "unknown" | null {
  const value = parseJson(Buffer.from(body).toString("utf8"));
  if (Check(messageSchema, value)) return value;
  const kind = isRecord(value) ? value.kind : null;
  return typeof kind === "string" && !kinds.includes(kind) ? "unknown" : null;
}
