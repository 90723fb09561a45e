/**
 * How often one address may try passwords: `most` wrong ones in `windowMs`, and then none for as long. Pure: time comes
 * in. Bounded: where more addresses fail than it remembers, the one that failed first is forgotten.
 */
export class LoginLimit {
  private readonly failures = new Map<string, { count: number; untilMs: number }>();

  constructor(
    private readonly most = 10,
    private readonly windowMs = 60_000,
    private readonly mostAddresses = 1024,
  ) {}

  /** A wrong password from there. */
  fail(address: string, nowMs: number): void {
    const known = this.failures.get(address);
    if (known !== undefined && known.untilMs > nowMs) {
      known.count++;
      // Who goes on trying waits on.
      if (known.count >= this.most) known.untilMs = nowMs + this.windowMs;
      return;
    }
    this.failures.delete(address);
    if (this.failures.size >= this.mostAddresses) {
      for (const oldest of this.failures.keys()) {
        this.failures.delete(oldest);
        break;
      }
    }
    this.failures.set(address, { count: 1, untilMs: nowMs + this.windowMs });
  }

  /** The right one: what was mistyped before is forgotten. */
  succeed(address: string): void {
    this.failures.delete(address);
  }

  /** How long this address has to wait before its next try; 0: not at all. */
  waitMs(address: string, nowMs: number): number {
    const known = this.failures.get(address);
    if (known === undefined || known.count < this.most) return 0;
    return Math.max(0, known.untilMs - nowMs);
  }
}
