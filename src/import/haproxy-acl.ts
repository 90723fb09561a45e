/** HAProxy's ACLs as conditions of rules, as far as those can say the same. Pure. */

/** A word of `if:` and the values of which one has to hold. */
export interface Test {
  readonly word: string;
  /** `hdr`: the field's name. */
  readonly field?: string;
  /** Null: the field is there, or the thing is so. */
  readonly values: readonly string[] | null;
}

/** What `if` or `unless` comes to: one condition for each alternative, all of which lead to the same action. */
export interface Alternative {
  readonly when: readonly Test[];
  readonly unless: readonly Test[];
}

const plainFetches: Readonly<Record<string, string>> = {
  path: "path",
  path_beg: "path_beg",
  path_end: "path_end",
  method: "method",
  src: "src",
};

/** The words of an `acl` behind its name; a text: why it cannot be carried over. */
export function parseAcl(words: readonly string[]): Test | string {
  const [fetch = "", ...rest] = words;
  const values = rest.filter((word) => word !== "-i" && word !== "--");
  const flag = values.find((word) => word.startsWith("-") && word !== "-");
  const header = /^(?:req\.)?f?hdr\(([^)]+)\)(.*)$/.exec(fetch);
  const isHost = header !== null && header[1].toLowerCase() === "host";
  if (flag === "-m" && header !== null && values.includes("found")) {
    return { word: "hdr", field: header[1], values: null };
  }
  if (/^req[._]ssl_sni(,lower)?$/.test(fetch)) return serverName(values);
  if (flag !== undefined) return `conditions have no ${flag}`;
  if (isHost && [",lower", "", ",field(1,:)", ",field(1,:),lower"].includes(header[2])) {
    return { word: "host", values };
  }
  if (/^(req\.)?hdr_dom\(host\)$/i.test(fetch) || /^(req\.)?hdr_end\(host\)$/i.test(fetch)) {
    const ends = values.filter((value) => value.startsWith("."));
    return ends.length === values.length && values.length > 0
      ? { word: "host", values: values.map((value) => `*${value}`) }
      : `${fetch} compares parts of a name, and host: whole names and *.name`;
  }
  if (header !== null && header[2] === "") return { word: "hdr", field: header[1], values };
  if (fetch === "ssl_c_used" && values.length === 0) return { word: "ssl_c_used", values: null };
  if (fetch === "ssl_fc" && values.length === 0) return { word: "ssl_fc", values: null };
  const word = Object.hasOwn(plainFetches, fetch) ? plainFetches[fetch] : "";
  if (word === "") return `conditions have no ${fetch}`;
  return values.length === 0 ? "it has no value" : { word, values };
}

/** `req.ssl_sni`, with `-m end .name` as `*.name`. */
function serverName(values: readonly string[]): Test | string {
  const [match = "str", ...names] = values[0] === "-m" ? values.slice(1) : ["str", ...values];
  if (match === "str" && names.length > 0) return { word: "req_ssl_sni", values: names };
  if (match === "end" && names.length > 0 && names.every((name) => name.startsWith(".")))
    return { word: "req_ssl_sni", values: names.map((name) => `*${name}`) };
  return "req_ssl_sni compares whole names and *.name";
}

/** Names that HAProxy has itself. */
const builtIn: Readonly<Record<string, Test | "always" | "never">> = {
  TRUE: "always",
  FALSE: "never",
  METH_GET: { word: "method", values: ["GET", "HEAD"] },
  METH_POST: { word: "method", values: ["POST"] },
  METH_PUT: { word: "method", values: ["PUT"] },
  METH_DELETE: { word: "method", values: ["DELETE"] },
  METH_HEAD: { word: "method", values: ["HEAD"] },
  METH_OPTIONS: { word: "method", values: ["OPTIONS"] },
  METH_CONNECT: { word: "method", values: ["CONNECT"] },
  METH_TRACE: { word: "method", values: ["TRACE"] },
  LOCALHOST: { word: "src", values: ["127.0.0.1/8"] },
};

/**
 * The condition behind an action: `if a !b || c`, `unless a`, `if { path_beg /x }`. `acls` are the tests of each name:
 * several lines of one name are alternatives. A text: why it cannot be carried over.
 */
