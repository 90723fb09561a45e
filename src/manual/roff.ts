import {
  type CommandUsage,
  commandUsages,
  configurationFlags,
  configurationText,
  introduction,
  type OptionName,
  optionTexts,
  signalsText,
} from "../cli/usage.js";
import { schemaSections } from "./schema-words.js";

/** The manual pages lb(8) and lb.yaml(5), in man(7)'s language, from the usage and the schema. Pure. */

export function commandPage(version: string): string {
  return page(
    ["LB", "8", version],
    ["lb", "VRRP failover and HTTP load balancing for a pair of Linux machines"],
    [
      ".SH SYNOPSIS",
      ...commandUsages.flatMap(({ name, synopsis }, i) => [
        ...(i === 0 ? [] : [".br"]),
        `.B lb ${name}`,
        ...(synopsis === "" ? [] : [plain(synopsis)]),
      ]),
      ".SH DESCRIPTION",
      plain(introduction),
      ".PP",
      plain(configurationText),
      ".SH COMMANDS",
      ...commandUsages.flatMap((usage: CommandUsage) => [
        ".TP",
        `.B ${usage.name}${usage.synopsis === "" ? "" : ` ${plain(usage.synopsis)}`}`,
        plain(usage.text),
      ]),
      ".SH OPTIONS",
      ...optionNames().flatMap((name) => [
        ".TP",
        `.B \\-\\-${plain(name)}${optionTexts[name].value === null ? "" : ` ${plain(optionTexts[name].value ?? "")}`}`,
        plain(sentence(optionTexts[name].text)),
      ]),
      ".PP",
      plain(
        `The flags ${configurationFlags.map((name) => `--${name}`).join(", ")} lie over the file; run and check take them all.`,
      ),
      ".SH SIGNALS AND EXIT CODES",
      plain(signalsText),
      ".SH FILES",
      ...file("/etc/lb/lb.yaml", "The configuration, lb.yaml(5)."),
      ...file("/etc/default/lb", "LB_OPTIONS, flags of the service, and its environment."),
      ...file("/run/lb/stats.sock", "The stats socket, HAProxy's; every command but run and check asks it."),
      ".SH SEE ALSO",
      ".BR lb.yaml (5),",
      ".BR systemctl (1),",
      ".BR journalctl (1)",
    ],
  );
}

export function configurationPage(version: string): string {
  return page(
    ["LB.YAML", "5", version],
    ["lb.yaml", "configuration of lb"],
    [
      ".SH DESCRIPTION",
      plain(
        "A YAML file, read at the start and at each reload. lb check says everything that is wrong with it, with line and column; lb check --print shows it with all defaults and without its secrets.",
      ),
      ".PP",
      plain(
        "In any value ${NAME} stands for an environment variable, ${NAME:-default} for one that may be missing, and ${file:/path} for the text of a file; $${ for these signs themselves. Times have a unit, such as 500ms, 5s, 1m; without one keepalived's words count seconds and HAProxy's milliseconds.",
      ),
      ...schemaSections().flatMap(({ path, words }) => [
        `.SH ${path === "" ? "THE FILE" : plain(path)}`,
        ...words.flatMap(({ name, value, default: fallback, meaning, section }) => [
          ".TP",
          `.BR ${plain(name)} :`,
          plain(
            [meaning, value === "" ? "" : `Write ${value}.`, fallback === null ? "" : `Default ${fallback}.`]
              .concat(section === null ? [] : [`See ${section}.`])
              .filter((part) => part !== "")
              .join(" "),
          ),
        ]),
      ]),
      ".SH SEE ALSO",
      ".BR lb (8)",
    ],
  );
}

function page(
  [title, section, version]: readonly [string, string, string],
  [name, what]: readonly [string, string],
  lines: readonly string[],
): string {
  return [
    '.\\" Made by npm run docs from the usage and the schema: change those.',
    `.TH ${title} ${section} "" "Tandem ${version}" "Tandem"`,
    ".SH NAME",
    `${name} \\- ${plain(what)}`,
    ...lines,
    "",
  ].join("\n");
}

function optionNames(): OptionName[] {
  return Object.keys(optionTexts).filter((name): name is OptionName => Object.hasOwn(optionTexts, name));
}

function file(path: string, text: string): string[] {
  return [".TP", `.I ${plain(path)}`, plain(text)];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Text in which nothing is a request of roff's. */
function plain(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("−", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .split("\n")
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join("\n");
}
