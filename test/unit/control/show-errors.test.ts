import t from "tap";
import { dumpText } from "../../../src/control/dump-text.js";
import { showErrors } from "../../../src/control/show-errors.js";
import type { InvalidMessage } from "../../../src/proxy/invalid-messages.js";
import { ThreadCell } from "../../../src/proxy/stats/layout.js";
import { makeProxy, makeView } from "./view.js";

t.test("bytes are dumped as HAProxy 2.6 was seen to dump them", async (t) => {
  const request = `GET / HTTP/1.1\r\nHost: x\r\nA${"q".repeat(150)}\\\t\x1b\x80: y\r\n\r\n`;
  t.equal(
    dumpText(Buffer.from(request, "latin1")),
    [
      "  00000  GET / HTTP/1.1\\r\\n",
      "  00016  Host: x\\r\\n",
      `  00025  A${"q".repeat(69)}`,
      `  00095+ ${"q".repeat(70)}`,
      `  00165+ ${"q".repeat(11)}\\\\\\t\\e\\x80: y\\r\\n`,
      "  00185  \\r\\n",
      "",
    ].join("\n"),
  );
  t.equal(dumpText(Buffer.from("hi")), "  00000  hi\n");
  t.equal(dumpText(new Uint8Array(0)), "");
});

const message = (changes: Partial<InvalidMessage>): InvalidMessage => ({
  kind: "request",
  proxy: "web",
  otherSide: null,
  server: null,
  atEpochMs: 1_795_403_500_000,
  event: 0,
  clientAddress: "192.0.2.9",
  clientPort: 4711,
  reason: "bare-lf",
  bytes: Buffer.from("GET / HTTP/1.1\nHost: x\n\n"),
  at: null,
  maxHeadBytes: 16_384,
  ...changes,
});

const proxies = [
  makeProxy("web", [{ name: "a", host: "192.0.2.1", port: 80 }]),
  makeProxy("api", [
    { name: "b", host: "192.0.2.2", port: 80 },
    { name: "c", host: "192.0.2.3", port: 80 },
  ]),
];
const view = makeView(proxies, (table) => {
  table.blocks[0][ThreadCell.invalidMessages] = 3;
  table.blocks[1][ThreadCell.invalidMessages] = 4;
});
const all = { proxy: null, kind: null };
const shown = (messages: readonly InvalidMessage[], filter: Parameters<typeof showErrors>[2] = all) =>
  showErrors(view, messages, filter).replace(/\[\S+\]/g, "[date]");

t.test("without an invalid message there is the count of all threads", async (t) => {
  t.equal(shown([]), "Total events captured on [date] : 7\n");
});

t.test("a request and a response are told of as HAProxy does, with the parser's reason", async (t) => {
  const response = message({
    ...{ kind: "response", proxy: "api", otherSide: "web", server: "c", event: 6, reason: "bad-chunk-size" },
    ...{ bytes: Buffer.from("HTTP/1.1 200 OK\r\n\r\nzz"), at: 19 },
  });
  t.equal(
    shown([response, message({})]),
    `Total events captured on [date] : 7
 
[date] frontend web (#2): invalid request
  backend <NONE> (#-1), server <NONE> (#-1), event #0, src 192.0.2.9:4711
  buffer starts at 0 (including 0 out), 16360 free,
  len 24, wraps at 16384, error at position 14
  reason bare-lf :
  
  00000  GET / HTTP/1.1\\n
  00015  Host: x\\n
  00023  \\n
 
[date] backend api (#3): invalid response
  frontend web (#2), server c (#2), event #6, src 192.0.2.9:4711
  buffer starts at 0 (including 0 out), 16363 free,
  len 21, wraps at 16384, error at position 19
  reason bad-chunk-size :
  
  00000  HTTP/1.1 200 OK\\r\\n
  00017  \\r\\n
  00019  zz
`,
  );
});

t.test("of two threads' messages the later one is shown, and only what was asked for", async (t) => {
  const later = message({ atEpochMs: 1_795_403_500_001, event: 5 });
  const response = message({ kind: "response", proxy: "api", event: 6 });
  const events = (filter: Parameters<typeof showErrors>[2]) =>
    [...shown([later, message({}), response], filter).matchAll(/event #(\d+)/g)].map(([, event]) => event);
  t.same(events(all), ["5", "6"]);
  t.same(events({ proxy: null, kind: "response" }), ["6"]);
  t.same(events({ proxy: "web", kind: null }), ["5"]);
  t.same(events({ proxy: "web", kind: "response" }), []);
});
