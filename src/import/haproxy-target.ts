import type { Draft, Place } from "./draft.js";
import type { Line } from "./haproxy-parse.js";

/** A line of a proxy, or of the defaults that it has. */
export interface Inherited extends Line {
  readonly isDefault: boolean;
}

export interface LogTarget {
  /** Behind `log`. */
  readonly words: readonly string[];
  readonly place: Place;
}

/** Where one `listen`, `frontend` or `backend` goes, and what of the rest of its file it must know. */
export interface ProxyTarget {
  readonly draft: Draft;
  readonly path: readonly string[];
  readonly side: "both" | "frontend" | "backend";
  readonly file: string;
  readonly logTargets: readonly LogTarget[];
  readonly userlists: ReadonlyMap<string, ReadonlyMap<string, string>>;
  backendNamed(name: string): string;
}

/** What a line came to: carried over; of no use on this side; or why not. */
export type Outcome = "taken" | "unused" | { readonly reason: string };
