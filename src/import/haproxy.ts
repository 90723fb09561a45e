import type { Draft, Place } from "./draft.js";
import { type Line, parseHaproxy, type Section } from "./haproxy-parse.js";
import { ProxyImport } from "./haproxy-proxy.js";
import { haproxyTime } from "./haproxy-server.js";
import type { Inherited, LogTarget } from "./haproxy-target.js";
import { globalReasons, sectionReasons } from "./haproxy-words.js";
import { freeName } from "./names.js";

/** Carries a haproxy.cfg over into `draft`. Pure, and never throws. */
export function importHaproxy(text: string, file: string, draft: Draft): void {
  new HaproxyImport(file, draft).read(parseHaproxy(text));
}

/** The words of `lb.yaml` for the three kinds of proxies. */
const sectionOf = { both: "proxies", frontend: "frontends", backend: "backends" } as const;

class HaproxyImport {
  /** `log` of `global`, which `log global` refers to. */
  private readonly logTargets: LogTarget[] = [];
  private readonly userlists = new Map<string, Map<string, string>>();
  private readonly defaults = new Map<string, Inherited[]>();
  private latestDefaults: Inherited[] = [];
  /** Lines of `defaults` that some proxy has taken. */
  private readonly taken = new Set<number>();
  private readonly refused = new Set<number>();

  constructor(
    private readonly file: string,
    private readonly draft: Draft,
  ) {}

  read(sections: readonly Section[]): void {
    for (const section of sections) if (section.kind === "userlist") this.readUserlist(section);
    for (const section of sections) if (section.kind === "global") this.readGlobal(section);
    // A default_backend may stand before its backend: names are given out first.
    const names = this.nameProxies(sections);
    for (const section of sections) {
      switch (section.kind) {
        case "global":
        case "userlist":
          break;
        case "defaults":
          this.readDefaults(section);
          break;
        case "listen":
        case "frontend":
        case "backend":
          this.readProxy(section, names);
          break;
        default:
          this.skipSection(section);
      }
    }
    for (const lines of this.allDefaults)
      for (const { line, words } of lines) {
        if (this.taken.has(line) || this.refused.has(line)) continue;
        this.draft.note(this.place(line), words.join(" "), "no proxy has a use for it");
      }
  }

  private readonly allDefaults: Inherited[][] = [];

  private nameProxies(sections: readonly Section[]): Map<Section, string> {
    const names = new Map<Section, string>();
    const taken = new Set<string>();
    // Backends last: frontends and listens are what users see in show stat.
    for (const kinds of [["listen", "frontend"], ["backend"]]) {
      for (const section of sections) {
        if (!kinds.includes(section.kind)) continue;
        const name = section.heading.words[1] ?? "unnamed";
        const wanted = taken.has(name) && section.kind === "backend" ? `${name}-backend` : name;
        const free = freeName(wanted, taken);
        taken.add(free);
        names.set(section, free);
      }
    }
    return names;
  }

  private readGlobal({ heading, lines }: Section): void {
    for (const { line, words } of lines) {
      const place = this.place(line);
      const [word, value = "", ...rest] = words;
      const pair = `${word} ${value}`;
      if (word === "maxconn" && /^\d+$/.test(value)) this.draft.set(["maxconn"], Number(value), place);
      else if (word === "nbthread" && /^\d+$/.test(value))
        this.draft.set(["threads"], Math.min(64, Number(value)), place);
      else if (word === "hard-stop-after") this.draft.set(["drain_timeout"], haproxyTime(value), place);
      else if (pair === "stats socket") this.readSocket(rest, words, place);
      else if (word === "log") this.logTargets.push({ words: words.slice(1), place });
      else this.draft.note(place, words.join(" "), globalReason(word, pair));
    }
    this.draft.note(this.place(heading.line), "global", "its lines stand at the top of lb.yaml");
  }

  private readSocket([path = "", ...rest]: readonly string[], words: readonly string[], place: Place): void {
    const isPath = path.startsWith("/") || path.startsWith("unix@/");
    if (!isPath || this.draft.has(["stats_socket"])) {
      const reason = isPath ? "there is one stats socket" : "the stats socket is a Unix socket";
      this.draft.note(place, words.join(" "), reason);
      return;
    }
    const own: [string, string][] = [];
    for (let i = 0; i < rest.length; i++) {
      if (rest[i] === "level" || rest[i] === "mode") own.push([rest[i], rest[++i] ?? ""]);
      else if (rest[i] === "user" || rest[i] === "group") {
        const reason = "the socket's file is that of Tandem's own user and group";
        this.draft.note(place, `${rest[i]} ${rest[++i] ?? ""}`, reason);
      } else this.draft.note(place, rest[i], `the stats socket has no ${rest[i]}`);
    }
    const plain = path.replace(/^unix@/, "");
    if (own.length === 0) this.draft.set(["stats_socket"], plain, place);
    else
      for (const [word, value] of [["path", plain], ...own])
        this.draft.set(["stats_socket", word], value, place);
  }

