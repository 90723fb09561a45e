import { readFileSync, statSync } from "node:fs";

/** The package's own file: two folders up, both from `src/` and from `dist/`. */
const packageFile = new URL("../../package.json", import.meta.url);

const described: { readonly version: string } = JSON.parse(readFileSync(packageFile, "utf8"));

export const version = described.version;

/** `2026/11/23`: the day that the package's file was written. */
export const releaseDate = statSync(packageFile).mtime.toISOString().slice(0, 10).replaceAll("-", "/");
