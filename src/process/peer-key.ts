import { readFileSync } from "node:fs";
import type { Config, PeerLinkConfig } from "../config/config.js";
import { checkPeerKey } from "../config/peer-link-section.js";
import { LbError } from "../errors.js";
import { stretchKey } from "../peer-link/keys.js";
import type { PeerLinkSettings } from "../vrrp/speaker-peers.js";

/** The secret of the peer link as it was read last: its file may have another content after a reload. */
export class PeerSecret {
  #text: string | null = null;
  #key: Uint8Array = new Uint8Array(0);

  /** Whether this configuration, or the file that it names, has another secret than `settings` was given. Throws LbError LB_PEER_KEY. */
  differs({ peerLink }: Config): boolean {
    return this.#text !== (peerLink === null ? null : readPeerKey(peerLink));
  }

  /** What VRRP needs for the peer link; null: there is none. Throws LbError LB_PEER_KEY. */
  settings({ node, peerLink, drainTimeoutMs }: Config): PeerLinkSettings | null {
    if (peerLink === null) {
      this.#text = null;
      return null;
    }
    const text = readPeerKey(peerLink);
    // Tens of milliseconds of this thread's time: not without need.
    if (text !== this.#text) this.#key = stretchKey(text);
    this.#text = text;
    return { node, key: this.#key, port: peerLink.port, drainMs: drainTimeoutMs };
  }
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
