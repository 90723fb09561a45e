import type { Inquiry, InquiryPart } from "../process/inquiry.js";

/** What the data threads tell, part by part, and at the end how many of them did not tell everything. */
export type Told = InquiryPart | { readonly kind: "end"; readonly silent: number };

/** Asks the data threads, through the main thread. */
export class Inquirer {
  private last = 0;
  private readonly open = new Map<number, { readonly told: Told[]; wake: () => void }>();

  constructor(private readonly post: (id: number, inquiry: Inquiry) => void) {}

  /** Ends with `end`. What the reader has not taken yet waits here. */
  async *ask(inquiry: Inquiry): AsyncGenerator<Told> {
    const id = ++this.last;
    const one = { told: [] as Told[], wake: () => {} };
    this.open.set(id, one);
    try {
      this.post(id, inquiry);
      for (;;) {
        const next = one.told.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            one.wake = resolve;
          });
          continue;
        }
        yield next;
        if (next.kind === "end") return;
      }
    } finally {
      this.open.delete(id);
    }
  }

  /** The main thread passes on what was told; `part` null: that was all. */
  take(id: number, part: InquiryPart | null, silent: number): void {
    const one = this.open.get(id);
    if (one === undefined) return;
    one.told.push(part ?? { kind: "end", silent });
    one.wake();
  }
}
