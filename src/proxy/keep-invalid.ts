import type { Connection } from "./engine/engine.js";
import type { Breach } from "./invalid-messages.js";
import type { Route } from "./route.js";

/** What broke a rule, for `show errors`; the rest of a `Breach` is the route's and the client's. */
type Broken = Pick<
  Breach,
  "kind" | "proxy" | "otherSide" | "server" | "reason" | "bytes" | "start" | "end" | "at"
>;

/** Keeps a request of `client`, or a response on its way there, that broke a rule of HTTP. */
export function keepInvalid(
  { invalid, exchangeLog, engine, limits }: Route,
  { remoteAddress, remotePort }: Connection,
  broken: Broken,
): void {
  invalid.keep({
    ...broken,
    atEpochMs: exchangeLog.epochMs(engine.now()),
    clientAddress: remoteAddress,
    clientPort: remotePort,
    maxHeadBytes: limits.maxHeadBytes,
  });
}
