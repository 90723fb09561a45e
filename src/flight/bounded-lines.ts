import { Ring } from "./ring.js";

export interface LineRecord {
  /** Its place among all lines that were recorded, of whatever kind. */
  readonly number: number;
  readonly epochMs: number;
  readonly text: string;
}

/** The last lines of one kind, bounded in number and in bytes. */
export class BoundedLines {
  private readonly ring: Ring<LineRecord>;
  private bytes = 0;

  constructor(
    mostLines: number,
    private readonly mostBytes: number,
  ) {
    this.ring = new Ring(mostLines);
  }

  push(line: LineRecord): void {
    this.bytes += line.text.length - (this.ring.push(line)?.text.length ?? 0);
    while (this.bytes > this.mostBytes) this.bytes -= this.ring.shift()?.text.length ?? this.bytes;
  }

  /** Those since `sinceEpochMs`, the oldest first. */
  since(sinceEpochMs: number): LineRecord[] {
    return this.ring.items().filter(({ epochMs }) => epochMs >= sinceEpochMs);
  }
}
