/** An answer that takes longer makes those behind it wait for nothing that they gain. */
const fastMs = 10;
/** As many answers must have been seen before a server is known at all. */
const enough = 32;
/** A server that has let somebody wait is left alone for so long. */
const suspensionMs = 1_000;

/** Whether requests to a server may be answered one behind the other. Pure: times are handed in. */
export class Fitness {
  private answers = 0;
  /** Of the last dozens of answers; ms. */
  private usualMs = 0;
  private suspendedUntilMs = -Infinity;

  answered(answerMs: number): void {
    this.answers++;
    this.usualMs += (answerMs - this.usualMs) / 16;
  }

  /** Somebody would have waited behind another's answer. */
  suspend(nowMs: number): void {
    this.suspendedUntilMs = nowMs + suspensionMs;
  }

  isFit(nowMs: number): boolean {
    return this.answers >= enough && this.usualMs <= fastMs && nowMs >= this.suspendedUntilMs;
  }
}
