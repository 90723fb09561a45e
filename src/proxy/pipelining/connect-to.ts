import type { Exchange } from "../exchange.js";
import type { Route } from "../route.js";
import { UpstreamConnection } from "../upstream-connection.js";
import type { UpstreamPool } from "../upstream-pool.js";
import { SharedConnection } from "./shared-connection.js";

/** Opens a connection to `server` for `exchange`; it rests in `pool` afterwards, where others may come to share it. */
export function connectTo(
  route: Route,
  server: number,
  exchange: Exchange,
  pool: UpstreamPool,
): UpstreamConnection {
  const { pipelines } = route.backend;
  if (pipelines === null || pool !== route.backend.pool)
    return new UpstreamConnection(route, server, exchange, pool);
  return new SharedConnection(route, server, exchange, pool, pipelines);
}
