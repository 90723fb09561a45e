import t from "tap";
import { parseJson, parseJsonObject } from "../../src/json.js";

t.test("JSON is read, and what is none is undefined", async (t) => {
  t.same(parseJson("[1, null]"), [1, null]);
  t.equal(parseJson("null"), null);
  for (const text of ["", "{", "upgraded", "{}{}"]) t.equal(parseJson(text), undefined);
});

t.test("of an object there are the members, and of anything else nothing", async (t) => {
  t.same(parseJsonObject('{"outcome":"applied"}'), { outcome: "applied" });
  for (const text of ["", "[]", "null", "7", '"text"']) t.equal(parseJsonObject(text), null);
});
