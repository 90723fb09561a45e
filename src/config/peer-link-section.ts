import type { PeerLinkConfig } from "./config.js";
import type { Context } from "./context.js";
import { defaultPeerPort } from "./defaults.js";
import type { PeerLinkShape } from "./vrrp-schema.js";

/** Below this a key can be guessed from what an eavesdropper sees of one handshake. */
const shortestKey = 8;
const goodKey = 16;

/** Reads `peer_link:`. Null: it is left out, or what is there cannot be used and is reported. */
export function readPeerLink(
  shape: PeerLinkShape | undefined,
  hasVrrp: boolean,
  context: Context,
): PeerLinkConfig | null {
  if (shape === undefined) return null;
  const path = ["peer_link"];
  const port = shape.port ?? defaultPeerPort;
  if (!hasVrrp && !context.flagged(["vrrp"])) {
    context.problem(
      path,
      "peer_link has no vrrp to serve",
      "add a vrrp instance, or take peer_link out",
      "key",
    );
    return null;
  }
  if (shape.key !== undefined && shape.key_file !== undefined) {
    context.problem([...path, "key_file"], "peer_link has both key and key_file", "keep one of them", "key");
    return null;
  }
  if (shape.key_file !== undefined) {
    const file = [...path, "key_file"];
    if (!shape.key_file.startsWith("/")) {
      context.problem(file, `key_file ${shape.key_file} is not an absolute path`, "begin it with /");
      return null;
    }
    return { key: { kind: "file", path: shape.key_file }, port };
  }
  if (shape.key === undefined) {
    context.missing(
      [...path, "key"],
      "peer_link has no key",
      "add key: or key_file:, with the same secret on both nodes",
    );
    return null;
  }
  const text = context.text([...path, "key"], shape.key, "");
  const refusal = checkPeerKey(text);
  if (refusal !== null) {
    context.problem([...path, "key"], refusal.message, refusal.advice);
    return null;
  }
  if (text.length < goodKey) {
    context.warning(
      [...path, "key"],
      `the key of peer_link has only ${text.length} characters`,
      "take a long random one, such as `openssl rand -hex 32` prints",
    );
  }
  return { key: { kind: "text", text }, port };
}

/** Null: the text can be a key. Its value is not in the message: messages go to logs. */
export function checkPeerKey(text: string): { readonly message: string; readonly advice: string } | null {
  if (text.length >= shortestKey) return null;
  return {
    message: `the key of the peer link has ${text.length} characters, and at least ${shortestKey} are needed`,
    advice: "take a long random one, such as `openssl rand -hex 32` prints",
  };
}
