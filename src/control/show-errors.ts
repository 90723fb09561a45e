import { refusalPlace } from "../proxy/http1/refusal-place.js";
import { type InvalidMessage, keptBytes } from "../proxy/invalid-messages.js";
import { logDate } from "../proxy/log/log-line.js";
import { dumpText } from "./dump-text.js";
import type { NodeView } from "./node-view.js";
import { firstProxyId } from "./stat-rows.js";

/** What of them is to be shown; null: of every proxy, of either kind. */
export interface ErrorFilter {
  readonly proxy: string | null;
  readonly kind: InvalidMessage["kind"] | null;
}

/**
 * `show errors [<proxy>] [request|response]` as HAProxy 2.6 writes it: the last invalid request and the last invalid response
 * of each proxy, and how many there were. Where HAProxy shows the inner state of its parser, here stands the parser's reason.
 * `messages`: those of all threads.
 */
export function showErrors(
  view: Pick<NodeView, "proxies" | "snapshot" | "nowEpochMs">,
  messages: readonly InvalidMessage[],
  filter: ErrorFilter,
): string {
  const total = view.snapshot.threads.reduce((sum, { invalidMessages }) => sum + invalidMessages, 0);
  const shown = last(messages).filter(
    ({ proxy, kind }) =>
      (filter.proxy === null || proxy === filter.proxy) && (filter.kind === null || kind === filter.kind),
  );
  const place = ({ proxy, kind }: InvalidMessage): number =>
    2 * view.proxies.findIndex(({ name }) => name === proxy) + (kind === "request" ? 0 : 1);
  shown.sort((a, b) => place(a) - place(b));
  const date = localDate(view.nowEpochMs);
  return `Total events captured on [${date}] : ${total}\n${shown.map((one) => describe(view, one)).join("")}`;
}

/** Of each kind and proxy the last one, whichever thread had it. */
function last(messages: readonly InvalidMessage[]): InvalidMessage[] {
  const found = new Map<string, InvalidMessage>();
  for (const message of messages) {
    const key = `${message.kind} ${message.proxy}`;
    const other = found.get(key);
    if (other === undefined || other.atEpochMs <= message.atEpochMs) found.set(key, message);
  }
  return [...found.values()];
}

function describe({ proxies }: Pick<NodeView, "proxies">, message: InvalidMessage): string {
  const { kind, bytes } = message;
  const proxy = (name: string | null): string => {
    const index = proxies.findIndex((one) => one.name === name);
    return `${name ?? "<NONE>"} (#${index < 0 ? -1 : firstProxyId + index})`;
  };
  const isRequest = kind === "request";
  const backend = isRequest ? message.otherSide : message.proxy;
  const servers = proxies.find(({ name }) => name === backend)?.servers ?? [];
  const server = servers.findIndex(({ name }) => name === message.server);
  const at = message.at ?? refusalPlace(kind, bytes, message.maxHeadBytes);
  return (
    ` \n[${localDate(message.atEpochMs)}] ${isRequest ? "frontend" : "backend"} ${proxy(message.proxy)}: invalid ${kind}\n` +
    `  ${isRequest ? "backend" : "frontend"} ${proxy(message.otherSide)}, ` +
    `server ${message.server ?? "<NONE>"} (#${server < 0 ? -1 : server + 1}), event #${message.event}, ` +
    `src ${message.clientAddress}:${message.clientPort}\n` +
    `  buffer starts at 0 (including 0 out), ${keptBytes - bytes.length} free,\n` +
    `  len ${bytes.length}, wraps at ${keptBytes}, error at position ${at}\n` +
    `  reason ${message.reason} :\n` +
    `  \n${dumpText(bytes)}`
  );
}

function localDate(epochMs: number): string {
  return logDate(epochMs, -new Date(epochMs).getTimezoneOffset());
}
