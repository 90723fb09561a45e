import fc from "fast-check";
import t from "tap";
import { parseCommandLine } from "../../../src/control/command-line.js";

t.test("a semicolon parts commands, blanks part words", async (t) => {
  t.same(parseCommandLine("show info;show  stat\t2 7 -1"), [
    ["show", "info"],
    ["show", "stat", "2", "7", "-1"],
  ]);
});

t.test("a carriage return at the end is no part of the last word", async (t) => {
  t.same(parseCommandLine("show stat\r"), [["show", "stat"]]);
});

t.test("a backslash takes a blank, a semicolon or itself into the word", async (t) => {
  t.same(parseCommandLine("show a\\;b\\ c \\\\"), [["show", "a;b c", "\\"]]);
});

t.test("an empty line is one command without words, and so is what follows a last semicolon", async (t) => {
  t.same(parseCommandLine(""), [[]]);
  t.same(parseCommandLine("quit;"), [["quit"], []]);
});

t.test("words that are escaped come back as they were", async () => {
  const word = fc.string({ minLength: 1, unit: fc.constantFrom("a", " ", ";", "\\", "-", "\t", "é") });
  const escaped = (text: string) => text.replace(/[ \t;\\]/g, "\\$&");
  fc.assert(
    fc.property(fc.array(fc.array(word), { minLength: 1 }), (commands) => {
      const line = commands.map((words) => words.map(escaped).join(" ")).join(";");
      return JSON.stringify(parseCommandLine(line)) === JSON.stringify(commands);
    }),
  );
});
