import { formatReloadAnswer, parseReloadAnswer } from "../process/reload-answer.js";
import { formatUpgradeAnswer, parseUpgradeAnswer } from "../upgrade/answer.js";
import type { Command, CommandAnswer } from "./commands.js";
import { formatNodeJson } from "./show-node.js";

/** Commands of Tandem's own, which `lb reload`, `lb upgrade`, `lb plan`, `lb explain`, `lb server list` and `lb watch` send. */
export const operatorCommands: readonly Command[] = [
  {
    words: ["reload"],
    level: "admin",
    usage: "reload [json]",
    summary: "read the configuration again, as SIGHUP does, and tell how it went",
    run: (args) => ask("reload", args),
  },
  {
    words: ["upgrade"],
    level: "admin",
    usage: "upgrade [json]",
    summary: "have the program as it is installed now take over, and tell how it went",
    run: (args) => ask("upgrade", args),
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
    usage: "show flight [changes]",
    summary: "dump the flight recorder as JSON, or its changes of state",
    run: (args) => ({
      kind: "ask",
      question: args.includes("changes") ? "changes" : "flight",
      describe: (text) => `${text}\n`,
    }),
  },
  {
    words: ["show", "node"],
    level: "operator",
    usage: "show node",
    summary: "report VRRP, proxies, servers and rates as JSON, for lb watch",
    run: (_args, view, { look }) => {
      look();
      return { kind: "text", text: formatNodeJson(view()) };
    },
  },
];

function ask(question: "reload" | "plan" | "upgrade", args: readonly string[]): CommandAnswer {
  const format = (text: string): string | null => {
    if (question === "upgrade") {
      const answer = parseUpgradeAnswer(text);
      return answer && formatUpgradeAnswer(answer);
    }
    const answer = parseReloadAnswer(text);
    return answer && formatReloadAnswer(answer);
  };
  const describe = (text: string): string => (args.includes("json") ? null : format(text)) ?? `${text}\n`;
  return { kind: "ask", question, describe };
}
