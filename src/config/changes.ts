import type { Config } from "./config.js";

/**
 * The values in which two configurations differ, as paths: `vrrp.VI_1.priority`, `proxies.http.servers.web03`.
 * A thing that is only in one of them counts as one change. Secrets are named, never shown.
 */
export function changedValues(before: Config, after: Config): string[] {
  return changedPaths(before, after);
}

/** The same of two values of any kind. */
export function changedPaths(before: object, after: object): string[] {
  const paths: string[] = [];
  compare(before, after, "", paths);
  return paths;
}

function compare(before: unknown, after: unknown, path: string, paths: string[]): void {
  if (Object.is(before, after)) return;
  if (isRecord(before) && isRecord(after)) {
    const left = keyed(before);
    const right = keyed(after);
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      compare(left.get(key), right.get(key), path === "" ? key : `${path}.${key}`, paths);
    }
    return;
  }
  paths.push(path);
}

/** Members by key; those of a list by their names where they have one, else the list is one value. */
function keyed(value: object): Map<string, unknown> {
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const items: readonly unknown[] = value;
  return new Map(
    items.map((item, i) => {
      const name: unknown = isRecord(item) ? Reflect.get(item, "name") : undefined;
      return [typeof name === "string" ? name : String(i), item];
    }),
  );
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
