import t from "tap";
import { errorAnswer } from "../../../src/proxy/http1/answer.js";
import { Framing, Method } from "../../../src/proxy/http1/head.js";
import { fieldsOf, parseResponse, textOf } from "./heads.js";

const statuses = [400, 405, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505];

t.test("every answer is a whole response that our own parser takes", async (t) => {
  for (const status of statuses) {
    for (const keepAlive of [true, false]) {
      const text = textOf(errorAnswer(status, keepAlive));
      const parsed = parseResponse(text);
      t.match(parsed.head, { status, keepAlive, framing: Framing.length, error: "" });
      t.equal(parsed.result + parsed.head.contentLength, text.length, `${status} is as long as it says`);
      const fields = new Map(fieldsOf(parsed));
      t.equal(fields.get("Content-Type"), "text/html");
      t.equal(fields.get("Cache-Control"), "no-cache");
      t.equal(fields.get("Connection"), keepAlive ? undefined : "close");
      t.match(text.slice(parsed.result), `<h1>${status} `);
    }
  }
});

t.test("an answer to HEAD is the same head without the body", async (t) => {
  const whole = textOf(errorAnswer(503, true));
  const head = textOf(errorAnswer(503, true, true));
  t.equal(parseResponse(head, Method.HEAD).result, head.length);
  t.ok(whole.startsWith(head));
  t.ok(whole.length > head.length);
});

t.test("503 reads as HAProxy's", async (t) => {
  t.equal(
    textOf(errorAnswer(503, false)).split("\r\n\r\n")[1],
    "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n",
  );
});

t.test("a 405 names what is allowed", async (t) => {
  t.match(textOf(errorAnswer(405, false)), /\r\nAllow: GET, /);
});

t.test("a status that we do not give comes out as 500, and answers are made once", async (t) => {
  t.equal(errorAnswer(499, false), errorAnswer(500, false));
  t.equal(errorAnswer(400, false), errorAnswer(400, false));
  t.not(errorAnswer(400, false), errorAnswer(400, true));
});
