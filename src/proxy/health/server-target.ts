import type { ServerConfig } from "../../config/server-config.js";
import { formatIpLiteral, parseIpLiteral } from "../../netlink/ip-literal.js";

/** Where an operator has sent a server's connections (HAProxy's `set server … addr`); null: where the configuration says. */
export interface ServerTarget {
  /** IPv4 or IPv6 literal. */
  readonly host: string | null;
  readonly port: number | null;
  readonly checkPort: number | null;
}

/** Its seven cells, from the first of them on. */
const TargetCell = {
  /** 4, 6, or 0 for the configuration's address. */
  family: 0,
  /** As many words of 32 bits as it has. */
  address: 1,
  /** 0: the configuration's. */
  port: 5,
  checkPort: 6,
} as const;

export function readTarget(cells: Float64Array, at: number): ServerTarget {
  const family = cells[at + TargetCell.family];
  const bytes = Buffer.alloc(family === 4 ? 4 : 16);
  for (let i = 0; i * 4 < bytes.length; i++) bytes.writeUInt32BE(cells[at + TargetCell.address + i], i * 4);
  return {
    host: family === 0 ? null : formatIpLiteral(bytes),
    port: cells[at + TargetCell.port] || null,
    checkPort: cells[at + TargetCell.checkPort] || null,
  };
}

export function writeTarget(cells: Float64Array, at: number, { host, port, checkPort }: ServerTarget): void {
  const bytes = host === null ? null : parseIpLiteral(host);
  cells[at + TargetCell.family] = bytes === null ? 0 : bytes.length === 4 ? 4 : 6;
  if (bytes !== null)
    for (let i = 0; i * 4 < bytes.length; i++)
      cells[at + TargetCell.address + i] = Buffer.from(bytes).readUInt32BE(i * 4);
  cells[at + TargetCell.port] = port ?? 0;
  cells[at + TargetCell.checkPort] = checkPort ?? 0;
}

/**
 * The server's configuration with an operator's address in it; the very same object where there is none. A check that goes to
 * the server's own port follows it.
 */
export function withTarget(config: ServerConfig, { host, port, checkPort }: ServerTarget): ServerConfig {
  if (host === null && port === null && checkPort === null) return config;
  const { check } = config;
  const followed = check !== undefined && check.port === config.port && port !== null ? port : check?.port;
  return {
    ...config,
    host: host ?? config.host,
    port: port ?? config.port,
    ...(check !== undefined && { check: { ...check, port: checkPort ?? followed ?? check.port } }),
  };
}
