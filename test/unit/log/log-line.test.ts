import fc from "fast-check";
import t from "tap";
import { syslogHeader } from "../../../src/process/access-log-writer.js";
import { LogBatches } from "../../../src/proxy/log/batches.js";
import { calendarTime } from "../../../src/proxy/log/calendar.js";
import { ExchangeLog } from "../../../src/proxy/log/exchange-log.js";
import { formatLine, logDate, syslogDate } from "../../../src/proxy/log/log-line.js";
import type { LogRecord } from "../../../src/proxy/log/log-record.js";
import { Cause, Stage, stageOf, terminationState } from "../../../src/proxy/log/termination.js";

const whole: LogRecord = {
  clientAddress: "127.0.0.1",
  clientPort: 55_160,
  frontend: "web",
  overTls: false,
  backend: "web",
  server: "web1",
  beganEpochMs: Date.UTC(2026, 10, 24, 19, 42, 39, 106),
  requestMs: 0,
  queueMs: 0,
  connectMs: 0,
  responseMs: 6,
  totalMs: 6,
  status: 200,
  bytes: 54,
  cause: Cause.none,
  stage: Stage.none,
  cookies: "--",
  processConnections: 1,
  frontendConnections: 1,
  backendSessions: 0,
  serverSessions: 0,
  retries: 0,
  isRedispatched: false,
  serverQueue: 0,
  backendQueue: 0,
  request: "GET /ok HTTP/1.1",
};

t.test("httplog lines are those of HAProxy 2.6", async (t) => {
  const line = (change: Partial<LogRecord>) => formatLine("httplog", { ...whole, ...change }, 0, "data-0");
  t.equal(
    line({}),
    '127.0.0.1:55160 [24/Nov/2026:19:42:39.106] web web/web1 0/0/0/6/6 200 54 - - ---- 1/1/0/0/0 0/0 "GET /ok HTTP/1.1"',
  );
  t.match(line({ overTls: true }), /\] web~ web\/web1 /, "TLS that ends here");
  const nothing = { requestMs: -1, queueMs: -1, connectMs: -1, responseMs: -1, bytes: 0, request: null };
  t.equal(
    line({ ...nothing, server: null, status: 400, totalMs: 52, cause: Cause.client, stage: Stage.request }),
    '127.0.0.1:55160 [24/Nov/2026:19:42:39.106] web web/<NOSRV> -1/-1/-1/-1/52 400 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  );
  t.match(line({ retries: 1, isRedispatched: true }), / 1\/1\/0\/0\/\+1 0\/0 /);
  t.match(line({ cookies: "NI" }), / - - --NI 1\/1/);
  t.match(line({ serverQueue: 2, backendQueue: 3 }), /0\/0\/0 2\/3 "/);
});

t.test("nothing that a client writes gets out of the quotes or into another line", async (t) => {
  const request = (text: string) =>
    formatLine("httplog", { ...whole, request: text }, 0, "data-0").split(' "')[1];
  t.equal(request('GET /a"b\\c HTTP/1.1'), 'GET /a#22b\\c HTTP/1.1"');
  t.equal(request("GET /#\n\x7f\xe4 HTTP/1.1"), 'GET /#23#0A#7F#E4 HTTP/1.1"');
  t.equal(request(`GET /${"x".repeat(5000)} HTTP/1.1`).length, 1023 + 1);
});

t.test("tcplog lines are those of HAProxy 2.6", async (t) => {
  const cut = { ...whole, queueMs: 1, totalMs: 501, bytes: 0, cause: Cause.clientTimeout, stage: Stage.data };
  t.equal(
    formatLine("tcplog", cut, 0, "data-0"),
    "127.0.0.1:55160 [24/Nov/2026:19:42:39.106] web web/web1 1/0/501 0 cD 1/1/0/0/0 0/0",
  );
});

t.test("JSON lines have the form of the daemon's own", async (t) => {
  t.match(JSON.parse(formatLine("json", whole, 60, "data-1")), {
    level: "info",
    time: "2026-11-24T19:42:39.106Z",
    thread: "data-1",
    msg: "request",
    server: "web1",
    status: 200,
    termination: "----",
    request: "GET /ok HTTP/1.1",
  });
});

t.test("dates are local, in HAProxy's form and in syslog's", async (t) => {
  const at = Date.UTC(2026, 11, 31, 23, 30, 5, 7.9);
  t.equal(logDate(at, 0), "31/Dec/2026:23:30:05.007");
  t.equal(logDate(at, 60), "01/Jan/2027:00:30:05.007");
  t.equal(logDate(at + 90, 60), "01/Jan/2027:00:30:05.097");
  t.equal(syslogDate(at, 60), "Jan  1 00:30:05");
  t.equal(syslogHeader("local0", at, 0), `<134>Dec 31 23:30:05 lb[${process.pid}]: `);
  t.equal(syslogHeader("kern", at, 0).slice(0, 3), "<6>");
});

t.test("the calendar is the machine's own, leap years and centuries included", async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: -62_000_000_000, max: 250_000_000_000 }), (seconds) => {
      const date = new Date(seconds * 1000);
      const { year, month, day, hour, minute, second } = calendarTime(seconds);
      return (
        `${year} ${month} ${day} ${hour} ${minute} ${second}` ===
        `${date.getUTCFullYear()} ${date.getUTCMonth()} ${date.getUTCDate()} ${date.getUTCHours()} ${date.getUTCMinutes()} ${date.getUTCSeconds()}`
      );
    }),
  );
  t.same(calendarTime(Date.UTC(2024, 1, 29, 23, 59, 58) / 1000), {
    year: 2024,
    month: 1,
    day: 29,
    hour: 23,
    minute: 59,
    second: 58,
  });
});

