import type { TLSSocket } from "node:tls";

/**
 * Whether a client's certificate is good. Node takes any during the handshake of a bare TLSSocket, and its `tls.Server` asks
 * afterwards what OpenSSL found, over the same inner handle; where that cannot be asked, nobody is let in.
 */
export function isVerified(socket: TLSSocket, verify: "optional" | "required"): boolean {
  if (socket.getPeerX509Certificate() === undefined) return verify === "optional";
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("verifyError" in handle)) return false;
  const { verifyError } = handle;
  return typeof verifyError === "function" && !verifyError.call(handle);
}
