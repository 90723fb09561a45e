/** How the last streams of a connection ended, for what still comes on them (RFC 9113 §5.1). Pure. */

const remembered = 128;

export class ClosedStreams {
  /** Numbers of streams; negative: we have reset it. */
  private readonly places = new Int32Array(remembered);
  private next = 0;

  add(id: number, isOurs: boolean): void {
    this.places[this.next] = isOurs ? -id : id;
    this.next = (this.next + 1) % remembered;
  }

  /** "ours": we have reset it, and what is on its way is to be ignored. "unknown": it is long gone, or never was. */
  endOf(id: number): "ours" | "whole" | "unknown" {
    if (this.places.includes(-id)) return "ours";
    return this.places.includes(id) ? "whole" : "unknown";
  }
}
