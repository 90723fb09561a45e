import t from "tap";
import type { Inquiry, InquiryPart } from "../../../src/process/inquiry.js";
import type { Client } from "../../../src/proxy/client.js";
import { Roster } from "../../../src/proxy/engine/roster.js";
import { Inquired } from "../../../src/proxy/inquired.js";
import { InvalidMessages } from "../../../src/proxy/invalid-messages.js";
import { Cause } from "../../../src/proxy/log/termination.js";
import {
  formatAge,
  formatSession,
  formatSessionAtLength,
  type SessionReport,
} from "../../../src/proxy/session-report.js";
import { ThreadCell } from "../../../src/proxy/stats/layout.js";
import { StatsTable } from "../../../src/proxy/stats/table.js";

const report: SessionReport = {
  clientAddress: "192.0.2.9",
  clientPort: 4711,
  frontend: "web",
  overTls: false,
  ageMs: 65_400,
  state: "wait",
  exchange: {
    ...{ state: "wait", backend: "app", server: "a", queueMs: 0, connectMs: 1.6, responseMs: -1 },
    ...{ elapsedMs: 1000.4, retries: 0 },
  },
  sentBytes: 0,
  request: "GET /x HTTP/1.1",
};

function thread(count: number, change: (i: number) => Partial<SessionReport> = () => ({})) {
  const clients = new Roster<Client>();
  const cut: string[] = [];
  for (let i = 0; i < count; i++) {
    const client: Client = {
      rosterPlace: -1,
      sessionId: 0,
      closeIfIdle: () => {},
      cut: () => {},
      kill: () => {
        cut.push(`${i}`);
        clients.delete(client);
      },
      report: () => ({ ...report, clientPort: i, ...change(i) }),
    };
    clients.add(client);
  }
  const told: { part: InquiryPart; isLast: boolean }[] = [];
  const table = new StatsTable([{ servers: [] }], 2);
  const invalid = new InvalidMessages(table, 1);
  const inquired = new Inquired({
    ...{ proxies: [{ clients }], invalid, threadId: 7, now: () => 0, date: () => "date" },
    tell: (_id, part, isLast) => told.push({ part, isLast }),
  });
  let last = 0;
  /** Goes on until everything is told. */
  const ask = (inquiry: Inquiry): InquiryPart[] => {
    told.length = 0;
    inquired.take(++last, inquiry);
    while (told.at(-1)?.isLast !== true) inquired.goOn(last);
    return told.map(({ part }) => part);
  };
  const lines = (parts: readonly InquiryPart[]) =>
    parts.flatMap((part) => (part.kind === "lines" ? part.text.split("\n").slice(0, -1) : []));
  return { ask, lines, cut, invalid, table, clients, inquired, told };
}

t.test("a session is a line of HAProxy's form, and several at length", async (t) => {
  t.equal(
    formatSession(0x700000001, report),
    "0x700000001: proto=tcpv4 src=192.0.2.9:4711 fe=web be=app srv=a age=1m5s state=wait tw=0 tc=2 tr=-1 tt=1000 retries=0 out=0\n",
  );
  const idle = formatSession(1, {
    ...report,
    ...{ clientAddress: "2001:db8::1", exchange: null, state: "idle" },
  });
  t.equal(
    idle,
    "0x1: proto=tcpv6 src=2001:db8::1:4711 fe=web be=<NONE> srv=<none> age=1m5s state=idle out=0\n",
  );
  t.match(
    formatSessionAtLength(1, report, "date"),
    /^0x1: \[date\] proto=tcpv4 source=192\.0\.2\.9:4711\n {2}state=wait/,
  );
  t.match(formatSessionAtLength(1, report, "date"), /\n {2}request="GET \/x HTTP\/1\.1"\n$/);
  t.same([0, 999, 59_000, 60_000, 3_660_000, 90_000_000].map(formatAge), [
    "0s",
    "0s",
    "59s",
    "1m",
    "1h1m",
    "1d1h",
  ]);
});

t.test(
  "ten thousand sessions are told of in pieces, each once, with a number of its own that stays",
  async (t) => {
    const { ask, lines } = thread(10_000);
    const parts = ask({ about: "sessions", id: null, atLength: false });
    t.ok(parts.length >= 40, "in pieces");
    const all = lines(parts);
    t.equal(all.length, 10_000);
    const ids = all.map((line) => line.split(":")[0]);
    t.equal(new Set(ids).size, 10_000);
    t.same(lines(ask({ about: "sessions", id: null, atLength: false })), all);
  },
);

t.test("who leaves while sessions are told of is not told of", async (t) => {
  const { inquired, told, lines, clients } = thread(600);
  inquired.take(1, { about: "sessions", id: null, atLength: false });
  for (const client of clients.list()) client.kill(Cause.killed);
  while (told.at(-1)?.isLast !== true) inquired.goOn(1);
  t.equal(lines(told.map(({ part }) => part)).length, 250);
});

t.test("one session is found by its number, and another thread's is not", async (t) => {
  const { ask, lines, cut } = thread(3);
  const [, second] = lines(ask({ about: "sessions", id: null, atLength: false }));
  const id = Number.parseInt(second.slice(2), 16);
  t.equal(Math.floor(id / 2 ** 32), 7, "the thread's number stands above it");
  t.match(lines(ask({ about: "sessions", id, atLength: true }))[0], second.split(" ")[0]);
  t.same(ask({ about: "cut-session", id: id + 2 ** 32 }), [{ kind: "cut", sessions: 0 }]);
  t.same(ask({ about: "cut-session", id }), [{ kind: "cut", sessions: 1 }]);
  t.same(ask({ about: "cut-session", id }), [{ kind: "cut", sessions: 0 }], "it is gone");
  t.same(cut, ["1"]);
});

t.test("the sessions at a server are cut, and no others", async (t) => {
  const { ask, cut } = thread(4, (i) => ({
    exchange: i === 0 ? null : { ...report.exchange!, server: i === 1 ? "b" : "a" },
  }));
  t.same(ask({ about: "cut-sessions-at", backend: "app", server: "a" }), [{ kind: "cut", sessions: 2 }]);
  t.same(cut, ["2", "3"]);
  t.same(ask({ about: "cut-sessions-at", backend: "other", server: "b" }), [{ kind: "cut", sessions: 0 }]);
});

t.test(
  "of invalid messages the last of each kind and proxy is kept, at most HAProxy's buffer of it",
  async (t) => {
    const { ask, invalid, table } = thread(0);
    table.blocks[0][ThreadCell.invalidMessages] = 5;
    const bytes = Buffer.alloc(40_000, "x");
    for (const [kind, start] of [
      ["request", 0],
      ["request", 100],
      ["response", 39_000],
    ] as const)
      invalid.keep({
        ...{
          kind,
          proxy: "web",
          otherSide: null,
          server: null,
          atEpochMs: 0,
          clientAddress: "",
          clientPort: 0,
        },
        ...{ reason: "nul", maxHeadBytes: 16_384, bytes, start, end: 40_000, at: start + 7 },
      });
    const [part] = ask({ about: "invalid-messages" });
    if (part.kind !== "invalid-messages") throw new Error(part.kind);
    t.same(
      part.messages.map(({ kind, event, at, bytes }) => [kind, event, at, bytes.length]),
      [
        ["request", 6, 7, 16_384],
        ["response", 7, 7, 1_000],
      ],
    );
    t.not(part.messages[1].bytes.buffer, bytes.buffer, "the bytes are a copy");
  },
);
