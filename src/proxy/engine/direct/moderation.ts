/**
 * Interrupt moderation, as network cards have it. Where events come one by one but densely, each of them puts this thread to
 * sleep and wakes it again, and each answer wakes somebody else: waits of a moment let them come together. It takes 6 to 9 %
 * of the CPU from a request on a busy proxy (docs/performance.md), adds at most `pauseUs` to an answer, and does nothing where
 * little comes, or where so much comes at once that the thread has no time to sleep.
 */
export const pauseUs = 100;

const windowMs = 5;
/** 50,000 a second: two for each request, and two for each response with its request. */
const denseEvents = 250;
/** So many at once are enough to go on with. */
const plentyEvents = 24;

/** Whether the loop should wait a moment before it asks for events. Pure: counts and times are handed in. */
export class Moderation {
  private windowBeganMs = 0;
  private events = 0;
  private isDense = false;
  private lastEvents = 0;

  /** A turn had so many events. */
  note(events: number, nowMs: number): void {
    this.events += events;
    this.lastEvents = events;
    const elapsedMs = nowMs - this.windowBeganMs;
    if (elapsedMs < windowMs) return;
    this.isDense = elapsedMs < 2 * windowMs && this.events >= denseEvents;
    this.events = 0;
    this.windowBeganMs = nowMs;
  }

  get shouldPause(): boolean {
    return this.isDense && this.lastEvents < plentyEvents;
  }
}
