import { stringify } from "yaml";
import { escapeReferences } from "../config/variables.js";

/** Where something stands in an imported file; lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** What was not carried over, and why: a sentence without a full stop. */
export interface Note extends Place {
  /** Of a block: its last line. */
  readonly lastLine: number;
  readonly text: string;
  readonly reason: string;
}

type Tree = Map<string, Branch>;
type Branch = string | number | boolean | Branch[] | Tree;
/** What a word of `lb.yaml` may be set to. */
export type DraftValue = string | number | boolean | readonly string[];

/** Between these, the name of an environment variable that HAProxy would fill in. */
export const variableStart = "\uE000";
export const variableEnd = "\uE001";

/** The `lb.yaml` that an import makes, which knows of each value the line that it comes from. */
export class Draft {
  readonly notes: Note[] = [];
  private readonly root: Tree = new Map();
  private readonly origins: { readonly path: readonly string[]; readonly place: Place }[] = [];

  /** Sets a value; a list joins the list that is there. */
  set(path: readonly string[], value: DraftValue, place: Place): void {
    const parent = this.parent(path);
    const key = path[path.length - 1];
    const present = parent.get(key);
    if (Array.isArray(value)) parent.set(key, [...(Array.isArray(present) ? present : []), ...value]);
    else if (typeof value !== "object") parent.set(key, value);
    this.origins.push({ path, place });
  }

  /** Adds a mapping to the list at `path`. */
  add(path: readonly string[], item: ReadonlyMap<string, unknown>, place: Place): void {
    const parent = this.parent(path);
    const key = path[path.length - 1];
    const present = parent.get(key);
    const list = Array.isArray(present) ? present : [];
    this.origins.push({ path: [...path, String(list.length)], place });
    parent.set(key, [...list, branch(item)]);
  }

  /** Marks a line as carried over by what stands at `path` already. */
  join(path: readonly string[], place: Place): void {
    this.origins.push({ path, place });
  }

  has(path: readonly string[]): boolean {
    return this.get(path) !== undefined;
  }

  get(path: readonly string[]): unknown {
    let here: Branch | undefined = this.root;
    for (const key of path) {
      if (here instanceof Map) here = here.get(key);
      else if (Array.isArray(here)) here = here[Number(key)];
      else return undefined;
    }
    return here;
  }

  keys(path: readonly string[]): string[] {
    const here = this.get(path);
    return here instanceof Map ? [...here.keys()].map(String) : [];
  }

  note(place: Place, text: string, reason: string, lastLine = place.line): void {
    const isKnown = this.notes.some(
      (note) => note.file === place.file && note.line === place.line && note.reason === reason,
    );
    if (!isKnown) this.notes.push({ ...place, lastLine, text, reason });
  }

  /** Takes out what is at `path`, and notes of each of its lines why. Mappings that it leaves empty go too. */
  remove(path: readonly string[], reason: string): void {
    for (const { place } of this.origins.filter((origin) => isBelow(origin.path, path)))
      this.note(place, "", reason);
    const parent = this.get(path.slice(0, -1));
    const key = path[path.length - 1];
    if (parent instanceof Map) parent.delete(key);
    else if (Array.isArray(parent)) {
      // The places of a list's items are known by their numbers, so the list goes as a whole.
      this.remove(path.slice(0, -1), reason);
      return;
    }
    const kept = this.origins.filter((origin) => !isBelow(origin.path, path));
    this.origins.splice(0, this.origins.length, ...kept);
    const left = this.get(path.slice(0, -1));
    if (path.length > 1 && left instanceof Map && left.size === 0) this.remove(path.slice(0, -1), reason);
  }

  /** The lines from which something came over. */
  carried(): Place[] {
    return this.origins.map(({ place }) => place);
  }

  get isEmpty(): boolean {
    return this.root.size === 0;
  }

  /** As YAML. */
  write(): string {
    return stringify(written(this.root), { aliasDuplicateObjects: false, lineWidth: 0 });
  }

  private parent(path: readonly string[]): Tree {
    let here = this.root;
    for (const key of path.slice(0, -1)) {
      const next = here.get(key);
      if (next instanceof Map) here = next;
      else {
        const fresh: Tree = new Map();
        here.set(key, fresh);
        here = fresh;
      }
    }
    return here;
  }
}

function branch(value: unknown): Branch {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(branch);
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [String(key), branch(member)]));
  return String(value);
}

function written(value: Branch): unknown {
  if (typeof value === "string") {
    return escapeReferences(value).replaceAll(variableStart, "${").replaceAll(variableEnd, "}");
  }
  if (Array.isArray(value)) return value.map(written);
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [key, written(member)]));
  return value;
}

function isBelow(path: readonly string[], parent: readonly string[]): boolean {
  return parent.every((key, i) => path[i] === key);
}
