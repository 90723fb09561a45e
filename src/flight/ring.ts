/** The last `size` items. */
export class Ring<T> {
  private slots: (T | undefined)[] = [];
  private first = 0;
  private count = 0;

  constructor(private readonly size: number) {}

  /** The item that had to go, if one had to. */
  push(item: T): T | undefined {
    const gone = this.count === this.size ? this.shift() : undefined;
    this.slots[(this.first + this.count) % this.size] = item;
    this.count++;
    return gone;
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.slots[this.first];
    this.slots[this.first] = undefined;
    this.first = (this.first + 1) % this.size;
    this.count--;
    return item;
  }

  items(): T[] {
    const items: T[] = [];
    for (let i = 0; i < this.count; i++) {
      const item = this.slots[(this.first + i) % this.size];
      if (item !== undefined) items.push(item);
    }
    return items;
  }
}
