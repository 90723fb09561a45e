/** A line for a message; what follows a word for a password is not shown. */
export function shown(words: readonly string[]): string {
  const secret = words.findIndex((word) => /pass|auth|secret|user/i.test(word));
  return (secret === -1 ? words : [...words.slice(0, secret + 1), "…"]).join(" ");
}
