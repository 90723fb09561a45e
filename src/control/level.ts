import type { SocketLevel } from "../config/config.js";

const ranks: Readonly<Record<SocketLevel, number>> = { user: 0, operator: 1, admin: 2 };

/** Whether who has `level` may do what asks for `needed`: HAProxy's levels of the stats socket. */
export function mayDo(level: SocketLevel, needed: SocketLevel): boolean {
  return ranks[level] >= ranks[needed];
}

/** HAProxy's word for what one may not. */
export const permissionDenied = "Permission denied\n";
