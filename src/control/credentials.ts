import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Compares a user and a password with the configured ones in a time that tells nothing about either: both sides
 * are hashed to one length, and both comparisons are always made.
 */
export function matchCredentials(
  expected: { readonly user: string; readonly password: string },
  user: string,
  password: string,
): boolean {
  const userMatches = timingSafeEqual(digest(expected.user), digest(user));
  const passwordMatches = timingSafeEqual(digest(expected.password), digest(password));
  return userMatches && passwordMatches;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
