import { readFileSync } from "node:fs";

/** Open files that this process may have: RLIMIT_NOFILE, which Node raises to the hard limit at its start. */
export function readDescriptorLimit(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? 1024 : Number(soft);
}
