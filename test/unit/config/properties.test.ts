import { deepStrictEqual, match } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { changedValues } from "../../../src/config/changes.js";
import { describeDuration, parseDuration } from "../../../src/config/duration.js";
import { applyFlags } from "../../../src/config/flags.js";
import { loadConfig } from "../../../src/config/load.js";
import { serializeConfig } from "../../../src/config/serialize.js";
import { config } from "./generate.js";

const machine = { hostname: "h", cores: 2 };

t.test("a configuration that is written out loads to the same configuration", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(config, (config) => {
        const text = serializeConfig(config, "shown");
        const loaded = loadConfig(text, "f", machine);
        deepStrictEqual(loaded.problems, []);
        deepStrictEqual(loaded.config, config);
        deepStrictEqual(changedValues(config, loaded.config ?? config), []);
      }),
      { numRuns: 200 },
    ),
  );
});

t.test("hidden secrets appear nowhere in what is written out", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(config, (config) => {
        const secret = "Zq9!secret";
        const text = serializeConfig(
          { ...config, admin: config.admin && { ...config.admin, password: secret } },
          "hidden",
        );
        deepStrictEqual(text.includes(secret), false);
      }),
      { numRuns: 50 },
    ),
  );
});

/** Texts that come close to a configuration: lines of its words and of YAML's signs. */
const nearlyYaml = fc
  .array(
    fc.tuple(
      fc.constantFrom("", "  ", "    ", "      ", "\t", "- "),
      fc.constantFrom(
        "vrrp",
        "proxies",
        "http",
        "bind",
        "servers",
        "admin",
        "priority",
        "timeout",
        "lease",
        "&a",
        "*a",
        "<<",
        "? x",
        "__proto__",
        "!tag",
      ),
      fc.constantFrom(":", ": ", " ", ": |", ": >"),
      fc.constantFrom(
        "",
        "1",
        "{}",
        "[]",
        "[1, {a: b}]",
        "*a",
        "&a {}",
        "!!binary x",
        "0x1f",
        "1e999",
        ".nan",
        ":80",
        "a:80",
        "'",
        '"',
        "\0",
        "~",
      ),
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.map((line) => line.join("")).join("\n"));

t.test("no text makes the loader throw, and each problem has its place", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), nearlyYaml), (text) => {
        const loaded = loadConfig(text, "f", machine);
        deepStrictEqual(loaded.config === null, loaded.problems.length > 0);
        for (const problem of loaded.problems) match(problem.where, /^f:\d+:\d+$/);
      }),
      { numRuns: 1500 },
    ),
  );
});

t.test("any value of the right kind of YAML is loaded or refused, never thrown at", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5 }),
        fc.constantFrom("vrrp", "proxies", "admin", "node"),
        (json, word) => {
          const loaded = loadConfig(`{"${word}": ${json}}`, "f", machine);
          for (const problem of loaded.problems) match(problem.where, /^f:\d+:\d+$/);
        },
      ),
      { numRuns: 500 },
    ),
  );
});

t.test("nesting without end is refused", async (t) => {
  t.not(loadConfig("[".repeat(20_000), "f", machine).problems.length, 0);
  t.not(loadConfig("{a: ".repeat(20_000), "f", machine).problems.length, 0);
});

t.test("no flag's text makes the merge throw", async (t) => {
  const any = fc.oneof(fc.string(), fc.constantFrom("1", "off", "10.0.0.1/24", ":80", "a=b:80", "eth1:80"));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        config,
        fc.record(
          {
            priority: any,
            interface: any,
            vrid: any,
            vip: fc.array(any, { maxLength: 3 }),
            listen: fc.array(any, { maxLength: 3 }),
            backend: fc.array(any, { maxLength: 3 }),
            admin: any,
            "stats-socket": any,
            engine: any,
            threads: any,
            "no-vrrp": fc.boolean(),
            "no-proxy": fc.boolean(),
          },
          { requiredKeys: [] },
        ),
        fc.boolean(),
        (config, flags, isDemo) => {
          const merged = applyFlags(config, flags, isDemo);
          deepStrictEqual(merged.config === null, merged.problems.length > 0);
        },
      ),
    ),
  );
});

t.test("a time that is written out reads back as itself", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_147_483_647 }), (ms) => {
        deepStrictEqual(parseDuration(describeDuration(ms), null), { ok: true, value: ms });
      }),
    ),
  );
});
