import fc from "fast-check";
import t from "tap";
import { dynamicCookie } from "../../../src/config/dynamic-cookie.js";
import { ageOf, noDates, splitDates, writeDates } from "../../../src/proxy/cookie-dates.js";

t.test("dates are written and read as HAProxy 2.6 wrote them", async (t) => {
  // Set-Cookie of `cookie SRV insert maxidle 1h maxlife 1d`, taken at 1795940409.
  t.equal(writeDates("s1", 1_795_940_409, 0), "s1|awvgP|awvgP");
  t.same(splitDates("s1|awvgP|awvgP"), ["s1", { lastS: 1_795_940_412, firstS: 1_795_940_412 }]);
  t.equal(writeDates("s1", 1_795_940_412, null), "s1|awvgP");
  t.equal(writeDates("s1", 1_795_940_413, null), "s1|awvgQ", "rounded up");
});

t.test("what is no date says nothing, and the value is what stands before it", async (t) => {
  for (const text of ["s1", "s1|", "s1|abc", "s1|-----", "s1|AAAAA", "s1||"])
    t.same(splitDates(text), ["s1", noDates], text);
});

t.test("what was written is read again, to four seconds", async () => {
  const time = fc.integer({ min: 4, max: 2 ** 32 - 8 });
  fc.assert(
    fc.property(time, time, (nowS, firstS) => {
      const [value, dates] = splitDates(writeDates("a", nowS, firstS));
      return (
        value === "a" &&
        dates.lastS >= nowS &&
        dates.lastS < nowS + 4 &&
        dates.firstS === firstS - (firstS % 4)
      );
    }),
  );
});

t.test("a cookie is too old, unused for too long, or from too far ahead", async (t) => {
  const limits = { maxIdleS: 60, maxLifeS: 600 };
  const now = 1_000_000;
  t.equal(ageOf({ lastS: now - 60, firstS: now - 600 }, limits, now), null);
  t.equal(ageOf({ lastS: now - 61, firstS: now - 600 }, limits, now), "E");
  t.equal(ageOf({ lastS: now - 61, firstS: now - 601 }, limits, now), "O");
  t.equal(ageOf({ lastS: now + 86_401, firstS: 0 }, limits, now), "E");
  t.equal(ageOf({ lastS: now + 86_400, firstS: 0 }, limits, now), null);
  t.equal(ageOf({ lastS: 4, firstS: 4 }, {}, now), null, "without limits dates say nothing");
});

t.test("a dynamic cookie is HAProxy's for the same key, address and port", async (t) => {
  // `show stat` of HAProxy 2.6 with `dynamic-cookie-key MYKEY`.
  t.equal(dynamicCookie("MYKEY", "127.0.0.1", 19_994), "679b901148366b12");
  t.equal(dynamicCookie("MYKEY", "10.1.2.3", 80), "f77d9f7ee8c7e9dc");
  t.equal(dynamicCookie("MYKEY", "fd00::1", 8080), "0f14a81f5fd039b2");
  t.equal(
    dynamicCookie("a-key-that-is-longer-than-thirty-two-bytes", "127.0.0.1", 19_993),
    "9ee46655c1fca15b",
  );
  t.equal(dynamicCookie("MYKEY", "web01", 80), null);
});
