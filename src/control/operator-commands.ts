import { formatReloadAnswer, parseReloadAnswer } from "../process/reload-answer.js";
import type { Command, CommandAnswer } from "./commands.js";
import { formatNodeJson } from "./show-node.js";

/** Commands of Tandem's own, which `lb reload`, `lb plan`, `lb explain`, `lb server list` and `lb watch` send. */
export const operatorCommands: readonly Command[] = [
  {
    words: ["reload"],
    level: "admin",
    usage: "reload [json]",
    summary: "read the configuration again, as SIGHUP does, and tell how it went",
    run: (args) => ask("reload", args),
  },
  {
    words: ["show", "plan"],
    level: "operator",
    usage: "show plan [json]",
    summary: "report what a reload would do",
    run: (args) => ask("plan", args),
  },
  {
    words: ["show", "flight"],
    level: "operator",
    usage: "show flight",
    summary: "dump the last adverts and log lines as JSON, for lb explain",
    run: () => ({ kind: "ask", question: "flight", describe: (text) => `${text}\n` }),
  },
  {
    words: ["show", "node"],
    level: "operator",
    usage: "show node",
    summary: "report VRRP, proxies, servers and rates as JSON, for lb watch",
    run: (_args, view) => ({ kind: "text", text: formatNodeJson(view()) }),
  },
];

function ask(question: "reload" | "plan", args: readonly string[]): CommandAnswer {
  const describe = (text: string): string => {
    const answer = args.includes("json") ? null : parseReloadAnswer(text);
    return answer === null ? `${text}\n` : formatReloadAnswer(answer);
  };
  return { kind: "ask", question, describe };
}
