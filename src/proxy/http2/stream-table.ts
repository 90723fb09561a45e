import type { Http2Stream } from "./stream.js";

const buckets = 64;

/**
 * The open streams of a connection, by their numbers. No Map: that moves into a new table after every few dozen changes, with the
 * cost that `engine/roster.ts` tells of.
 */
export class StreamTable {
  size = 0;
  private readonly heads: (Http2Stream | null)[] = new Array<Http2Stream | null>(buckets).fill(null);

  get(id: number): Http2Stream | null {
    let stream = this.heads[(id >> 1) % buckets];
    while (stream !== null && stream.id !== id) stream = stream.nextInBucket;
    return stream;
  }

  add(stream: Http2Stream): void {
    const bucket = (stream.id >> 1) % buckets;
    stream.nextInBucket = this.heads[bucket];
    this.heads[bucket] = stream;
    this.size++;
  }

  delete(stream: Http2Stream): void {
    const bucket = (stream.id >> 1) % buckets;
    let before: Http2Stream | null = null;
    for (let at = this.heads[bucket]; at !== null; at = at.nextInBucket) {
      if (at === stream) {
        if (before === null) this.heads[bucket] = at.nextInBucket;
        else before.nextInBucket = at.nextInBucket;
        at.nextInBucket = null;
        this.size--;
        return;
      }
      before = at;
    }
  }

  /** As they are now, the oldest first. */
  list(): Http2Stream[] {
    const all: Http2Stream[] = [];
    for (const head of this.heads) for (let at = head; at !== null; at = at.nextInBucket) all.push(at);
    return all.sort((a, b) => a.id - b.id);
  }
}
