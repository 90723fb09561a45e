import t from "tap";
import { describeLine } from "../../../src/flight/describe-line.js";
import { Cause, Stage, terminationState } from "../../../src/proxy/log/termination.js";

const line = {
  level: "warn",
  client: "192.168.33.1",
  frontend: "http",
  backend: "http",
  server: "web01",
  request: "GET /page HTTP/1.1",
  status: 502,
  termination: "SH--",
  totalMs: 20,
  msg: "request failed",
};

t.test("a failed request is told with its server, and its termination state in words", async (t) => {
  t.equal(
    describeLine(line),
    "http/web01: GET /page HTTP/1.1 got 502 after 20 ms, SH--: the server broke off before its answer began",
  );
  t.match(
    describeLine({ ...line, status: 504, termination: "sH--", totalMs: 501 }),
    "got 504 after 501 ms, sH--: the server was silent for too long before its answer began",
  );
  t.equal(
    describeLine({
      ...line,
      frontend: "site",
      server: undefined,
      status: 503,
      termination: "SC--",
      suppressed: 7,
    }),
    "http (by site): GET /page HTTP/1.1 got 503 after 20 ms, SC--: no server could be reached; 7 more of the second before are not told",
  );
  t.equal(
    describeLine({ ...line, server: undefined, request: undefined, status: -1, termination: "CR--" }),
    "http: a connection got no answer after 20 ms, CR--: the client broke off before the request was whole",
  );
  t.equal(describeLine({ level: "warn", msg: "request failed", status: 503 }), "request failed (status 503)");
});

t.test("every termination state of a failure has words", async (t) => {
  for (const cause of Object.values(Cause))
    for (const stage of Object.values(Stage)) {
      const termination = `${terminationState(cause, stage)}--`;
      if (cause === Cause.none || cause === Cause.local) continue;
      t.match(describeLine({ ...line, termination }), /--: [a-z]/, termination);
    }
});