export function parseCondition(
  words: readonly string[],
  acls: ReadonlyMap<string, readonly (Test | string)[]>,
): readonly Alternative[] | string {
  if (words.length === 0) return [{ when: [], unless: [] }];
  const [kind, ...rest] = words;
  if (kind !== "if" && kind !== "unless") return `${kind} is not known here`;
  const alternatives: Alternative[] = [];
  for (const terms of splitTerms(rest)) {
    const when: Test[] = [];
    const unless: Test[] = [];
    for (const term of terms) {
      const tests = resolve(term, acls);
      if (typeof tests === "string") return tests;
      const united = unite(tests);
      if (typeof united === "string") return united;
      if (united === null) continue;
      (term.negated ? unless : when).push(united);
    }
    const problem = check(when) ?? (unless.length > 1 ? "one condition cannot exclude several things" : null);
    if (problem !== null) return problem;
    alternatives.push({ when, unless });
  }
  if (kind === "if") return alternatives;
  // unless (a or b) is: neither. One alternative of one word can be turned round.
  const [only] = alternatives;
  if (alternatives.length !== 1 || only === undefined)
    return "unless cannot be turned round for several conditions";
  if (only.unless.length === 0) return [{ when: [], unless: only.when }];
  if (only.when.length === 0) return [{ when: only.unless, unless: [] }];
  return "unless cannot be turned round for a mixed condition";
}

interface Term {
  readonly negated: boolean;
  /** A name, or the words of an anonymous ACL. */
  readonly name: string | null;
  readonly words: readonly string[];
}

function splitTerms(words: readonly string[]): Term[][] {
  const terms: Term[][] = [[]];
  let negated = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === "||" || /^or$/i.test(word)) {
      terms.push([]);
      continue;
    }
    if (word === "&&" || /^and$/i.test(word)) continue;
    if (word === "!") {
      negated = !negated;
      continue;
    }
    const bare = word.startsWith("!") ? word.slice(1) : word;
    const isNegated = negated !== word.startsWith("!");
    negated = false;
    if (bare === "{") {
      const end = words.indexOf("}", i);
      const last = end === -1 ? words.length : end;
      terms[terms.length - 1].push({ negated: isNegated, name: null, words: words.slice(i + 1, last) });
      i = last;
    } else terms[terms.length - 1].push({ negated: isNegated, name: bare, words: [] });
  }
  return terms;
}

function resolve(
  term: Term,
  acls: ReadonlyMap<string, readonly (Test | string)[]>,
): readonly Test[] | string {
  if (term.name === null) {
    const test = parseAcl(term.words);
    return typeof test === "string" ? test : [test];
  }
  const own = acls.get(term.name);
  if (own === undefined) {
    const known = Object.hasOwn(builtIn, term.name) ? builtIn[term.name] : undefined;
    if (known === "always" && !term.negated) return [];
    return typeof known === "object" ? [known] : `there is no acl ${term.name} that was carried over`;
  }
  const refused = own.find((test) => typeof test === "string");
  if (typeof refused === "string") return `its acl ${term.name} cannot be carried over: ${refused}`;
  return own.flatMap((test) => (typeof test === "string" ? [] : [test]));
}

/** Several lines of one acl: one test, if they ask the same thing. Null: it always holds. */
function unite(tests: readonly Test[]): Test | null | string {
  const [first, ...others] = tests;
  if (first === undefined) return null;
  if (others.some(({ word, field }) => word !== first.word || field !== first.field))
    return "its acl has lines that ask different things";
  if (tests.some(({ values }) => values === null)) return { ...first, values: null };
  return { ...first, values: tests.flatMap(({ values }) => values ?? []) };
}

function check(tests: readonly Test[]): string | null {
  const words = tests.map(({ word, field }) => `${word} ${(field ?? "").toLowerCase()}`);
  return new Set(words).size < words.length ? "one condition cannot ask twice for the same word" : null;
}

/** A condition as `lb.yaml` has it. */
export function describeTests(tests: readonly Test[]): Map<string, unknown> {
  const condition = new Map<string, unknown>();
  for (const { word, field, values } of tests) {
    const value = values === null ? true : values.length === 1 ? values[0] : values;
    if (field === undefined) condition.set(word, value);
    else {
      const fields = condition.get(word);
      condition.set(word, new Map([...(fields instanceof Map ? fields : []), [field, value]]));
    }
  }
  return condition;
}
