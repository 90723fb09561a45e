import Type from "typebox";
import { Check } from "typebox/value";
import { vrrpLegacySchema } from "../vrrp/legacy.js";

/*
 * What a process and its successor tell each other, while the program is upgraded, as lines of JSON:
 *
 *     the process before                                      its successor
 *       │  starts it with the listening sockets and one end of a socket pair
 *       │ ◀── hello: its pid ───────────────────────────────────── │
 *       │ ─── inherit: what the descriptors are, counters, states ─▶│  opens everything, accepts nobody yet
 *       │ ◀── ready ────────────────────────────────────────────── │  (or refused: the reasons; then it ends)
 *       │  its VRRP stands still
 *       │ ─── take: how VRRP stands ──────────────────────────────▶ │  says so to the partners, holds the addresses
 *       │ ◀── taken ────────────────────────────────────────────── │
 *       │  tells the service manager the new main pid
 *       │ ─── go ─────────────────────────────────────────────────▶ │  accepts, serves
 *       │  accepts no more, finishes what it has begun
 *       │ ─── counts, each second and at the end ─────────────────▶ │  shows them with its own
 *
 * The two may be of different versions: unknown members are left out of account, and what is missing begins anew.
 */

/** Which conversation this is: another number, and the successor refuses. */
export const upgradeProtocol = 1;

/** In the successor's environment: the number of the descriptor that it is spoken to on. */
export const upgradeVariable = "LB_UPGRADE";

const number = Type.Number();
const counts = Type.Record(Type.String(), number);

/** What was counted, by the names of proxies, servers and cells; cells that are 0 are left out. */
const countsSchema = Type.Array(
  Type.Object({
    name: Type.String(),
    frontend: counts,
    backend: counts,
    servers: Type.Array(Type.Object({ name: Type.String(), row: counts })),
  }),
);

const numberOrNull = Type.Union([number, Type.Null()]);

/** An operator's address of a server, where it has one. */
const serverTarget = Type.Object({
  host: Type.Union([Type.String(), Type.Null()]),
  port: numberOrNull,
  checkPort: numberOrNull,
});

const serverState = Type.Object({
  admin: Type.Union([Type.Literal("ready"), Type.Literal("drain"), Type.Literal("maint")]),
  health: number,
  weight: number,
  changedMs: number,
  downtimeMs: number,
  cameUpMs: numberOrNull,
  checkStatus: Type.String(),
  checkCode: numberOrNull,
  checkDurationMs: numberOrNull,
  failedChecks: number,
  downs: number,
  errorLimits: number,
  recoveries: number,
  maxconn: numberOrNull,
  agent: Type.Union([
    Type.Object({
      isEnabled: Type.Boolean(),
      health: number,
      status: Type.String(),
      durationMs: numberOrNull,
    }),
    Type.Null(),
  ]),
});

/** States of servers, by name. */
const statesSchema = Type.Array(
  Type.Object({
    proxy: Type.String(),
    backend: Type.Object({
      hasServer: Type.Boolean(),
      changedMs: number,
      downtimeMs: number,
      downs: number,
    }),
    servers: Type.Array(Type.Object({ name: Type.String(), state: serverState, target: serverTarget })),
  }),
);

const found = Type.Union([Type.Literal("up"), Type.Literal("down"), Type.Literal("unknown")]);

/** A listening socket; of the stats socket the address is its path, and the port 0. */
const inheritedSocket = Type.Object({
  kind: Type.Union([Type.Literal("proxy"), Type.Literal("admin"), Type.Literal("stats")]),
  address: Type.String(),
  port: Type.Integer(),
  descriptor: Type.Integer({ minimum: 0 }),
});

const inheritMessage = Type.Object({
  kind: Type.Literal("inherit"),
  protocol: Type.Integer(),
  version: Type.String(),
  sockets: Type.Array(inheritedSocket),
  ticketKeys: Type.String(),
  engine: Type.Union([Type.Literal("direct"), Type.Literal("portable")]),
  counts: countsSchema,
  states: statesSchema,
  /** What was found of scripts, files and processes that are tracked. */
  facts: Type.Array(
    Type.Union([
      Type.Object({
        of: Type.Union([Type.Literal("script"), Type.Literal("process")]),
        name: Type.String(),
        found,
      }),
      Type.Object({ of: Type.Literal("file"), name: Type.String(), value: number }),
    ]),
  ),
  /** What the flight recorder has, as it hands it out. */
  flight: Type.String(),
});

const takeMessage = Type.Object({
  kind: Type.Literal("take"),
  counts: countsSchema,
  states: statesSchema,
  vrrp: Type.Union([vrrpLegacySchema, Type.Null()]),
});

const goMessage = Type.Object({ kind: Type.Literal("go") });
const countsMessage = Type.Object({
  kind: Type.Literal("counts"),
  counts: countsSchema,
  /** Client connections that are still open. */
  connections: Type.Integer(),
});

const helloMessage = Type.Object({
  kind: Type.Literal("hello"),
  protocol: Type.Integer(),
  version: Type.String(),
  pid: Type.Integer({ minimum: 2 }),
});
const readyMessage = Type.Object({ kind: Type.Literal("ready") });
const refusedMessage = Type.Object({
  kind: Type.Literal("refused"),
  /** It is the configuration that it does not take. */
  isConfig: Type.Boolean(),
  problems: Type.Array(Type.String()),
});
const takenMessage = Type.Object({ kind: Type.Literal("taken") });

const toSuccessor = Type.Union([inheritMessage, takeMessage, goMessage, countsMessage]);
const toPredecessor = Type.Union([helloMessage, readyMessage, refusedMessage, takenMessage]);

export type InheritedSocket = Type.Static<typeof inheritedSocket>;
export type InheritMessage = Type.Static<typeof inheritMessage>;
export type TakeMessage = Type.Static<typeof takeMessage>;
export type ToSuccessor = Type.Static<typeof toSuccessor>;
export type ToPredecessor = Type.Static<typeof toPredecessor>;
export type Counts = Type.Static<typeof countsSchema>;
export type States = Type.Static<typeof statesSchema>;

/** Null: it is no message of this version. */
export function readToSuccessor(message: unknown): ToSuccessor | null {
  return Check(toSuccessor, message) ? message : null;
}

/** Null: it is no message of this version. */
export function readToPredecessor(message: unknown): ToPredecessor | null {
  return Check(toPredecessor, message) ? message : null;
}
