import { createHash, timingSafeEqual } from "node:crypto";
import type { User } from "../../config/rule-config.js";

/** Of equal length for all users and guesses, so that the time of a comparison tells nothing. */
export type Credential = Buffer;

export function credentialOf({ name, password }: User): Credential {
  return digest(Buffer.from(`${name}:${password}`, "utf8"));
}

function digest(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** Whether `Authorization: Basic …` holds one of them (RFC 7617). */
export function isKnown(credentials: readonly Credential[], authorization: string | null): boolean {
  const match = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization ?? "");
  if (match === null) return false;
  const guess = digest(Buffer.from(match[1], "base64"));
  // All of them, whichever fits: no early end.
  return credentials.reduce((found, credential) => timingSafeEqual(credential, guess) || found, false);
}
