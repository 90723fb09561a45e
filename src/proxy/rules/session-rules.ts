import { addressBytes, isInRange } from "../../config/address-range.js";
import type { Condition, Rule } from "../../config/rule-config.js";
import { matchesHost } from "./condition.js";

/**
 * Which backend serves a session of `mode: tcp`: HAProxy's use_backend with `src` and `req.ssl_sni`, the name that a TLS client
 * says first. Pure.
 */
export class SessionRules {
  /** The client's first message has to be waited for. */
  readonly asksName: boolean;

  constructor(private readonly rules: readonly Rule[]) {
    this.asksName = rules.some(
      ({ when, unless }) => when?.serverNames !== undefined || unless?.serverNames !== undefined,
    );
  }

  /** Of the first rule that applies; null: none does. `serverName` null: the client has said none. */
  backendFor(source: string, serverName: string | null): string | null {
    const address = addressBytes(source.replace(/%.*$/, ""));
    const name = serverName?.toLowerCase() ?? null;
    for (const { when, unless, action } of this.rules) {
      if (action.kind !== "use-backend") continue;
      if (when !== null && !holds(when, address, name)) continue;
      if (unless !== null && holds(unless, address, name)) continue;
      return action.backend;
    }
    return null;
  }
}

function holds(
  { sources, serverNames }: Condition,
  address: Uint8Array | null,
  name: string | null,
): boolean {
  if (sources !== undefined && (address === null || !sources.some((range) => isInRange(address, range))))
    return false;
  return (
    serverNames === undefined || (name !== null && serverNames.some((wanted) => matchesHost(wanted, name)))
  );
}
