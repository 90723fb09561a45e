import { type CommandUsage, commandUsages, type OptionName, optionTexts } from "./usage.js";

/** Completions of `lb`, made from its usage. Pure. The names of servers come from `lb server list`. */

export function completionFor(shell: "bash" | "zsh"): string {
  return shell === "bash" ? bash() : zsh();
}

const names = commandUsages.map(({ name }) => name).join(" ");
const valueFlags = (Object.keys(optionTexts) as OptionName[])
  .filter((name) => optionTexts[name].value !== null && optionTexts[name].value !== "FILE")
  .map((name) => `--${name}`);
const fileFlags = (Object.keys(optionTexts) as OptionName[])
  .filter((name) => optionTexts[name].value === "FILE" || optionTexts[name].value === "PATH")
  .map((name) => `--${name}`);
const serverNames = `lb server list --json 2>/dev/null | sed -n 's/.*"name": *"\\([^"]*\\)".*/\\1/p'`;

function flagsOf({ flags }: CommandUsage): string {
  return flags.map((flag) => `--${flag}`).join(" ");
}

function bash(): string {
  return `# bash completion for lb; made by: lb completion bash
_lb() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= i place=0
  COMPREPLY=()
  case $before in
    ${fileFlags.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --engine) COMPREPLY=($(compgen -W "auto direct portable" -- "$word")); return ;;
    ${valueFlags.filter((flag) => flag !== "--engine" && !fileFlags.includes(flag)).join("|")}) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -*) ;;
      *) if [ -z "$command" ]; then command=\${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
    esac
  done
  if [ -z "$command" ]; then
    COMPREPLY=($(compgen -W "${names} --help --version" -- "$word"))
    return
  fi
  case $command:$place in
${commandUsages
  .flatMap((usage: CommandUsage) =>
    usage.words.map((kind, place) => `    ${usage.name}:${place}) ${bashWords(kind)} ;;`),
  )
  .join("\n")}
  esac
  case $command in
${commandUsages
  .filter((usage: CommandUsage) => usage.flags.length > 0)
  .map((usage) => `    ${usage.name}) COMPREPLY+=($(compgen -W "${flagsOf(usage)}" -- "$word")) ;;`)
  .join("\n")}
  esac
}
complete -o filenames -F _lb lb
`;
}

function bashWords(kind: CommandUsage["words"][number]): string {
  if (kind === "file") return `COMPREPLY=($(compgen -f -- "$word"))`;
  if (kind === "server") return `COMPREPLY=($(compgen -W "$(${serverNames})" -- "$word"))`;
  if (kind === "number") return ":";
  return `COMPREPLY=($(compgen -W "${kind.join(" ")}" -- "$word"))`;
}

function zsh(): string {
  const commandsList = commandUsages
    .map(({ name, summary }) => `    '${name}:${quoted(summary)}'`)
    .join("\n");
  const cases = commandUsages
    .map((usage: CommandUsage) => {
      const flags = usage.flags.map((flag) => `'${zshFlag(flag)}'`);
      const words = usage.words.map((kind, place) => `'${place + 1}:${zshWords(kind)}'`);
      const all = [...flags, ...words];
      return all.length === 0 ? "" : `    ${usage.name}) _arguments ${all.join(" ")} ;;\n`;
    })
    .join("");
  return `#compdef lb
# zsh completion for lb; made by: lb completion zsh
_lb_servers() {
  local -a servers
  servers=(\${(f)"$(${serverNames})"})
  compadd -- $servers
}
_lb() {
  local -a commands
  commands=(
${commandsList}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases}  esac
}
_lb "$@"
`;
}

function zshFlag(name: OptionName): string {
  const { value, text } = optionTexts[name];
  const action =
    value === null
      ? ""
      : `:${value.replace(/[:[\]]/g, "")}:${value === "FILE" || value === "PATH" ? "_files" : ""}`;
  return `*--${name}[${quoted(text).replace(/[[\]]/g, "")}]${action}`;
}

function zshWords(kind: CommandUsage["words"][number]): string {
  if (kind === "file") return "file:_files";
  if (kind === "server") return "server:_lb_servers";
  if (kind === "number") return "weight: ";
  return `what:(${kind.join(" ")})`;
}

/** Inside of '…' in zsh's lists. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(":", "\\:");
}