t.test("the termination state says who ended it, and how far it had come", async (t) => {
  const progress = {
    hasRequest: true,
    isQueued: false,
    isConnected: true,
    requestComplete: true,
    responseBegan: true,
  };
  t.equal(terminationState(Cause.server, stageOf(progress)), "SD");
  t.equal(terminationState(Cause.serverTimeout, stageOf({ ...progress, responseBegan: false })), "sH");
  t.equal(
    terminationState(Cause.client, stageOf({ ...progress, responseBegan: false, requestComplete: false })),
    "CD",
  );
  t.equal(terminationState(Cause.server, stageOf({ ...progress, isConnected: false })), "SC");
  t.equal(terminationState(Cause.serverTimeout, stageOf({ ...progress, isQueued: true })), "sQ");
  t.equal(terminationState(Cause.clientTimeout, stageOf({ ...progress, hasRequest: false })), "cR");
  t.equal(terminationState(Cause.killed, Stage.data), "KD");
  t.equal(terminationState(Cause.none, Stage.data), "--");
  t.equal(terminationState(Cause.local, Stage.none), "LR");
});

const counts = { process: () => 1, frontend: () => 1, backend: () => 1, server: () => 1 };

function log(options: { readonly dontLogNull?: boolean; readonly dontLogNormal?: boolean } | null) {
  const lines: string[] = [];
  const failed: string[] = [];
  const recorded: string[] = [];
  const exchangeLog = new ExchangeLog({
    config:
      options === null
        ? null
        : {
            targets: [{ kind: "stdout" }],
            format: "httplog",
            facility: "local0",
            dontLogNull: false,
            dontLogNormal: false,
            ...options,
          },
    sink: { write: (_target, _facility, line) => lines.push(line) },
    counts,
    failed: (fields, _message, isInAccessLog) =>
      (isInAccessLog ? recorded : failed).push(String(fields.termination)),
    thread: "data-0",
    epochOffsetMs: () => 0,
    offsetMinutes: () => 0,
  });
  return { exchangeLog, lines, failed, recorded };
}

t.test("without an access log only what failed is told, in the daemon's log", async (t) => {
  const { exchangeLog, lines, failed } = log(null);
  exchangeLog.write(whole);
  exchangeLog.write({ ...whole, cause: Cause.server, stage: Stage.headers });
  exchangeLog.write({ ...whole, cause: Cause.client, stage: Stage.request }, true);
  t.same([lines, failed], [[], ["SH--"]]);
});

t.test(
  "with an access log the flight recorder hears of what failed, whatever the log leaves out",
  async (t) => {
    const { exchangeLog, lines, failed, recorded } = log({ dontLogNull: true });
    exchangeLog.write(whole);
    exchangeLog.write({ ...whole, cause: Cause.serverTimeout, stage: Stage.headers });
    exchangeLog.write({ ...whole, cause: Cause.client, stage: Stage.request }, true);
    exchangeLog.write({ ...whole, cause: Cause.proxy, stage: Stage.request }, false, true);
    t.same([lines.length, failed, recorded], [3, [], ["sH--"]], "a rule's answer is no failure");
  },
);

t.test("dontlognull leaves out connections on which nothing came", async (t) => {
  const { exchangeLog, lines } = log({ dontLogNull: true });
  exchangeLog.write({ ...whole, cause: Cause.client, stage: Stage.request }, true);
  exchangeLog.write(whole);
  t.equal(lines.length, 1);
});

t.test("dontlog_normal keeps what failed, was retried or moved, and the 5xx", async (t) => {
  const { exchangeLog, lines } = log({ dontLogNormal: true });
  for (const change of [
    {},
    { status: 404 },
    { status: 503 },
    { retries: 1 },
    { isRedispatched: true },
    { cause: Cause.client, stage: Stage.data },
  ])
    exchangeLog.write({ ...whole, ...change });
  t.equal(lines.length, 4);
});

t.test("lines leave by the batch, each target's in order", async (t) => {
  const sent: string[] = [];
  const batches = new LogBatches(({ target, text }) => sent.push(`${target.kind}:${text}`));
  const [stdout, file] = [{ kind: "stdout" }, { kind: "file", path: "/x" }] as const;
  batches.write(stdout, "local0", "a");
  batches.write(file, "local0", "b");
  batches.write(stdout, "local0", "c");
  t.same(sent, []);
  batches.flush();
  batches.flush();
  t.same(sent, ["stdout:a\nc\n", "file:b\n"]);
  batches.write(file, "local0", "x".repeat(40_000));
  t.equal(sent.length, 3, "a long batch does not wait");
});