  private readUserlist({ heading, lines }: Section): void {
    const users = new Map<string, string>();
    for (const { line, words } of lines) {
      const [word, user = "", kind, password] = words;
      if (word === "user" && kind === "insecure-password" && password !== undefined) {
        users.set(user, password);
        this.draft.join(["proxies"], this.place(line));
      } else {
        const reason =
          word === "user"
            ? "passwords are compared in plain text: write it with insecure-password"
            : "users have no groups";
        this.draft.note(this.place(line), `${word} ${user}`, reason);
      }
    }
    this.userlists.set(heading.words[1] ?? "", users);
    this.draft.join(["proxies"], this.place(heading.line));
  }

  private readDefaults({ heading, lines }: Section): void {
    const [, name] = heading.words;
    const base = this.inheritedBy(heading);
    const own = lines.map((line): Inherited => ({ ...line, isDefault: true }));
    this.allDefaults.push(own);
    this.latestDefaults = [...base.filter(() => heading.words.includes("from")), ...own];
    if (name !== undefined) this.defaults.set(name, this.latestDefaults);
    this.draft.note(this.place(heading.line), "defaults", "its lines stand in each proxy");
  }

  /** `from NAME`, or the `defaults` above. */
  private inheritedBy({ words }: Line): readonly Inherited[] {
    const from = words.indexOf("from");
    return from === -1 ? this.latestDefaults : (this.defaults.get(words[from + 1] ?? "") ?? []);
  }

  private readProxy(section: Section, names: ReadonlyMap<Section, string>): void {
    const { heading, lines, kind } = section;
    const name = names.get(section) ?? "unnamed";
    const inherited = this.inheritedBy(heading);
    const own = lines.map((line): Inherited => ({ ...line, isDefault: false }));
    const has = (word: string): boolean => own.some(({ words: [first] }) => first === word);
    const side =
      kind === "listen"
        ? has("default_backend") && !has("server")
          ? "frontend"
          : "both"
        : kind === "frontend"
          ? "frontend"
          : "backend";
    const place = this.place(heading.line);
    const proxy = new ProxyImport(
      {
        draft: this.draft,
        path: [sectionOf[side], name],
        side,
        file: this.file,
        logTargets: this.logTargets,
        userlists: this.userlists,
        backendNamed: (wanted) =>
          [...names].find(
            ([
              {
                heading: { words },
                kind: its,
              },
              _,
            ]) => words[1] === wanted && its !== "frontend",
          )?.[1] ?? wanted,
      },
      [...inherited, ...own],
    );
    proxy.read(heading);
    for (const line of proxy.taken) this.taken.add(line);
    for (const line of proxy.refused) this.refused.add(line);
    if (this.draft.has([sectionOf[side], name])) this.draft.join([sectionOf[side], name], place);
    else
      this.draft.note(
        place,
        heading.words.join(" "),
        proxy.isStatsOnly ? "it is the admin server's page: admin:" : "nothing of it was carried over",
      );
    if (name !== heading.words[1])
      this.draft.note(place, heading.words.join(" "), `its name is ${name} in lb.yaml`);
  }

  private skipSection({ kind, heading, lines }: Section): void {
    const reason = Object.hasOwn(sectionReasons, kind) ? sectionReasons[kind] : "Tandem has no such section";
    const last = lines.at(-1)?.line ?? heading.line;
    this.draft.note(this.place(heading.line), heading.words.join(" "), reason, last);
  }

  private place(line: number): Place {
    return { file: this.file, line };
  }
}

function globalReason(word: string, pair: string): string {
  if (Object.hasOwn(globalReasons, pair)) return globalReasons[pair];
  if (Object.hasOwn(globalReasons, word)) return globalReasons[word];
  if (word.startsWith("tune.")) return "nothing has to be tuned by hand";
  if (word.startsWith("ssl-")) return "write it into tls: of the address: min_version, ciphers";
  if (word.startsWith("no")) return "it switches off what is not there";
  return "Tandem has no such word in global";
}
