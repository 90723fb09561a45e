import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { BodyFramer } from "../../../src/proxy/http1/body.js";
import { Framing } from "../../../src/proxy/http1/head.js";
import { chunkedBody, mutate, mutations } from "./arbitraries.js";
import { bytesOf, frame } from "./heads.js";

const cuts = fc.array(fc.nat(2000), { maxLength: 12 });
const nextMessage = "GET / HTTP/1.1\r\n";

t.test("a chunked body gives its exact payload, however it is cut", async () => {
  fc.assert(
    fc.property(chunkedBody, cuts, ({ text, payload }, cuts) => {
      assert.deepEqual(frame(text + nextMessage, Framing.chunked, -1, cuts), {
        end: text.length,
        done: true,
        error: null,
        payload,
      });
    }),
    { numRuns: 500 },
  );
});

t.test("a chunked body can be cut at every byte", async () => {
  fc.assert(
    fc.property(chunkedBody, ({ text, payload }) => {
      const everywhere = Array.from({ length: text.length }, (_, i) => i);
      assert.deepEqual(frame(text, Framing.chunked, -1, everywhere), {
        end: text.length,
        done: true,
        error: null,
        payload,
      });
    }),
    { numRuns: 100 },
  );
});

t.test("no proper prefix of a chunked body is done or broken", async () => {
  fc.assert(
    fc.property(chunkedBody, ({ text }) => {
      for (let end = 0; end < text.length; end++) {
        const framed = frame(text.slice(0, end), Framing.chunked, -1);
        if (framed.done || framed.error !== null || framed.end !== end) return false;
      }
      return true;
    }),
    { numRuns: 100 },
  );
});

t.test("a body of known length ends at its length, however it is cut", async () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), cuts, (length, rest, cuts) => {
      const text = "x".repeat(length) + "y".repeat(rest);
      assert.deepEqual(frame(text, Framing.length, length, cuts), {
        end: length,
        done: true,
        error: null,
        payload: "x".repeat(length),
      });
    }),
  );
});

t.test("advance and nextData agree, on damaged bodies too, and so do whole and cut ones", async () => {
  const framer = new BodyFramer();
  fc.assert(
    fc.property(chunkedBody, mutations, cuts, ({ text }, changes, cuts) => {
      const damaged = mutate(text, changes);
      const whole = frame(damaged, Framing.chunked, -1);
      const cut = frame(damaged, Framing.chunked, -1, cuts);
      framer.reset(Framing.chunked, -1);
      const end = framer.advance(bytesOf(damaged), 0, damaged.length);
      return (
        JSON.stringify(whole) === JSON.stringify(cut) &&
        end === whole.end &&
        framer.done === whole.done &&
        framer.error === whole.error &&
        (end === damaged.length || whole.done || whole.error !== null)
      );
    }),
    { numRuns: 3000 },
  );
});
