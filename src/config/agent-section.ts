import Type from "typebox";
import { isIP } from "./address.js";
import type { Context } from "./context.js";
import { describeDuration } from "./duration.js";
import { quote } from "./problem.js";
import { closed, milliseconds, text, whole } from "./schema-words.js";
import type { AgentConfig } from "./server-config.js";
import type { Path } from "./source.js";

/** `agent_check` of a server: HAProxy's agent-check, agent-port, agent-addr, agent-inter, agent-send. */
export const agentCheckSchema = Type.Object(
  {
    port: whole(1, 65_535, "Where the agent listens."),
    addr: text("an address such as 192.168.33.68", "Its host. Default: the server's own."),
    inter: milliseconds("Between two questions. Default 2s."),
    send: Type.Optional(
      Type.String({
        title: "a text",
        description: "Sent to it at the beginning; a line needs its \\n. Default: nothing.",
      }),
    ),
    timeout: milliseconds("For a whole question. Default: inter, at most timeout: connect."),
  },
  {
    ...closed,
    title: "a mapping such as { port: 9707 }",
    description:
      "Who says, beside the checks, how the server is: up, down, drain, 50%, maxconn:30. Default: nobody.",
  },
);

export type AgentShape = Type.Static<typeof agentCheckSchema>;

const defaultIntervalMs = 2_000;
const shortestIntervalMs = 10;

/** A server's own words, and beside them those of `default_server`. null: no agent. */
export function readAgent(
  own: { readonly path: Path; readonly words: AgentShape | undefined },
  inherited: { readonly path: Path; readonly words: AgentShape | undefined },
  connectTimeoutMs: number,
  context: Context,
): AgentConfig | null {
  if (own.words === undefined && inherited.words === undefined) return null;
  const find = <Word extends keyof AgentShape>(word: Word) => {
    const from = own.words?.[word] === undefined && inherited.words !== undefined ? inherited : own;
    return { path: [...from.path, word], value: from.words?.[word] };
  };
  const time = (word: "inter" | "timeout", fallbackMs: number): number => {
    const { path, value } = find(word);
    return context.duration(path, value, "ms", fallbackMs, shortestIntervalMs);
  };
  const port = find("port");
  if (port.value === undefined)
    context.missing(
      port.path,
      "agent_check has no port",
      "add the one that the agent listens on, such as port: 9707",
    );
  const { path, value: host } = find("addr");
  if (host !== undefined && !isIP(host) && !/^[A-Za-z0-9_.-]{1,253}$/.test(host))
    context.problem(
      path,
      `${quote(host)} is neither an address nor a host name`,
      "write it without the port",
    );
  const send = find("send").value;
  const intervalMs = time("inter", defaultIntervalMs);
  return {
    ...(host !== undefined && { host }),
    port: port.value ?? 0,
    intervalMs,
    timeoutMs: time("timeout", Math.max(shortestIntervalMs, Math.min(intervalMs, connectTimeoutMs))),
    ...(send !== undefined && { send }),
  };
}

export function writeAgent({ host, port, intervalMs, timeoutMs, send }: AgentConfig): object {
  return {
    port,
    ...(host !== undefined && { addr: host }),
    inter: describeDuration(intervalMs),
    ...(send !== undefined && { send }),
    timeout: describeDuration(timeoutMs),
  };
}
