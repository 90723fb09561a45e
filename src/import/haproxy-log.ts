import type { Inherited, ProxyTarget } from "./haproxy-target.js";

/** The access log of a frontend, or of a proxy: `log global` with `option httplog` and the like. */
export function importLog(
  { draft, path, file, logTargets }: ProxyTarget,
  all: readonly Inherited[],
  mode: string,
): void {
  const lines = all.filter(({ words: [word] }) => word === "log");
  const options = all.filter(
    ({ words: [word, name] }) =>
      word === "option" && /^(httplog|tcplog|dontlognull|dontlog-normal)$/.test(name ?? ""),
  );
  if (lines.length === 0) {
    for (const { line, words } of options)
      draft.note({ file, line }, words.join(" "), "no log names where lines go");
    return;
  }
  for (const { words, line } of lines) {
    const targets = words[1] === "global" ? logTargets : [{ words: words.slice(1), place: { file, line } }];
    for (const { words: own, place } of targets) {
      const [to = "", ...rest] = own;
      const address = logAddress(to);
      if (address === null) {
        draft.note(place, `log ${own.join(" ")}`, "lines go to stdout, files and syslog");
        continue;
      }
      const known = draft.get([...path, "log", "to"]);
      if (!Array.isArray(known) || !known.includes(address))
        draft.set([...path, "log", "to"], [address], place);
      else draft.join([...path, "log"], place);
      const facility = rest.find((word) => /^(local\d|daemon|user|kern|mail|auth|syslog|cron)$/.test(word));
      if (facility !== undefined && address !== "stdout")
        draft.set([...path, "log", "facility"], facility, place);
      draft.join([...path, "log"], { file, line });
    }
  }
  if (!draft.has([...path, "log"])) return;
  const [first] = lines;
  draft.set([...path, "log", "format"], mode === "tcp" ? "tcplog" : "httplog", {
    file,
    line: first.line,
  });
  for (const { words, line } of options) {
    const place = { file, line };
    if (words[1] === "dontlognull") draft.set([...path, "log", "dontlognull"], true, place);
    else if (words[1] === "dontlog-normal") draft.set([...path, "log", "dontlog_normal"], true, place);
    else if (words[1] === "tcplog") draft.set([...path, "log", "format"], "tcplog", place);
    else draft.join([...path, "log"], place);
  }
}

function logAddress(text: string): string | null {
  if (text === "stdout" || text === "fd@1" || text === "stderr") return "stdout";
  if (text.startsWith("/")) return text;
  if (/^(\d+\.){3}\d+$/.test(text) || /^[\w.-]+$/.test(text)) return `${text}:514`;
  return /^[\w.-]+:\d+$/.test(text) ? text : null;
}
