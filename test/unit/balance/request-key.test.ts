import t from "tap";
import { type Balance, parseBalance } from "../../../src/config/balance.js";
import { noKey } from "../../../src/proxy/balance/algorithm.js";
import { hashText } from "../../../src/proxy/balance/key-hash.js";
import { requestKeyOf } from "../../../src/proxy/balance/request-key.js";
import { Head, parseRequestHead } from "../../../src/proxy/http1/head.js";

function balance(text: string): Balance {
  const result = parseBalance(text);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

/** The key of a request for `target`, which is hashed by `rule`. */
function keyOf(rule: string, target: string, ...fields: string[]): number {
  // Not at the start of its buffer: offsets are the record's.
  const text = `xx${["GET", target, "HTTP/1.1"].join(" ")}\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
  const bytes = Buffer.from(text, "latin1");
  const head = new Head();
  const end = parseRequestHead(bytes, 2, bytes.length, head, { maxHeadBytes: 4096, maxFields: 20 });
  if (end !== bytes.length) throw new Error(head.error);
  const key = requestKeyOf(balance(rule));
  if (key === null) throw new Error(`${rule} takes no key`);
  return key(bytes, head, "192.0.2.7");
}

t.test("uri: the target up to its query", async (t) => {
  t.equal(keyOf("uri", "/a/b?c=1"), hashText("/a/b"));
  t.equal(keyOf("uri", "http://a/a/b?c"), hashText("/a/b"), "the same in absolute form");
  t.equal(keyOf("uri whole", "/a/b?c=1"), hashText("/a/b?c=1"));
  t.equal(keyOf("uri len 3", "/a/b?c=1"), hashText("/a/"));
  t.equal(keyOf("uri len 300", "/a/b"), hashText("/a/b"));
});

t.test("uri depth: so many directories", async (t) => {
  t.equal(keyOf("uri depth 1", "/a/b/c"), hashText("/a"));
  t.equal(keyOf("uri depth 2", "/a/b/c?d"), hashText("/a/b"));
  t.equal(keyOf("uri depth 9", "/a/b/c?d"), hashText("/a/b/c"));
});

t.test(
  "hdr: the first field of that name in any case, and no key where it is missing or empty",
  async (t) => {
    t.equal(keyOf("hdr(X-User)", "/", "x-uSER:  joe ", "X-User: jim"), hashText("joe"));
    t.equal(keyOf("hdr(x_user)", "/", "X_User: joe"), hashText("joe"));
    t.equal(keyOf("hdr(Host)", "/"), hashText("a"));
    t.equal(keyOf("hdr(X-User)", "/", "X-Use: r"), noKey);
    t.equal(keyOf("hdr(X-User)", "/", "X-User:"), noKey);
  },
);

t.test("source: the client's address", async (t) => {
  t.equal(keyOf("source", "/a"), hashText("192.0.2.7"));
});

t.test("the others take no key", async (t) => {
  for (const rule of ["roundrobin", "leastconn", "first", "random"])
    t.equal(requestKeyOf(balance(rule)), null, rule);
});
