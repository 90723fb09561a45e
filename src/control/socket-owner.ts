import { readFileSync } from "node:fs";
import type { StatsSocketConfig } from "../config/config.js";
import { LbError } from "../errors.js";

/** Numbers of the user and the group, for chown(2); null: it stays. Throws LbError LB_STATS_SOCKET for names that are not known. */
export function socketOwner({ user, group }: Pick<StatsSocketConfig, "user" | "group">): {
  readonly uid: number | null;
  readonly gid: number | null;
} {
  return {
    uid: user === undefined ? null : numberOf("user", user, "/etc/passwd"),
    gid: group === undefined ? null : numberOf("group", group, "/etc/group"),
  };
}

/** Both files have the name in the first field of a line and the number in the third (passwd(5), group(5)). */
function numberOf(what: string, name: string, file: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [known, , number] = line.split(":");
    if (known === name && number !== undefined) return Number(number);
  }
  throw new LbError(
    "LB_STATS_SOCKET",
    `${name} of stats_socket is no ${what} of this machine`,
    `write a ${what} that ${file} has, or its number`,
  );
}
