import { type Parsed, parsed, quote, refused } from "./problem.js";
import { suggest } from "./suggest.js";

/** HAProxy's `balance`, as far as it is known here. */
export type Balance =
  | "roundrobin"
  | "leastconn"
  | "source"
  | "first"
  /** By the target up to its query, or with it (`whole`); `length`, `depth`: of so many bytes or directories, 0: all. */
  | { readonly by: "uri"; readonly whole: boolean; readonly length: number; readonly depth: number }
  /** By the first value of a header field; its name in lower case. */
  | { readonly by: "hdr"; readonly field: string }
  /** The least loaded of so many that are drawn. */
  | { readonly by: "random"; readonly draws: number };

const plain = ["roundrobin", "leastconn", "source", "first"] as const;
const known = "known are roundrobin, leastconn, source, uri, hdr(name), random and first";

/** Reads `roundrobin`, `uri`, `uri whole depth 2`, `hdr(Host)`, `random`, `random(3)`, … */
export function parseBalance(text: string): Parsed<Balance> {
  const word = text.trim();
  const found = plain.find((name) => name === word);
  if (found !== undefined) return parsed(found);
  if (/^uri(\s|$)/.test(word)) return parseUri(word);
  const called = /^(hdr|random)\s*(?:\(([^()]*)\))?$/.exec(word);
  if (called?.[1] === "random") return parseDraws(called[2]);
  if (called !== null) {
    const field = (called[2] ?? "").trim().toLowerCase();
    // RFC 9110 §5.6.2, token.
    if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(field)) return parsed({ by: "hdr", field });
    return refused(`${quote(text)} names no header field`, "write one, such as hdr(Host)");
  }
  if (word === "static-rr") return refused("static-rr is not known here", "write roundrobin");
  const near = suggest(word, [...plain, "uri", "random"]);
  return refused(`balance ${quote(text)} is not known`, near === null ? known : `did you mean ${near}?`);
}

/** The way to write it that `parseBalance` reads back. */
export function describeBalance(balance: Balance): string {
  if (typeof balance === "string") return balance;
  switch (balance.by) {
    case "hdr":
      return `hdr(${balance.field})`;
    case "random":
      return `random(${balance.draws})`;
    case "uri": {
      const { whole, length, depth } = balance;
      return `uri${whole ? " whole" : ""}${length > 0 ? ` len ${length}` : ""}${depth > 0 ? ` depth ${depth}` : ""}`;
    }
  }
}

/** The word of `show stat`'s column `algo`. */
export function balanceName(balance: Balance): string {
  return typeof balance === "string" ? balance : balance.by;
}

function parseUri(text: string): Parsed<Balance> {
  const words = text.split(/\s+/).slice(1);
  let whole = false;
  let length = 0;
  let depth = 0;
  for (let i = 0; i < words.length; i++) {
    if (words[i] === "whole") {
      whole = true;
      continue;
    }
    const number = Number(words[i + 1]);
    const isNumber = /^\d{1,5}$/.test(words[i + 1] ?? "") && number >= 1;
    if ((words[i] !== "len" && words[i] !== "depth") || !isNumber) {
      return refused(`${quote(text)} is not known`, "write uri, uri whole, uri len 40 or uri depth 2");
    }
    if (words[i] === "len") length = number;
    else depth = number;
    i++;
  }
  return parsed({ by: "uri", whole, length, depth });
}

function parseDraws(text: string | undefined): Parsed<Balance> {
  if (text === undefined) return parsed({ by: "random", draws: 2 });
  const draws = Number(text);
  if (/^\s*\d{1,2}\s*$/.test(text) && draws >= 1 && draws <= 32) return parsed({ by: "random", draws });
  return refused(`random(${text}) is out of range`, "write random for two draws, or a number from 1 to 32");
}
