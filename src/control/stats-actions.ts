import { timingSafeEqual } from "node:crypto";
import type { NodeView } from "./node-view.js";
import type { ServerActions } from "./server-commands.js";
import { firstProxyId } from "./stat-rows.js";

/** What the stats page can do to servers. */
export interface StatsPageActions extends ServerActions {
  /** Ends every session that is at the server. */
  killSessions(backend: string, server: string): void;
}

/** HAProxy's names of actions, and how its page shows them. */
export const pageActions = {
  ready: "Set state to READY",
  drain: "Set state to DRAIN",
  maint: "Set state to MAINT",
  hrunn: "Health: force UP",
  hdown: "Health: force DOWN",
  shutdown: "Kill Sessions",
} as const;
type PageAction = keyof typeof pageActions;

/** HAProxy's codes of what came of an action, with its words. */
export const outcomes = {
  DONE: "Action processed successfully.",
  NONE: "Nothing has changed.",
  PART: "Action partially processed. Some server names are probably unknown.",
  ERRP: "Action not processed because of invalid parameters.",
  DENY: "Action denied.",
} as const;
export type Outcome = keyof typeof outcomes;

export const isOutcome = (word: string): word is Outcome => Object.hasOwn(outcomes, word);

/** The form's fields, as HAProxy's page names them, and the token that only our own page knows. */
interface Form {
  readonly backend: string | null;
  readonly servers: readonly string[];
  readonly action: string | null;
  readonly token: string | null;
}

/**
 * Carries out what a form of the stats page asks for: `s` (once for each server), `action`, `b` (the backend's name, or `#` and its
 * number) and `token`. Without the right token nothing is looked at.
 */
export function takeForm(body: string, token: string, view: NodeView, actions: StatsPageActions): Outcome {
  const form = parseForm(body);
  if (form.token === null || !isSame(form.token, token)) return "DENY";
  if (form.servers.length === 0 || form.action === null || form.action === "") return "NONE";
  const proxy = view.proxies.findIndex(
    ({ name }, i) => name === form.backend || `#${firstProxyId + i}` === form.backend,
  );
  if (proxy < 0 || !isAction(form.action)) return "ERRP";
  let done = 0;
  for (const name of form.servers) {
    const server = view.proxies[proxy].servers.findIndex((one) => one.name === name);
    if (server >= 0 && act(form.action, proxy, server, view, actions)) done++;
  }
  if (done === 0) return "ERRP";
  return done < form.servers.length ? "PART" : "DONE";
}

/** False: it cannot be done to this server. */
function act(
  action: PageAction,
  proxy: number,
  server: number,
  { proxies }: NodeView,
  actions: StatsPageActions,
): boolean {
  const { name, servers } = proxies[proxy];
  switch (action) {
    case "ready":
    case "drain":
    case "maint":
      actions.setState(proxy, server, action);
      return true;
    case "hrunn":
    case "hdown":
      if (servers[server].check === undefined) return false;
      actions.setHealth(proxy, server, action === "hrunn" ? "up" : "down");
      return true;
    case "shutdown":
      actions.killSessions(name, servers[server].name);
      return true;
  }
}

const isAction = (word: string): word is PageAction => Object.hasOwn(pageActions, word);

function parseForm(body: string): Form {
  const fields = new URLSearchParams(body);
  return {
    backend: fields.get("b"),
    servers: fields.getAll("s"),
    action: fields.get("action"),
    token: fields.get("token"),
  };
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
