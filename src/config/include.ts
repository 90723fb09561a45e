import { each } from "./context.js";
import type { Parsed, Problem } from "./problem.js";
import { type Path, readSource, type Source } from "./source.js";
import { besideFile, type Surroundings } from "./surroundings.js";

/** So many files are a mistake, such as a folder that includes itself by a detour. */
const mostFiles = 1000;

/**
 * Reads a file and those that its `include:` names, and theirs, as one source.
 *
 * Files join word by word and, where a word has a mapping in several files, member by member: `proxies:` of one file
 * and `proxies:` of another make one section. The same thing in two files is a problem, never a silent winner.
 */
export function readIncludes(text: string, file: string, surroundings: Surroundings): Source {
  const root = readSource(text, file, surroundings);
  const sources = [root];
  const problems: Problem[] = [...root.problems];
  const known = new Set([file]);
  const follow = (source: Source, from: string): void => {
    for (const [path, named] of namedFiles(source.value)) {
      const found = filesOf(besideFile(from, named), surroundings);
      if (!found.ok) {
        problems.push({ where: source.where(path, "value"), message: found.message, advice: found.advice });
        continue;
      }
      for (const name of found.value) {
        const where = source.where(path, "value");
        if (known.has(name) || known.size >= mostFiles) {
          problems.push({
            where,
            message: known.has(name)
              ? `${name} is included twice`
              : `more than ${mostFiles} files are included`,
            advice: "include each file once",
          });
          continue;
        }
        known.add(name);
        const content = surroundings.read(name);
        if (!content.ok) {
          problems.push({ where, message: content.message, advice: content.advice });
          continue;
        }
        const included = readSource(content.value, name, surroundings);
        problems.push(...included.problems);
        sources.push(included);
        follow(included, name);
      }
    }
  };
  follow(root, file);
  if (sources.length === 1) return { ...root, problems };
  return merge(sources, problems);
}

/** The entries of `include:`, as far as they are texts; the schema tells of the others. */
function namedFiles(value: unknown): [Path, string][] {
  const include: unknown = isMapping(value) ? value.include : undefined;
  if (typeof include === "string") return each(["include"], include);
  if (!Array.isArray(include)) return [];
  return each(
    ["include"],
    include.map((item: unknown) => (typeof item === "string" ? item : "")),
  ).filter(([, text]) => text !== "");
}

function filesOf(path: string, surroundings: Surroundings): Parsed<readonly string[]> {
  return path.includes("*") ? surroundings.match(path) : { ok: true, value: [path] };
}

function merge(sources: readonly Source[], problems: Problem[]): Source {
  const [root] = sources;
  const owners = new Map<string, Source>();
  const merged = new Map<string, unknown>();
  const clash = (source: Source, path: Path): void => {
    const other = owners.get(JSON.stringify(path)) ?? owners.get(JSON.stringify(path.slice(0, 1))) ?? root;
    problems.push({
      where: source.where(path, "key"),
      message: `${path.join(".")} stands at ${other.where(path, "key")} too`,
      advice: "keep one of them",
    });
  };
  const take = (source: Source, word: string, value: unknown): void => {
    const present = merged.get(word);
    if (!merged.has(word)) {
      merged.set(word, value);
      owners.set(JSON.stringify([word]), source);
    } else if (!isMapping(present) || !isMapping(value)) {
      clash(source, [word]);
    } else {
      for (const member of Object.keys(value)) {
        if (Object.hasOwn(present, member)) clash(source, [word, member]);
        else owners.set(JSON.stringify([word, member]), source);
      }
      merged.set(word, Object.fromEntries([...Object.entries(value), ...Object.entries(present)]));
    }
  };
  for (const source of sources) {
    if (source.value === null || source.value === undefined) continue;
    if (!isMapping(source.value)) {
      problems.push({
        where: source.where([], "value"),
        message: "the file is not a mapping",
        advice: "write words such as proxies: and what belongs to them",
      });
      continue;
    }
    for (const [word, value] of Object.entries(source.value)) {
      if (word !== "include" || source === root) take(source, word, value);
    }
  }
  const ownerOf = (path: Path): Source =>
    owners.get(JSON.stringify(path.slice(0, 2))) ?? owners.get(JSON.stringify(path.slice(0, 1))) ?? root;
  return {
    value: Object.fromEntries(merged),
    problems,
    files: sources.flatMap(({ files }) => files),
    where: (path, part) => ownerOf(path).where(path, part),
    text: (path) => ownerOf(path).text(path),
    words: (path) =>
      path.length <= 1
        ? [...new Set(sources.flatMap((source) => source.words(path)))]
        : ownerOf(path).words(path),
  };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
