import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { Framing, findHeadEnd, Head, Method, parseRequestHead } from "../../../src/proxy/http1/head.js";
import { type BodyKind, type Field, mutate, mutations, request, response } from "./arbitraries.js";
import {
  bytesOf,
  fieldsOf,
  forwardedForLine,
  forwardedProtoLine,
  forwardRequest,
  forwardResponse,
  limits,
  type Parsed,
  parseRequest,
  parseResponse,
  targetOf,
  textOf,
} from "./heads.js";

const framingOf: Record<BodyKind, number> = {
  none: Framing.none,
  length: Framing.length,
  chunked: Framing.chunked,
};

const pairs = (fields: readonly Field[]): [string, string][] =>
  fields.map(({ name, value }) => [name, value]);
const isFraming = ([name]: [string, string]): boolean => /^(content-length|transfer-encoding)$/i.test(name);
const lineEnds = /\r(?!\n)|(?<!\r)\n|\0/;

t.test("a valid request is read as it was written", async () => {
  fc.assert(
    fc.property(request, fc.string(), ({ text, method, target, fields, framing }, next) => {
      const parsed = parseRequest(text + next);
      const { head, bytes, result } = parsed;
      assert.equal(head.error, "");
      assert.equal(result, text.length);
      assert.equal(textOf(bytes, head.start, head.methodEnd), method);
      assert.equal(targetOf(parsed), target);
      assert.deepEqual(fieldsOf(parsed), pairs(fields));
      assert.equal(head.framing, framingOf[framing.kind]);
      assert.equal(head.contentLength, framing.length);
    }),
    { numRuns: 300 },
  );
});

t.test("no proper prefix of a valid request is a request, and none is refused", async () => {
  const head = new Head();
  fc.assert(
    fc.property(request, ({ text }) => {
      const bytes = bytesOf(text);
      for (let end = 0; end < bytes.length; end++) {
        if (parseRequestHead(bytes, 0, end, head, limits) !== 0) return false;
        if (findHeadEnd(bytes, 0, 0, end) !== 0) return false;
      }
      return findHeadEnd(bytes, 0, 0, bytes.length) === bytes.length;
    }),
    { numRuns: 200 },
  );
});

t.test("no proper prefix of a valid response is a response, and none is refused", async () => {
  fc.assert(
    fc.property(response, ({ text }) => {
      for (let end = 0; end < text.length; end++) {
        if (parseResponse(text.slice(0, end)).result !== 0) return false;
      }
      return parseResponse(text).result === text.length;
    }),
    { numRuns: 200 },
  );
});

t.test("where a head stands in its buffer changes nothing", async () => {
  fc.assert(
    fc.property(request, fc.nat(50), ({ text }, offset) => {
      const alone = parseRequest(text);
      const bytes = bytesOf("\n".repeat(offset) + text);
      const head = new Head();
      const result = parseRequestHead(bytes, offset, bytes.length, head, limits);
      return (
        result === alone.result + offset &&
        head.targetStart === alone.head.targetStart + offset &&
        JSON.stringify(fieldsOf({ result, head, bytes })) === JSON.stringify(fieldsOf(alone))
      );
    }),
  );
});

t.test("a forwarded request says the same to the server, with exactly one framing", async () => {
  fc.assert(
    fc.property(request, ({ text, method, target, host, endToEnd, framing }) => {
      const first = parseRequest(text);
      const forwarded = forwardRequest(first, { keepUpgrade: false });
      const parsed = parseRequest(forwarded);
      assert.equal(parsed.result, forwarded.length);
      assert.equal(textOf(parsed.bytes, parsed.head.start, parsed.head.methodEnd), method);
      assert.equal(targetOf(parsed), target);
      assert.equal(parsed.head.framing, framingOf[framing.kind]);
      assert.equal(parsed.head.contentLength, framing.length);
      assert.equal(parsed.head.keepAlive, true);
      const fields = fieldsOf(parsed);
      assert.equal(fields.filter(isFraming).length, framing.kind === "none" ? 0 : 1);
      const ours = /^(host|x-forwarded-for|x-forwarded-proto)$/i;
      assert.deepEqual(
        fields.filter((field) => !isFraming(field) && !ours.test(field[0])),
        pairs(endToEnd),
      );
      assert.deepEqual(
        fields.filter(([name]) => /^host$/i.test(name)),
        [["Host", host]],
      );
      assert.ok(forwarded.includes(`\r\n${forwardedProtoLine}${forwardedForLine}`));
      assert.doesNotMatch(forwarded, lineEnds);
    }),
    { numRuns: 300 },
  );
});

