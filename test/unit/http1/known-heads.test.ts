import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { writeForwardedRequest } from "../../../src/proxy/http1/forward.js";
import {
  Head,
  type HeadLimits,
  Method,
  parseRequestHead,
  parseResponseHead,
} from "../../../src/proxy/http1/head.js";
import { RequestHeads, ResponseHeads } from "../../../src/proxy/http1/known-heads.js";
import { mutate, mutations, request, response } from "./arbitraries.js";
import { bytesOf, limits, lines, requestForwarding, textOf } from "./heads.js";

const receiveAt = 256;
const writeAt = 8_192;

/** Memory as the direct engine has it: what came before is still there behind what has come now. */
const memory = (): Uint8Array => new Uint8Array(16_384).fill(0x41);

function receive(into: Uint8Array, text: string, at = receiveAt): number {
  into.set(bytesOf(text), at);
  return at + text.length;
}

/** Everything that a parse says. */
function recordOf(head: Head): unknown {
  const { nameStart, nameEnd, valueStart, valueEnd, kind, named, fieldCount, anyNamed, ...rest } = head;
  const lists = [nameStart, nameEnd, valueStart, valueEnd, kind, ...(anyNamed ? [named] : [])];
  return { ...rest, anyNamed, fields: lists.map((list) => [...list.subarray(0, fieldCount)]) };
}

/** A few messages in any order, so that each comes again soon, with something behind it and at another place now and then. */
const sequence = (texts: fc.Arbitrary<string>) =>
  fc
    .array(texts, { minLength: 1, maxLength: 4 })
    .chain((few) =>
      fc.array(
        fc.tuple(
          fc.constantFrom(...few),
          fc.constantFrom("", "", "", "x", "GET / HTTP/1.1\r\n"),
          fc.constantFrom(receiveAt, receiveAt, receiveAt, receiveAt + 1, receiveAt + 4),
          fc.boolean(),
        ),
        { minLength: 2, maxLength: 12 },
      ),
    );

const spoilt = (texts: fc.Arbitrary<{ text: string }>) =>
  fc
    .tuple(texts, fc.option(mutations, { freq: 3 }))
    .map(([{ text }, changes]) => (changes === null ? text : mutate(text, changes)).slice(0, 3_000));

t.test(
  "a remembered request is what a parse would find, and what would be written for the server",
  async () => {
    fc.assert(
      fc.property(sequence(spoilt(request)), (steps) => {
        const bytes = memory();
        const heads = new RequestHeads(bytes, limits);
        const fresh = new Head();
        const ways = [
          requestForwarding(),
          requestForwarding({ forwardedFor: bytesOf("X-Forwarded-For: ::1\r\n") }),
        ];
        for (const [text, behind, at, other] of steps) {
          const end = receive(bytes, text + behind, at);
          const wanted = parseRequestHead(bytes, at, end, fresh, limits);
          assert.equal(heads.parse(bytes, at, end), wanted);
          assert.deepEqual(recordOf(heads.head), recordOf(fresh));
          if (wanted <= 0) continue;
          const f = { ...ways[other ? 1 : 0], keepUpgrade: fresh.upgrade };
          const anew = new Uint8Array(8_192);
          const anewEnd = writeForwardedRequest(bytes, fresh, f, anew, 0);
          const writtenEnd = heads.write(bytes, f, bytes, writeAt);
          assert.equal(textOf(bytes, writeAt, writtenEnd), textOf(anew, 0, anewEnd));
        }
      }),
      { numRuns: 300 },
    );
  },
);

t.test("a remembered response is what a parse would find, for HEAD as for GET", async () => {
  fc.assert(
    fc.property(sequence(spoilt(response)), (steps) => {
      const bytes = memory();
      const heads = new ResponseHeads(bytes, limits);
      const fresh = new Head();
      for (const [text, behind, at, toHead] of steps) {
        const end = receive(bytes, text + behind, at);
        const method = toHead ? Method.HEAD : Method.GET;
        const wanted = parseResponseHead(bytes, at, end, fresh, limits, method);
        assert.equal(heads.parse(bytes, at, end, method), wanted);
        assert.deepEqual(recordOf(heads.head), recordOf(fresh));
      }
    }),
    { numRuns: 300 },
  );
});

/** Whether the head was known: a parse that is not made cannot refuse for a limit that came down in the meantime. */
function isKnown(heads: RequestHeads, changing: HeadLimits, bytes: Uint8Array, end: number): boolean {
  const { maxFields } = changing;
  changing.maxFields = 0;
  const after = heads.parse(bytes, receiveAt, end);
  changing.maxFields = maxFields;
  return after > 0;
}

t.test("one byte more, less or other, and it is another head", async (t) => {
  for (const length of [60, 61, 62, 63]) {
    const text = lines("GET / HTTP/1.1", "Host: a", `X: ${"x".repeat(length - 33)}`);
    const bytes = memory();
    const changing = { ...limits };
    const end = receiveAt + text.length;
    const knowing = (): RequestHeads => {
      const heads = new RequestHeads(bytes, changing);
      heads.parse(bytes, receiveAt, receive(bytes, text));
      return heads;
    };
    t.ok(isKnown(knowing(), changing, bytes, end), "the same");
    for (let i = 0; i < text.length; i++) {
      const heads = knowing();
      bytes[receiveAt + i] ^= 1;
      if (isKnown(heads, changing, bytes, end)) t.fail(`byte ${i} of ${text.length} was not looked at`);
    }
    t.notOk(isKnown(knowing(), changing, bytes, end - 1), "its last byte has not come");
  }
});

t.test(
  "a head that is too long to be remembered, and an array that is not the engine's, are parsed",
  async (t) => {
    const long = lines("GET / HTTP/1.1", "Host: a", `X: ${"x".repeat(3_000)}`);
    const bytes = memory();
    const changing = { ...limits };
    const heads = new RequestHeads(bytes, changing);
    const end = receive(bytes, long);
    for (let i = 0; i < 2; i++) t.equal(heads.parse(bytes, receiveAt, end), end);
    t.notOk(isKnown(heads, changing, bytes, end));

    const short = bytesOf(lines("GET / HTTP/1.1", "Host: a"));
    for (let i = 0; i < 2; i++) t.equal(heads.parse(short, 0, short.length), short.length);
    changing.maxFields = 0;
    t.equal(heads.parse(short, 0, short.length), -431);
    const none = new RequestHeads(null, limits);
    t.equal(none.parse(short, 0, short.length), short.length);
  },
);

t.test("where no head comes twice few are remembered, and one that does is known again soon", async (t) => {
  const bytes = memory();
  const changing = { ...limits };
  const heads = new RequestHeads(bytes, changing);
  const ask = (text: string): number => {
    const end = receive(bytes, text);
    assert.equal(heads.parse(bytes, receiveAt, end), end);
    return end;
  };
  for (let i = 0; i < 200; i++) ask(lines(`GET /${i} HTTP/1.1`, "Host: a"));
  const wanted = lines("GET /again HTTP/1.1", "Host: a");
  for (let i = 0; i < 17; i++) ask(wanted);
  t.ok(isKnown(heads, changing, bytes, ask(wanted)));
});
