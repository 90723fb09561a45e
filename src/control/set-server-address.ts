import { isIP } from "../config/address.js";
import type { ServerConfig } from "../config/config.js";
import type { ServerTarget } from "../proxy/health/server-target.js";

/** Where a server is, and where the configuration has it. */
export interface ServerPlace {
  readonly configured: ServerConfig;
  readonly host: string;
  readonly port: number;
  /** null: it is not checked. */
  readonly checkPort: number | null;
}

/** HAProxy's answer, and what is to be done; null: nothing. */
export interface AddressAnswer {
  readonly text: string;
  readonly target: ServerTarget | null;
}

const by = "by 'stats socket command'\n";

/**
 * `set server <b>/<s> addr <ip> [port <port>]`. An address that is no IP literal, or a port that is none, changes nothing; HAProxy
 * takes the address of such a command, and a port modulo 65536.
 */
export function setAddress(
  place: ServerPlace,
  [host, word, portWord = ""]: readonly (string | undefined)[],
): AddressAnswer {
  if (host === undefined)
    return refused("set server <b>/<s> addr requires an address and optionally a port.\n");
  if (!isIP(host)) return refused(`Invalid addr '${host}' ${by}`);
  const wantsPort = word === "port";
  const port = wantsPort ? parsePort(portWord) : place.port;
  if (port === null) return refused(`problem converting port '${portWord}' to an int ${by}`);
  const said = [
    host === place.host ? "no need to change the addr" : `IP changed from '${place.host}' to '${host}'`,
  ];
  if (wantsPort)
    said.push(
      port === place.port ? "no need to change the port" : `port changed from '${place.port}' to '${port}'`,
    );
  const isNew = host !== place.host || port !== place.port;
  return { text: `${said.join(", ")} ${by}`, target: isNew ? target(place, { host, port }) : null };
}

/** `set server <b>/<s> check-port <port>`. */
export function setCheckPort(place: ServerPlace, [word]: readonly (string | undefined)[]): AddressAnswer {
  if (place.checkPort === null) return refused("health checks are not enabled on this server\n");
  const port = word === undefined ? null : parsePort(word);
  if (port === null) return refused("set server <b>/<s> check-port requires a port from 1 to 65535.\n");
  return { text: "health check port updated.\n", target: target(place, { checkPort: port }) };
}

/** What the configuration says is no operator's word. */
function target(
  { configured, host, port, checkPort }: ServerPlace,
  changes: { readonly host?: string; readonly port?: number; readonly checkPort?: number },
): ServerTarget {
  const next = { host, port, ...changes };
  const other = <T>(value: T, own: T): T | null => (value === own ? null : value);
  const { check } = configured;
  // A check goes where connections go, unless it has a port of its own.
  const followed = check?.port === configured.port ? next.port : (check?.port ?? null);
  const wasFollowed = check?.port === configured.port ? port : (check?.port ?? null);
  const kept = checkPort === wasFollowed ? followed : checkPort;
  const nextCheckPort = changes.checkPort ?? kept;
  return {
    host: other(next.host, configured.host),
    port: other(next.port, configured.port),
    checkPort: other(nextCheckPort, followed),
  };
}

function parsePort(word: string): number | null {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

const refused = (text: string): AddressAnswer => ({ text, target: null });
