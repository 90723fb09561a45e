import assert from "node:assert/strict";

const labelPair = /[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"/;
const sample = new RegExp(
  `^([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(?:${labelPair.source}(?:,${labelPair.source})*)?\\})? (\\S+)$`,
);

/**
 * Reads Prometheus's text format 0.0.4 as strictly as its specification is: every sample belongs to a metric that was typed
 * before it and is not interrupted, none occurs twice, and a histogram's buckets rise to the `+Inf` that is its count.
 * Throws otherwise. Returns the samples by name and labels, as they stand.
 */
export function checkExposition(text: string): ReadonlyMap<string, number> {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let current = "";
  let last: { readonly series: string; readonly bound: number; readonly count: number } | null = null;
  for (const line of text.split("\n").slice(0, -1)) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment;
      if (kind === "TYPE") {
        assert.ok(!types.has(name), `${name} is typed once`);
        types.set(name, rest);
      }
      current = name;
      continue;
    }
    const parts = sample.exec(line);
    assert.ok(parts !== null, `a sample: ${line}`);
    const [, name, labels = "", value] = parts;
    const isHistogram = types.get(current) === "histogram";
    const family = isHistogram ? name.replace(/_(bucket|sum|count)$/, "") : name;
    assert.equal(family, current, `${name} stands with its metric`);
    const key = `${name}${labels}`;
    assert.ok(!samples.has(key), `${key} occurs once`);
    assert.ok(value !== "" && !Number.isNaN(Number(value)), `${key} has a number`);
    samples.set(key, Number(value));
    if (!isHistogram) continue;
    const bound = /[,{]le="([^"]+)"/.exec(labels)?.[1];
    if (name.endsWith("_bucket")) {
      assert.ok(bound !== undefined, `${key} has a bound`);
      const series = `${name}${labels.replace(/,?le="[^"]+"/, "")}`;
      const next = { series, bound: bound === "+Inf" ? Infinity : Number(bound), count: Number(value) };
      if (last?.series === series) {
        assert.ok(next.bound > last.bound && next.count >= last.count, `${key} rises`);
      }
      last = next;
    } else if (name.endsWith("_count")) {
      assert.ok(last?.bound === Infinity && last.count === Number(value), `${key} is the last bucket`);
    }
  }
  return samples;
}
