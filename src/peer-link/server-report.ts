import Type from "typebox";
import { Check } from "typebox/value";
import { parseJson } from "../json.js";

/**
 * A node's servers, as the partner's dashboard shows them: JSON that the control threads write and read, and the peer link
 * carries. Bounded so that it fits into one frame; a member that is not known is left out.
 */
export interface ServerReport {
  /** In the order of the configuration; those without servers are left out. */
  readonly proxies: readonly ReportedProxy[];
  /** Servers that there was no room for. */
  readonly left: number;
}

export interface ReportedProxy {
  readonly name: string;
  readonly servers: readonly ReportedServer[];
}

export type ReportedServer = Type.Static<typeof serverSchema>;

/** Many more than a pair has; all of them take some 12 KB. */
export const mostReported = 64;
/** As the string in the message, in UTF-8: a frame has 16384, less the sequence, the MAC and the message's own words. */
export const mostReportBytes = 15_000;
const most = { name: 100, address: 80, status: 24, check: 120 };

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const serverSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: most.name }),
  address: Type.String({ maxLength: most.address }),
  /** HAProxy's word: `UP`, `DOWN 1/2`, `no check`, `DRAIN`, `MAINT`. */
  status: Type.String({ maxLength: most.status }),
  admin: Type.Union([Type.Literal("ready"), Type.Literal("drain"), Type.Literal("maint")]),
  isDown: Type.Boolean(),
  /** How long it has been so. */
  sinceMs: count,
  /** What its last check said; empty without checks. */
  check: Type.String({ maxLength: most.check }),
  weight: Type.Integer({ minimum: 0, maximum: 256 }),
  sessions: count,
  requestsPerSecond: count,
  errors: count,
});
const reportSchema = Type.Object({
  proxies: Type.Array(
    Type.Object({
      name: Type.String({ minLength: 1, maxLength: most.name }),
      servers: Type.Array(serverSchema, { maxItems: mostReported }),
    }),
    { maxItems: mostReported },
  ),
  left: count,
});

/** Pure. Where there is no room for all of them, those that are down come first. */
export function encodeServerReport(proxies: readonly ReportedProxy[]): string {
  const rows = proxies.flatMap(({ servers }, proxy) =>
    servers.map((server, place) => ({ proxy, place, server: clip(server) })),
  );
  const urgent = rows.filter(({ server }) => server.isDown);
  const others = rows.filter(({ server }) => !server.isDown);
  const taken: typeof rows = [];
  const named = new Set<number>();
  let bytes = encodedBytes({ proxies: [], left: rows.length });
  for (const row of [...urgent, ...others].slice(0, mostReported)) {
    const proxyBytes = named.has(row.proxy)
      ? 0
      : encodedBytes({ name: proxies[row.proxy].name.slice(0, most.name), servers: [] }) + 1;
    bytes += proxyBytes + encodedBytes(row.server) + 1;
    if (bytes > mostReportBytes) break;
    named.add(row.proxy);
    taken.push(row);
  }
  taken.sort((a, b) => a.proxy - b.proxy || a.place - b.place);
  const report: ServerReport = {
    proxies: proxies.flatMap(({ name }, proxy) => {
      const servers = taken.filter((row) => row.proxy === proxy).map(({ server }) => server);
      return servers.length === 0 ? [] : [{ name: name.slice(0, most.name), servers }];
    }),
    left: rows.length - taken.length,
  };
  return JSON.stringify(report);
}

/** Null: it is none. Nothing but what is known here is taken over. Pure. */
export function parseServerReport(text: string): ServerReport | null {
  const value = parseJson(text);
  if (!Check(reportSchema, value)) return null;
  const { proxies, left } = value;
  if (proxies.reduce((sum, { servers }) => sum + servers.length, 0) > mostReported) return null;
  return { proxies: proxies.map(({ name, servers }) => ({ name, servers: servers.map(clip) })), left };
}

/** The members that are known, no longer than they may be. */
function clip(server: ReportedServer): ReportedServer {
  const { admin, isDown, sinceMs, weight, sessions, requestsPerSecond, errors } = server;
  return {
    name: server.name.slice(0, most.name),
    address: server.address.slice(0, most.address),
    status: server.status.slice(0, most.status),
    check: server.check.slice(0, most.check),
    admin,
    isDown,
    sinceMs,
    weight,
    sessions,
    requestsPerSecond,
    errors,
  };
}

/** What it takes within a string of JSON: its quotes are escaped there. */
function encodedBytes(value: object): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(value)));
}
