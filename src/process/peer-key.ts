import { readFileSync } from "node:fs";
import type { Config, PeerLinkConfig } from "../config/config.js";
import { checkPeerKey } from "../config/peer-link-section.js";
import { LbError } from "../errors.js";
import { stretchKey } from "../peer-link/keys.js";
import type { PeerLinkSettings } from "../vrrp/speaker-peers.js";

/** The secret of the peer link as it was read: its file may have another content at the next reload. Immutable. */
export class PeerSecret {
  static readonly none = new PeerSecret(null, new Uint8Array(0));

  private constructor(
    /** null: there is no peer link. */
    private readonly text: string | null,
    private readonly key: Uint8Array,
  ) {}

  /** This one, if the configuration and the file that it may name still say the same. Throws LbError LB_PEER_KEY. */
  readAgain({ peerLink }: Config): PeerSecret {
    const text = peerLink === null ? null : readPeerKey(peerLink);
    if (text === this.text) return this;
    // Tens of milliseconds of this thread's time: not without need.
    return text === null ? PeerSecret.none : new PeerSecret(text, stretchKey(text));
  }

  /** What VRRP needs for the peer link; null: there is none. */
  settings({ node, peerLink, drainTimeoutMs }: Config): PeerLinkSettings | null {
    return peerLink === null ? null : { node, key: this.key, port: peerLink.port, drainMs: drainTimeoutMs };
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
