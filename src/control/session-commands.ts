import type { Inquiry } from "../process/inquiry.js";
import type { InvalidMessage } from "../proxy/invalid-messages.js";
import type { Command, CommandAnswer } from "./commands.js";
import type { Told } from "./inquirer.js";
import type { NodeView } from "./node-view.js";
import { type ErrorFilter, showErrors } from "./show-errors.js";
import { firstProxyId } from "./stat-rows.js";

/** Commands about what the data threads hold: invalid messages and sessions. The texts are those that HAProxy 2.6 was seen to give. */
export const sessionCommands: readonly Command[] = [
  {
    words: ["show", "errors"],
    level: "operator",
    usage: "show errors [<px>] [request|response]",
    summary: "report last request and/or response errors for each proxy",
    run: (args, view) => showErrorsCommand(args, view),
  },
  {
    words: ["show", "sess"],
    level: "operator",
    usage: "show sess [id|all]",
    summary: "report the list of current sessions or dump this exact session",
    run: ([which]) => showSessions(which),
  },
  {
    words: ["shutdown", "session"],
    level: "admin",
    usage: "shutdown session [id]",
    summary: "kill a specific session",
    run: ([id]) => {
      const session = parseId(id);
      if (session === null) return text("Session pointer expected (use 'show sess').\n");
      return inquire({ about: "cut-session", id: session }, async function* (told) {
        const { cut, silent } = await countCut(told);
        yield silent + (cut === 0 ? "No such session (use 'show sess').\n" : "");
      });
    },
  },
  {
    words: ["shutdown", "sessions", "server"],
    level: "admin",
    usage: "shutdown sessions server <bk>/<srv>",
    summary: "kill sessions on a server",
    run: ([place], view) => shutdownAt(place, view()),
  },
];

function showErrorsCommand([first, second]: readonly string[], view: () => NodeView): CommandAnswer {
  const filter = parseErrorFilter(first, second, view());
  if (filter === null) return text("No such proxy.\n");
  return inquire({ about: "invalid-messages" }, async function* (told) {
    const messages: InvalidMessage[] = [];
    let silent = "";
    for await (const part of told) {
      if (part.kind === "invalid-messages") messages.push(...part.messages);
      if (part.kind === "end") silent = describeSilent(part.silent);
    }
    yield silent + showErrors(view(), messages, filter);
  });
}

/** A proxy is named, or numbered as in `show stat`; −1 is every one. null: there is none such. */
function parseErrorFilter(first: string | undefined, second: string | undefined, view: NodeView) {
  const isKind = (word: string | undefined) => word === "request" || word === "response";
  const kindOf = (word: string | undefined): ErrorFilter["kind"] =>
    word === "request" || word === "response" ? word : null;
  if (first === undefined) return { proxy: null, kind: null };
  const named = view.proxies.find(({ name }) => name === first);
  if (named !== undefined) return { proxy: named.name, kind: kindOf(second) };
  if (isKind(first)) return { proxy: null, kind: kindOf(first) };
  const id = Number.parseInt(first, 10);
  if (Number.isNaN(id) || id === 0) return null;
  return { proxy: id < 0 ? null : (view.proxies[id - firstProxyId]?.name ?? ""), kind: kindOf(second) };
}

function showSessions(which: string | undefined): CommandAnswer {
  const id = parseId(which);
  // As there: what is no id is none.
  const inquiry: Inquiry = { about: "sessions", id, atLength: id !== null || which === "all" };
  return inquire(inquiry, async function* (told) {
    let isEmpty = true;
    for await (const part of told) {
      if (part.kind === "lines" && part.text !== "") {
        isEmpty = false;
        yield part.text;
      }
      if (part.kind === "end" && part.silent > 0) yield describeSilent(part.silent);
    }
    if (isEmpty && id !== null) yield "Session not found.\n";
  });
}

function shutdownAt(place: string | undefined, { proxies }: NodeView): CommandAnswer {
  const slash = place?.indexOf("/") ?? -1;
  if (place === undefined || slash < 0) return text("Require 'backend/server'.\n");
  const backend = place.slice(0, slash);
  const proxy = proxies.find(({ name }) => name === backend);
  if (proxy === undefined) return text("No such backend.\n");
  const server = place.slice(slash + 1);
  if (!proxy.servers.some(({ name }) => name === server)) return text("No such server.\n");
  return inquire({ about: "cut-sessions-at", backend, server }, async function* (told) {
    yield (await countCut(told)).silent;
  });
}

async function countCut(
  told: AsyncIterable<Told>,
): Promise<{ readonly cut: number; readonly silent: string }> {
  let cut = 0;
  let silent = "";
  for await (const part of told) {
    if (part.kind === "cut") cut += part.sessions;
    if (part.kind === "end") silent = describeSilent(part.silent);
  }
  return { cut, silent };
}

/** An answer that is not whole must not look like one. */
function describeSilent(threads: number): string {
  if (threads === 0) return "";
  return `${threads} data ${threads === 1 ? "thread does" : "threads do"} not answer: what follows is not all.\n`;
}

/** `0x…` as `show sess` prints it; null: it is none. */
function parseId(word: string | undefined): number | null {
  if (word === undefined || !/^0x[0-9a-f]{1,13}$/i.test(word)) return null;
  return Number.parseInt(word.slice(2), 16);
}

function inquire(
  inquiry: Inquiry,
  describe: (told: AsyncIterable<Told>) => AsyncIterable<string>,
): CommandAnswer {
  return { kind: "inquire", inquiry, describe };
}

function text(value: string): CommandAnswer {
  return { kind: "text", text: value };
}
