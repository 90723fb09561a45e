import t from "tap";
import { nextRiseFall, type RiseFall } from "../../../../src/control/track/rise-fall.js";

/** What a series of results comes to: + success, - failure. */
function found(results: string, rise: number, fall: number): string {
  let state: RiseFall = { found: "unknown", against: 0 };
  return [...results]
    .map((result) => {
      state = nextRiseFall(state, result === "+", rise, fall);
      return state.found === "up" ? "U" : "d";
    })
    .join("");
}

t.test("the first result decides at once", async (t) => {
  t.equal(found("+", 5, 5), "U");
  t.equal(found("-", 5, 5), "d");
});

t.test("from then on it takes so many in a row", async (t) => {
  t.equal(found("+--+---+-++", 2, 3), "UUUUUUdddd" + "U");
  t.equal(found("-+-+++", 3, 1), "ddddd" + "U");
  t.equal(found("+-+-", 1, 1), "UdUd");
});
