/** A name as `lb.yaml` takes it: other characters become `-`, and 64 are the most. */
export function plainName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.:-]/g, "-").slice(0, 64);
  return plain === "" ? "unnamed" : plain;
}

/** The first of `name`, `name-2`, `name-3`, … that is free. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const plain = plainName(name);
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? plain : `${plain.slice(0, 60)}-${i}`;
    if (!taken.has(candidate)) return candidate;
  }
}
