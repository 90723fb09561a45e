import type { Draft, Place } from "./draft.js";
import { type Alternative, describeTests, parseAcl, parseCondition, type Test } from "./haproxy-acl.js";
import type { Line } from "./haproxy-parse.js";

/** HAProxy's `http-request`, `redirect`, `block`, `monitor-uri` and `acl` of one proxy, as its `rules:`. */
export class RuleImport {
  private readonly acls = new Map<string, (Test | string)[]>();
  /** ACLs by name: where they stand, and whether a rule was made of them. */
  private readonly places = new Map<string, { readonly place: Place; readonly words: readonly string[] }[]>();

  constructor(
    private readonly draft: Draft,
    /** `…, rules` */
    private readonly path: readonly string[],
    private readonly userlists: ReadonlyMap<string, ReadonlyMap<string, string>>,
  ) {}

  acl(line: Line, place: Place): void {
    const [, name = "", ...words] = line.words;
    this.acls.set(name, [...(this.acls.get(name) ?? []), parseAcl(words)]);
    this.places.set(name, [...(this.places.get(name) ?? []), { place, words: line.words }]);
  }

  /** `use_backend`: HAProxy looks at it behind all others, whatever stands where. `backend`: its name here. */
  useBackend(
    backend: string,
    condition: readonly string[],
    { line, place, mode }: { readonly line: Line; readonly place: Place; readonly mode: string },
  ): void {
    this.chosen.push(() => {
      const alternatives = parseCondition(condition, this.acls);
      const reason = typeof alternatives === "string" ? alternatives : unseen(alternatives, mode);
      if (typeof alternatives === "string" || reason !== null) {
        this.draft.note(place, line.words.join(" "), String(reason));
        return;
      }
      this.markUsed(condition);
      const action = new Map([["use_backend", backend]]);
      for (const alternative of alternatives) this.draft.add(this.path, rule(action, alternative), place);
    });
  }

  /** `tcp-request content accept`: a session is inspected where a rule asks for it, and goes on when that is known. */
  accept(condition: readonly string[]): void {
    this.markUsed(condition);
  }

  /** `words` behind `http-response`. */
  response(words: readonly string[], line: Line, place: Place): void {
    const isPlain = !words.includes("if") && !words.includes("unless");
    const isField = /^(set|add|del)-header$/.test(words[0] ?? "");
    const made = isField ? this.action(words, null) : "response_rules: change fields alone";
    const reason = isPlain ? made : "write it with its condition into response_rules:";
    if (typeof made === "string" || typeof reason === "string")
      this.draft.note(place, line.words.join(" "), String(reason));
    else this.draft.add([...this.path.slice(0, -1), "response_rules"], made, place);
  }

  private readonly chosen: (() => void)[] = [];

  /** What is left of the ACLs, once all rules are read. */
  finish(): void {
    for (const choose of this.chosen) choose();
    for (const [name, lines] of this.places) {
      for (const [i, { place, words }] of lines.entries()) {
        const test = this.acls.get(name)?.[i];
        const reason = typeof test === "string" ? test : "no rule that was carried over asks for it";
        if (!this.usedAcls.has(name)) this.draft.note(place, words.join(" "), reason);
      }
    }
  }

  private readonly usedAcls = new Set<string>();

  /** `words` behind `http-request`. */
  request(words: readonly string[], line: Line, place: Place): void {
    const split = words.findIndex((word) => word === "if" || word === "unless");
    const action = split === -1 ? words : words.slice(0, split);
    const { condition, userlist } = this.withoutLogin(split === -1 ? [] : words.slice(split));
    const made = this.action(action, userlist);
    if (typeof made === "string") {
      this.draft.note(place, line.words.join(" "), made);
      return;
    }
    const alternatives = parseCondition(condition, this.acls);
    if (typeof alternatives === "string") {
      this.draft.note(place, line.words.join(" "), alternatives);
      return;
    }
    // Several alternatives would do several times what only one of them should.
    if (alternatives.length > 1 && made.has("add_header")) {
      this.draft.note(place, line.words.join(" "), "with `or` the field would be added twice");
      return;
    }
    this.markUsed(condition);
    for (const alternative of alternatives) this.draft.add(this.path, rule(made, alternative), place);
  }

