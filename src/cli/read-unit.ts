import { readdirSync, readFileSync } from "node:fs";
import { type Confinement, readConfinement } from "../config/confinement.js";

/** In the order in which systemd prefers them (systemd.unit(5)). */
const unitFolders = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
];

/** Where lb.service of this machine may write; null: there is no such unit, or it may write everywhere. */
export function unitConfinement(folders: readonly string[] = unitFolders): Confinement | null {
  const unit = folders.map((folder) => textOf(`${folder}/lb.service`)).find((text) => text !== null);
  if (unit === undefined || unit === null) return null;
  const dropIns = new Map<string, string>();
  for (const folder of folders.toReversed()) {
    for (const name of namesIn(`${folder}/lb.service.d`)) dropIns.set(name, `${folder}/lb.service.d/${name}`);
  }
  const inOrder = [...dropIns.keys()].sort().map((name) => textOf(dropIns.get(name) ?? "") ?? "");
  return readConfinement([unit, ...inOrder]);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".conf"));
  } catch {
    return [];
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
