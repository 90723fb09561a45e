import type { Server } from "node:net";

/** What `net.Socket` takes as its `handle`. */
export type SocketHandle = object;

type Accept = (status: number, handle: SocketHandle | undefined) => void;

/**
 * A `net.Server` makes the sockets of its clients itself, and a socket of its making receives each time into memory of its own. What
 * the listening handle tells the server of goes to `accepted` instead; with a negative status, the errno, `handle` is not there. False:
 * this Node has no such handle, and the server makes its sockets. Call it when the server listens.
 */
export function takeHandles(server: Server, accepted: Accept): boolean {
  const listening: unknown = Reflect.get(server, "_handle");
  if (typeof listening !== "object" || listening === null) return false;
  if (typeof Reflect.get(listening, "onconnection") !== "function") return false;
  return Reflect.set(listening, "onconnection", accepted);
}