  /** `auth` asks here by itself: `if !{ http_auth(list) }` or the negated acl of that says whom. */
  private withoutLogin(words: readonly string[]): { condition: string[]; userlist: string | null } {
    const condition: string[] = [];
    let userlist: string | null = null;
    for (let i = 0; i < words.length; i++) {
      const isNegated = words[i].startsWith("!");
      const name = words[i] === "!" ? words[i + 1] : words[i].slice(1);
      const end = name === "{" ? words.indexOf("}", i) : -1;
      const start = words[i] === "!" ? i + 1 : i;
      const lines = this.places.get(name) ?? [];
      const asked = end === -1 ? (lines[0]?.words.slice(2) ?? []) : words.slice(start + 1, end);
      const login = /^http_auth\(([^)]+)\)$/.exec(asked[0] ?? "");
      if (!isNegated || login === null) {
        condition.push(words[i]);
        continue;
      }
      userlist = login[1];
      for (const { place } of lines) this.draft.join(this.path, place);
      if (lines.length > 0) this.usedAcls.add(name);
      i = end === -1 ? start : end;
    }
    return { condition: condition.length === 1 ? [] : condition, userlist };
  }

  private markUsed(words: readonly string[]): void {
    for (const word of words) {
      const name = word.replace(/^!/, "");
      for (const { place } of this.places.get(name) ?? []) this.draft.join(this.path, place);
      if (this.places.has(name)) this.usedAcls.add(name);
    }
  }

  private action(words: readonly string[], userlist: string | null): Map<string, unknown> | string {
    const [name = "", ...rest] = words;
    const made = new Map<string, unknown>();
    const after = (word: string): string | undefined => {
      const at = rest.indexOf(word);
      return at === -1 ? undefined : rest[at + 1];
    };
    switch (name) {
      case "deny":
      case "block":
        return made.set("deny", Number(after("deny_status") ?? after("status") ?? 403));
      case "redirect":
        return redirect(rest);
      case "return":
        if (rest.includes("file") || rest.includes("lf-file") || rest.includes("errorfile"))
          return "answers with files are not made";
        return made.set(
          "return",
          new Map<string, unknown>([
            ["status", Number(after("status") ?? 200)],
            ...optional("content_type", after("content-type")),
            ...optional("body", after("string") ?? after("lf-string")),
          ]),
        );
      case "set-header":
      case "add-header":
        return made.set(
          name.replace("-", "_"),
          new Map([[rest[0] ?? "", template(rest.slice(1).join(" "))]]),
        );
      case "del-header":
        return rest.includes("-m")
          ? "fields are removed by their whole name"
          : made.set("del_header", rest[0] ?? "");
      case "set-path":
        return made.set("set_path", template(rest[0] ?? ""));
      case "replace-path":
        return replacePath(rest);
      case "auth":
        return this.auth(after("realm"), userlist);
      case "allow":
        return "a rule cannot let a request pass the ones behind it: write the condition into their unless:";
      default:
        return `rules have no ${name}`;
    }
  }

  private auth(realm: string | undefined, userlist: string | null): Map<string, unknown> | string {
    const users = this.userlists.get(userlist ?? "");
    if (users === undefined || users.size === 0)
      return "there is no userlist with passwords in plain text for it: write rules: [{ auth: { users: … } }]";
    return new Map([
      ["auth", new Map<string, unknown>([...optional("realm", realm), ["users", new Map(users)]])],
    ]);
  }
}

/** What the mode does not see of the connection; null: nothing. */
function unseen(alternatives: readonly Alternative[], mode: string): string | null {
  for (const { when, unless } of alternatives) {
    for (const { word } of [...when, ...unless]) {
      const isSession = word === "req_ssl_sni" || word === "src";
      if (mode === "tcp" && !isSession) return `${word} is about requests, which mode tcp does not see`;
      if (mode !== "tcp" && word === "req_ssl_sni") return "req_ssl_sni is asked in mode tcp: ask for host";
    }
  }
  return null;
}

function rule(action: ReadonlyMap<string, unknown>, { when, unless }: Alternative): Map<string, unknown> {
  return new Map<string, unknown>([
    ...(when.length > 0 ? [["if", describeTests(when)] as const] : []),
    ...(unless.length > 0 ? [["unless", describeTests(unless)] as const] : []),
    ...action,
  ]);
}

/** `redirect scheme https code 301`, `redirect location URL`, `redirect prefix URL`. */
function redirect(words: readonly string[]): Map<string, unknown> | string {
  const after = (word: string): string | undefined => {
    const at = words.indexOf(word);
    return at === -1 ? undefined : words[at + 1];
  };
  const odd = words.find((word) =>
    ["drop-query", "append-slash", "set-cookie", "clear-cookie", "ignore-empty"].includes(word),
  );
  if (odd !== undefined) return `redirect has no ${odd}`;
  const scheme = after("scheme");
  const prefix = after("prefix");
  const location =
    scheme !== undefined
      ? `${scheme}://%[host]%[url]`
      : prefix !== undefined
        ? `${prefix}%[url]`
        : after("location");
  if (location === undefined) return "redirect has no location";
  const code = after("code");
  return new Map([
    [
      "redirect",
      new Map<string, unknown>([
        ["location", template(location)],
        ...(code === undefined ? [] : [["code", Number(code)] as const]),
      ]),
    ],
  ]);
}

/** Only what takes a beginning away and puts another one there: `^/old/(.*)` and `/new/\1`. */
function replacePath([pattern = "", by = ""]: readonly string[]): Map<string, unknown> | string {
  const from = /^\^?(\/[\w./-]*)\(\.\*\)\$?$/.exec(pattern);
  const to = /^(\/[\w./-]*)\\1$/.exec(by);
  if (from === null || to === null) return "replace_path changes the beginning of a path alone";
  return new Map([
    [
      "replace_path",
      new Map([
        ["prefix", from[1]],
        ["with", to[1]],
      ]),
    ],
  ]);
}

/** HAProxy's samples in texts, where rules have the same under another name. */
function template(text: string): string {
  return text
    .replaceAll(/%\[(?:req\.)?hdr\(host\)\]/gi, "%[host]")
    .replaceAll("%[capture.req.uri]", "%[url]")
    .replaceAll("%[pathq]", "%[url]")
    .replaceAll("%ci", "%[src]");
}

function optional(word: string, value: string | undefined): [string, unknown][] {
  return value === undefined ? [] : [[word, value]];
}
