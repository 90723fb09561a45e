/** At most `count` events per `windowMs`; says how many were left out. Pure: time comes in. */
export class RateLimit {
  private windowStartMs = Number.NEGATIVE_INFINITY;
  private admitted = 0;
  private leftOut = 0;

  constructor(
    private readonly count: number,
    private readonly windowMs: number,
  ) {}

  /** The number of events left out since the last admitted one, or null when this one is left out too. */
  admit(nowMs: number): number | null {
    if (nowMs - this.windowStartMs >= this.windowMs) {
      this.windowStartMs = nowMs;
      this.admitted = 0;
    }
    if (this.admitted >= this.count) {
      this.leftOut++;
      return null;
    }
    this.admitted++;
    const suppressed = this.leftOut;
    this.leftOut = 0;
    return suppressed;
  }
}
