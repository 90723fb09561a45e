import { readFileSync } from "node:fs";
import type { Config, PeerLinkConfig } from "../config/config.js";
import { checkPeerKey } from "../config/peer-link-section.js";
import { LbError } from "../errors.js";
import { stretchKey } from "../peer-link/keys.js";
import type { PeerLinkSettings } from "../vrrp/speaker-peers.js";

/** What VRRP needs for the peer link; null: there is none. Throws LbError LB_PEER_KEY. */
export function peerLinkSettings({ node, peerLink, drainTimeoutMs }: Config): PeerLinkSettings | null {
  if (peerLink === null) return null;
  return { node, key: stretchKey(readPeerKey(peerLink)), port: peerLink.port, drainMs: drainTimeoutMs };
}

/** The secret of the peer link, from the configuration or from its file. Throws LbError LB_PEER_KEY. */
export function readPeerKey({ key }: PeerLinkConfig): string {
  if (key.kind === "text") return key.text;
  let text: string;
  try {
    text = readFileSync(key.path, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new LbError(
      "LB_PEER_KEY",
      `the peer link's key_file ${key.path} cannot be read (${reason})`,
      "check that it is there and that this user may read it",
      { cause: error },
    );
  }
  const refusal = checkPeerKey(text);
  if (refusal !== null) throw new LbError("LB_PEER_KEY", `${key.path}: ${refusal.message}`, refusal.advice);
  return text;
}