t.test("a forwarded response says the same to the client", async () => {
  fc.assert(
    fc.property(response, fc.boolean(), ({ text, status, reason, endToEnd, framing }, keepAlive) => {
      const chunkedToClient = framing.kind === "chunked";
      const forwarded = forwardResponse(parseResponse(text), { keepAlive, chunkedToClient });
      const parsed = parseResponse(forwarded);
      assert.equal(parsed.result, forwarded.length);
      assert.equal(parsed.head.status, status);
      assert.equal(textOf(parsed.bytes, parsed.head.reasonStart, parsed.head.reasonEnd), reason);
      assert.equal(
        parsed.head.framing,
        framing.kind === "none" ? Framing.untilClose : framingOf[framing.kind],
      );
      assert.equal(parsed.head.contentLength, framing.length);
      assert.equal(parsed.head.keepAlive, keepAlive && framing.kind !== "none");
      assert.deepEqual(
        fieldsOf(parsed).filter((field) => !isFraming(field) && !/^connection$/i.test(field[0])),
        pairs(endToEnd),
      );
    }),
    { numRuns: 300 },
  );
});

/** Whatever was accepted is consistent in itself and safe to send on. */
function assertSound(parsed: Parsed, length: number): void {
  const { result, head } = parsed;
  if (result > length) throw new Error(`offset ${result} beyond ${length}`);
  if (result < 0 && head.error === "") throw new Error("refused without a reason");
  if (result <= 0) return;
  if (head.end !== result || head.start > head.end) throw new Error("the range of the head is wrong");
  for (let i = 0; i < head.fieldCount; i++) {
    const marks = [head.nameStart[i]!, head.nameEnd[i]!, head.valueStart[i]!, head.valueEnd[i]!, result];
    if (marks.some((mark, k) => k > 0 && mark < marks[k - 1]!)) throw new Error(`field ${i}: ${marks}`);
  }
}

t.test("a damaged request never throws, and is forwarded only if it is still unambiguous", async () => {
  let accepted = 0;
  fc.assert(
    fc.property(request, mutations, ({ text }, changes) => {
      const damaged = mutate(text, changes);
      const parsed = parseRequest(damaged);
      assertSound(parsed, damaged.length);
      if (parsed.result <= 0) return true;
      accepted++;
      const forwarded = forwardRequest(parsed, { keepUpgrade: parsed.head.upgrade });
      const again = parseRequest(forwarded);
      if (again.result !== forwarded.length || lineEnds.test(forwarded)) return false;
      const framings = fieldsOf(again).filter(isFraming).length;
      return (
        framings === (parsed.head.framing === Framing.none ? 0 : 1) &&
        again.head.framing === parsed.head.framing &&
        again.head.contentLength === parsed.head.contentLength
      );
    }),
    { numRuns: 3000 },
  );
  t.ok(accepted > 100, `${accepted} of 3000 were still requests`);
});

t.test("a damaged response never throws, and is forwarded only if it is still unambiguous", async () => {
  fc.assert(
    fc.property(
      response,
      mutations,
      fc.constantFrom(Method.GET, Method.HEAD),
      ({ text }, changes, method) => {
        const damaged = mutate(text, changes);
        const parsed = parseResponse(damaged, method);
        assertSound(parsed, damaged.length);
        if (parsed.result <= 0) return true;
        const chunkedToClient = parsed.head.framing === Framing.chunked;
        const forwarded = forwardResponse(parsed, { chunkedToClient });
        const again = parseResponse(forwarded, method);
        return (
          again.result === forwarded.length &&
          !lineEnds.test(forwarded) &&
          again.head.framing === parsed.head.framing &&
          again.head.status === parsed.head.status &&
          fieldsOf(again).filter(isFraming).length <= 1
        );
      },
    ),
    { numRuns: 3000 },
  );
});

t.test("any bytes at all never throw and never lead outside the range", async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const text = textOf(noise);
      assertSound(parseRequest(text), text.length);
      assertSound(parseResponse(text), text.length);
      return findHeadEnd(noise, 0, 0, noise.length) <= noise.length;
    }),
    { numRuns: 2000 },
  );
});
