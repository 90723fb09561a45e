import { type Parsed, refused } from "./problem.js";

/** What a configuration may refer to outside of its own text: passed in, because this folder asks nobody. */
export interface Surroundings {
  /** The value of an environment variable. */
  variable(name: string): string | undefined;
  /** The text of a file. */
  read(path: string): Parsed<string>;
  /** The content of a file, as it is. */
  bytes(path: string): Parsed<Uint8Array>;
  /** The files that a path with `*` in its last part stands for, in the order of their names. */
  match(pattern: string): Parsed<readonly string[]>;
}

/** Nothing around: every reference is refused. */
export const noSurroundings: Surroundings = {
  variable: () => undefined,
  read: (path) => refused(`${path} cannot be read here`, "write its content in its place"),
  bytes: () => refused("no file can be read here", "leave it out"),
  match: (pattern) => refused(`${pattern} cannot be read here`, "write the files' content in its place"),
};

/** A path as the file `from` names it: what does not begin with `/` is beside that file. */
export function besideFile(from: string, path: string): string {
  if (path.startsWith("/")) return path;
  const slash = from.lastIndexOf("/");
  return slash === -1 ? path : `${from.slice(0, slash)}/${path}`;
}
