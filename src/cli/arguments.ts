import { parseArgs } from "node:util";
import type { Flags } from "../config/flags.js";
import { suggest, suggestion } from "../config/suggest.js";
import { LbError } from "../errors.js";
import { type Command, commands, options, usageOf } from "./usage.js";

export interface Arguments {
  readonly command: Command;
  readonly config: string | undefined;
  readonly print: boolean;
  readonly json?: true;
  /** `lb drain --undo`. */
  readonly undo?: true;
  /** What stands behind the command. */
  readonly words?: readonly string[];
  /** `lb import`. */
  readonly haproxy?: readonly string[];
  readonly keepalived?: readonly string[];
  /** `lb explain`. */
  readonly since?: string;
  readonly pcap?: string;
  /** `lb watch`. */
  readonly interval?: string;
  readonly once?: true;
  readonly flags: Flags;
}

/** Reads the command line. Throws LbError LB_USAGE for what is not known here. */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options,
    // Strictness is ours: the messages of parseArgs name no near word.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind === "option")
      checkOption(token.name, token.rawName, token.value, token.inlineValue, given);
  }
  const [word, ...rest] = positionals;
  const command = readCommand(word);
  const tooMany = rest[usageOf(command).words.length];
  if (tooMany !== undefined)
    throw usage(`${JSON.stringify(tooMany)} is one word too many`, "flags begin with --");
  const text = (name: keyof typeof options): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  const texts = (name: keyof typeof options): string[] | undefined => {
    const value = values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
  };
  const flags = {
    priority: text("priority"),
    interface: text("interface"),
    vrid: text("vrid"),
    vip: texts("vip"),
    "peer-key": text("peer-key"),
    listen: texts("listen"),
    backend: texts("backend"),
    admin: text("admin"),
    "stats-socket": text("stats-socket"),
    engine: text("engine"),
    threads: text("threads"),
    "no-vrrp": values["no-vrrp"] === true ? true : undefined,
    "no-proxy": values["no-proxy"] === true ? true : undefined,
  };
  return {
    command: values.help === true ? "help" : values.version === true ? "version" : command,
    config: text("config"),
    print: values.print === true,
    ...(values.json === true && { json: true }),
    ...(values.undo === true && { undo: true }),
    ...(values.once === true && { once: true }),
    ...(rest.length > 0 && { words: rest }),
    ...(texts("haproxy") !== undefined && { haproxy: texts("haproxy") ?? [] }),
    ...(texts("keepalived") !== undefined && { keepalived: texts("keepalived") ?? [] }),
    ...one("since", text("since")),
    ...one("pcap", text("pcap")),
    ...one("interval", text("interval")),
    flags: Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)),
  };
}

/** A member, if there is a value for it. */
function one<Name extends string>(name: Name, value: string | undefined): { readonly [K in Name]?: string } {
  const member: { [K in Name]?: string } = {};
  if (value !== undefined) member[name] = value;
  return member;
}

function readCommand(word: string | undefined): Command {
  if (word === undefined) return "run";
  const command = commands.find((known) => known === word);
  if (command !== undefined) return command;
  throw usage(`${JSON.stringify(word)} is not a command`, suggestion(word, commands));
}

function checkOption(
  name: string,
  rawName: string,
  value: string | undefined,
  inlineValue: boolean | undefined,
  given: Set<string>,
): void {
  if (!isOption(name)) {
    const near = suggest(name, Object.keys(options));
    throw usage(`${rawName} is not a flag`, near === null ? "lb help lists them" : `did you mean --${near}?`);
  }
  const option = options[name];
  if (option.type === "boolean") {
    if (inlineValue === true) throw usage(`${rawName} takes no value`, `write ${rawName} alone`);
    return;
  }
  if (value === undefined || value === "" || (inlineValue !== true && value.startsWith("--"))) {
    throw usage(`${rawName} has no value`, `write ${rawName} and its value`);
  }
  if (!("multiple" in option) && given.has(name)) {
    throw usage(`${rawName} is given twice`, "keep one of them");
  }
  given.add(name);
}

function isOption(name: string): name is keyof typeof options {
  return Object.hasOwn(options, name);
}

function usage(message: string, advice: string): LbError {
  return new LbError("LB_USAGE", message, advice);
}
