import fc from "fast-check";
import t from "tap";
import type { HttpCheckConfig } from "../../../src/config/server-config.js";
import { checkRequest, judgeAnswer } from "../../../src/proxy/health/http-check.js";

const status: HttpCheckConfig = {
  method: "GET",
  uri: "/health",
  expect: { kind: "status", ranges: [{ from: 200, to: 399 }] },
};
const welcome: HttpCheckConfig = { ...status, expect: { kind: "string", text: "welcome" } };

const judge = (text: string, ended: boolean, config: HttpCheckConfig) =>
  judgeAnswer(Buffer.from(text, "latin1"), ended, config);

t.test("the request is one that any server understands", async (t) => {
  t.equal(
    checkRequest(status, "10.0.0.1:80"),
    "GET /health HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: tandem-check\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  );
  t.match(checkRequest({ ...status, host: "www" }, "10.0.0.1:80"), /\r\nHost: www\r\n/);
});

t.test("a status is judged as soon as its line is whole", async (t) => {
  t.equal(judge("HTTP/1.1 200 O", false, status), null);
  t.same(judge("HTTP/1.1 200 OK\r\n", false, status), { status: "L7OK", code: 200, detail: "" });
  t.same(judge("HTTP/1.0 301\r\n", false, status), { status: "L7OK", code: 301, detail: "" });
  t.same(judge("HTTP/1.1 503 Service Unavailable\r\n", false, status), {
    status: "L7STS",
    code: 503,
    detail: "Service Unavailable",
  });
});

t.test("an interim answer is none", async (t) => {
  t.equal(judge("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, status), null);
  t.match(judge("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false, status), {
    code: 204,
  });
});

t.test("what is not HTTP, or nothing at all, is an invalid response", async (t) => {
  for (const text of ["blurb", "HTTPS", "HTTP/1.1 2000 OK\r\n", "HTTP/2 200\r\n"])
    t.match(judge(text, false, status), { status: "L7RSP", code: null }, text);
  for (const text of ["", "HTTP/1.1 200"]) t.match(judge(text, true, status), { status: "L7RSP" }, text);
  t.equal(judge("", false, status), null);
});

t.test("a reason phrase cannot put control bytes into the log", async (t) => {
  t.equal(judge("HTTP/1.1 500 a\x1b[31m\xe9\r\n", false, status)?.detail, "a?[31m?");
});

t.test("a text is looked for in the body alone", async (t) => {
  const head = "HTTP/1.1 200 OK\r\nX: welcome\r\n";
  t.equal(judge(`${head}\r\nwel`, false, welcome), null);
  t.match(judge(`${head}\r\nyou are welcome`, false, welcome), { status: "L7OK", code: 200 });
  t.same(judge(`${head}\r\nhello`, true, welcome), {
    status: "L7RSP",
    code: null,
    detail: "HTTP content check did not match",
  });
  t.match(judge(`${head}Content-Length: 5\r\n\r\nhello`, false, welcome), { status: "L7RSP" });
});

t.test("a text is found across chunks, and not in their framing", async (t) => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  t.match(judge(`${head}3;x=y\r\nwel\r\n4\r\ncome\r\n`, false, welcome), { status: "L7OK" });
  t.match(judge(`${head}3;welcome\r\nabc\r\n0\r\n\r\n`, false, welcome), { status: "L7RSP" });
  t.equal(judge(`${head}3\r\nwel\r\n4\r\nco`, false, welcome), null);
});

t.test("any bytes come to a verdict when the answer has ended", async () => {
  const noise = fc.array(
    fc.constantFrom(
      "HTTP/1.1 ",
      "200",
      "503",
      " OK",
      "\r\n",
      "\r\n\r\n",
      "welcome",
      "5",
      ":",
      "Transfer-Encoding: chunked",
      "\0",
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(noise, fc.constantFrom(status, welcome), (parts, config) => {
      const text = parts.join("");
      return judge(text, true, config) !== null;
    }),
  );
});
