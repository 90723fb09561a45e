import type { Action, Condition, Rule } from "../../config/rule-config.js";
import { holds } from "./condition.js";
import { type Credential, credentialOf, isKnown } from "./credentials.js";
import { fillIn } from "./fill-in.js";
import type { RequestFacts } from "./request-facts.js";
import { SlidingWindow } from "./sliding-window.js";

/** An answer that a rule gives in a server's place. */
export interface RuleAnswer {
  readonly status: number;
  /** `Name: value`, without framing and connection. */
  readonly fields: readonly string[];
  /** null: the page of that status. */
  readonly body: string | null;
  /** What HAProxy counts in dreq. */
  readonly isDenied: boolean;
}

/** The rules of one proxy, in one data thread. Pure: the time comes in, and the counters of rate limits are shared memory. */
export class RuleSet {
  private readonly windows: readonly (SlidingWindow | null)[];
  private readonly users: readonly (readonly Credential[])[];

  /** `counters`: one buffer for each rate limit, in the rules' order. */
  constructor(
    private readonly rules: readonly Rule[],
    counters: readonly SharedArrayBuffer[],
  ) {
    let next = 0;
    this.windows = rules.map(({ action }) =>
      action.kind === "rate-limit"
        ? new SlidingWindow(counters[next++], action.requests, action.periodMs)
        : null,
    );
    this.users = rules.map(({ action }) => (action.kind === "auth" ? action.users.map(credentialOf) : []));
  }

  /** Changes `facts` as the rules say; an answer ends the request, null lets it go on. */
  apply(facts: RequestFacts, nowMs: number): RuleAnswer | null {
    for (const [index, { when, unless, action }] of this.rules.entries()) {
      if (!applies(when, unless, facts)) continue;
      const answer = this.act(index, action, facts, nowMs);
      if (answer !== null) return answer;
    }
    return null;
  }

  private act(index: number, action: Action, facts: RequestFacts, nowMs: number): RuleAnswer | null {
    switch (action.kind) {
      case "deny":
        return denied(action.status);
      case "redirect":
        return {
          status: action.status,
          fields: [`Location: ${withoutOtherHost(fillIn(action.location, facts))}`],
          body: "",
          isDenied: false,
        };
      case "return":
        return {
          status: action.status,
          fields: action.body === "" ? [] : [`Content-Type: ${action.contentType}`],
          body: action.body,
          isDenied: false,
        };
      case "auth":
        if (isKnown(this.users[index], facts.valueOf("authorization"))) return null;
        // A question, and no refusal: HAProxy logs LR and counts it so.
        return {
          ...denied(401, [`WWW-Authenticate: Basic realm="${action.realm}", charset="UTF-8"`]),
          isDenied: false,
        };
      case "rate-limit": {
        const key = action.by === "src" ? facts.source : facts.valueOf(action.by.field);
        if (key === null || this.windows[index]?.admits(key, nowMs) !== false) return null;
        return denied(action.status, [`Retry-After: ${Math.ceil(action.periodMs / 1000)}`]);
      }
      case "set-header": {
        // The value may be made of the one that is replaced.
        const value = fillIn(action.value, facts);
        facts.deleteField(action.name);
        facts.addField(action.name, value);
        return null;
      }
      case "add-header":
        facts.addField(action.name, fillIn(action.value, facts));
        return null;
      case "del-header":
        facts.deleteField(action.name);
        return null;
      case "use-backend":
        facts.backend ??= action.backend;
        return null;
      case "set-path":
        if (facts.path !== "*") facts.setPath(fillIn(action.path, facts));
        return null;
      case "replace-prefix":
        if (facts.path.startsWith(action.prefix))
          facts.setPath(rooted(action.by + facts.path.slice(action.prefix.length)));
        return null;
    }
  }
}

function applies(when: Condition | null, unless: Condition | null, facts: RequestFacts): boolean {
  return (when === null || holds(when, facts)) && (unless === null || !holds(unless, facts));
}

function denied(status: number, fields: readonly string[] = []): RuleAnswer {
  return { status, fields, body: null, isDenied: true };
}

/** A location made of a path such as `//evil.example/` must not lead to another host. */
function withoutOtherHost(location: string): string {
  return location.replace(/^[/\\]{2,}/, "/");
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
