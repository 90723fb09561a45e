import t from "tap";
import { findHeadEnd } from "../../../src/proxy/http1/head.js";
import { bytesOf, lines } from "./heads.js";

const find = (text: string, from = 0, start = 0): number =>
  findHeadEnd(bytesOf(text), start, from, text.length);

t.test("the end of a head is after its empty line", async (t) => {
  const text = lines("GET / HTTP/1.1", "Host: a");
  t.equal(find(`${text}more\r\n\r\n`), text.length);
  t.equal(find(text.slice(0, -1)), 0);
  t.equal(find(""), 0);
});

t.test("bare LFs end a head too, for the parse to refuse it", async (t) => {
  t.equal(find("GET / HTTP/1.1\n\nx"), 16);
  t.equal(find("GET / HTTP/1.1\n\r\nx"), 17);
});

t.test("empty lines before the head are no end", async (t) => {
  const text = lines("GET / HTTP/1.1", "Host: a");
  t.equal(find("\r\n\r\n"), 0);
  t.equal(find(`\r\n\r\n${text}`), 4 + text.length);
});

t.test("nothing before start or from end on is looked at", async (t) => {
  t.equal(findHeadEnd(bytesOf("a\r\n\r\nbc"), 5, 5, 7), 0);
  t.equal(findHeadEnd(bytesOf("ab\r\n\r\n"), 0, 0, 5), 0);
});

t.test("looking on from where the last look ended finds the same end", async (t) => {
  for (const text of [lines("GET / HTTP/1.1", "Host: a"), `\r\n${lines("X")}`, "GET /\n\n", "GET /\n\r\n"]) {
    for (let seen = 0; seen < text.length; seen++) {
      t.equal(find(text.slice(0, seen)), 0);
      t.equal(find(text, seen), text.length, `${JSON.stringify(text)} from ${seen}`);
    }
  }
});
