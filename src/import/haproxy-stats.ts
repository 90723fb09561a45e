import { listenAddress } from "./haproxy-bind.js";
import type { Line } from "./haproxy-parse.js";
import type { Inherited, ProxyTarget } from "./haproxy-target.js";
import { shown } from "./shown-line.js";

/** HAProxy's stats page as `admin:`. Pure. */

type StatsTarget = Pick<ProxyTarget, "draft" | "file">;

/** A proxy for the page alone is `admin:` here. What its lines say of the page `importStats` reads. */
export function importStatsPage(
  { draft, file }: StatsTarget,
  heading: Line,
  lines: readonly Inherited[],
): void {
  const old = heading.words.slice(2).find((word) => word !== "from");
  for (const line of lines) {
    const place = { file, line: line.line };
    const [word, value = ""] = line.words;
    if (word === "bind" && !line.isDefault) {
      const listed = value.split(",").map(listenAddress);
      const [first] = listed;
      if (first === null || draft.has(["admin", "bind"]))
        draft.note(place, shown(line.words), "the admin server has one address");
      else draft.set(["admin", "bind"], first.replace(/^\*/, "0.0.0.0"), place);
    } else if (word === "stats") continue;
    else if (!line.isDefault) draft.note(place, shown(line.words), "the admin server has no such setting");
  }
  if (old !== undefined) {
    const address = listenAddress(old);
    if (address !== null)
      draft.set(["admin", "bind"], address.replace(/^\*/, "0.0.0.0"), { file, line: heading.line });
  }
}

/** The lines `stats …` of a proxy. `isAlone`: it is there for the page alone; else the page gets an address of its own. */
export function importStats(
  { draft, file }: StatsTarget,
  lines: readonly Inherited[],
  isAlone: boolean,
): void {
  let isBeside = false;
  for (const { words, line, isDefault } of lines) {
    const place = { file, line };
    const [, word = "", value = ""] = words;
    const [user = "", ...password] = value.split(":");
    if (word === "uri") draft.set(["admin", "stats", "uri"], value, place);
    else if (word === "auth" && !draft.has(["admin", "stats", "password"])) {
      draft.set(["admin", "stats", "user"], user, place);
      draft.set(["admin", "stats", "password"], password.join(":"), place);
    } else if (word === "auth") draft.note(place, "stats auth", "the stats page has one user");
    else if (word === "enable") draft.join(["admin"], place);
    else if (word === "admin" && value === "if" && words[3] === "TRUE")
      draft.set(["admin", "stats", "admin"], true, place);
    else draft.note(place, words.join(" "), statsReason(word));
    isBeside ||= !isDefault && !isAlone;
  }
  if (isBeside && draft.has(["admin"])) {
    const first = lines.find(({ isDefault }) => !isDefault);
    draft.note(
      { file, line: first?.line ?? 1 },
      "stats",
      "the page moves from this proxy's address to that of admin:",
    );
  }
}

function statsReason(word: string): string {
  if (word === "refresh") return "ask for it in the address: /stats;refresh=5s";
  if (word === "admin")
    return "the page acts for everybody who has its password, or for nobody: admin: stats: admin: true";
  if (word === "realm") return "the realm is HAProxy Statistics";
  if (word === "hide-version" || word === "show-node" || word === "show-legends" || word === "show-desc")
    return "the page has one form";
  return "the page has no such setting";
}
