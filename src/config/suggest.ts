/**
 * The word of `known` that the user most likely meant, or null when none is near: a third of the letters may
 * differ, `-` and `_` and upper and lower case count as the same.
 */
export function suggest(word: string, known: Iterable<string>): string | null {
  const given = fold(word);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(given.length / 3)) + 1;
  if (given.length > 64) return null;
  for (const candidate of known) {
    const distance = editDistance(given, fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** "did you mean X?" where a near word exists, else the list of what is allowed. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return near === null ? `known here are ${known.join(", ")}` : `did you mean ${near}?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

/** Damerau's optimal string alignment: a swap of two neighbours counts as one edit. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2] + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
