import t from "tap";
import { Head, parseRequestHead } from "../../../src/proxy/http1/head.js";
import { RequestTrace } from "../../../src/proxy/log/request-trace.js";

const bytes = Buffer.from("GET /a?b=%20 HTTP/1.1\r\nHost: lb\r\n\r\n", "latin1");
const head = new Head(10);
parseRequestHead(bytes, 0, bytes.length, head, { maxHeadBytes: 1000, maxFields: 10 });

t.test(
  "a head that came in pieces began with the first of them, one that came at once at no time of its own",
  async (t) => {
    const trace = new RequestTrace(null);
    trace.headIsWhole(bytes, head, false);
    t.equal(trace.beganMs, -1);
    trace.begins(1_000);
    t.ok(trace.hasBegun);
    trace.headIsWhole(bytes, head, false);
    t.equal(trace.beganMs, 1_000);
    t.notOk(trace.hasBegun);
    trace.headIsWhole(bytes, head, false);
    t.equal(trace.beganMs, -1);
  },
);

t.test("the line is kept as it came, where it is wanted", async (t) => {
  const trace = new RequestTrace(null);
  trace.headIsWhole(bytes, head, false);
  t.equal(trace.line, null);
  trace.headIsWhole(bytes, head, true);
  t.equal(trace.line, "GET /a?b=%20 HTTP/1.1");
});

t.test("a line that is to be shown stands for the one that came", async (t) => {
  const trace = new RequestTrace("GET https://lb/ HTTP/2.0");
  trace.headIsWhole(bytes, head, false);
  t.equal(trace.line, "GET https://lb/ HTTP/2.0");
});

t.test("what was refused has no line, and began when its head did", async (t) => {
  const trace = new RequestTrace(null);
  trace.headIsWhole(bytes, head, true);
  t.equal(trace.refused(7), 7);
  t.equal(trace.line, null);
  trace.begins(5);
  t.equal(trace.refused(7), 5);
});
