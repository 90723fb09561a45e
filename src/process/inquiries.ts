import type { Inquiry, InquiryPart } from "./inquiry.js";

/** Who hears what the threads tell. */
export interface InquiryListener {
  onPart(part: InquiryPart): void;
  /** Once, and last. `silent`: threads that were asked and have not told everything. */
  onEnd(silent: number): void;
}

/** How a thread is asked and told to go on. */
export interface Inquired {
  inquire(id: number, inquiry: Inquiry): void;
}

/** A thread that tells nothing for so long is not waited for: it may be stuck, or have died. */
const silenceMs = 2_000;

/** Inquiries that the data threads have not answered yet: each goes to several threads and ends when all have told everything. */
export class Inquiries {
  private last = 0;
  private readonly open = new Map<
    number,
    { readonly listener: InquiryListener; waiting: number; timer: NodeJS.Timeout }
  >();

  ask(threads: readonly Inquired[], inquiry: Inquiry, listener: InquiryListener): void {
    if (threads.length === 0) {
      listener.onEnd(0);
      return;
    }
    const id = ++this.last;
    this.open.set(id, { listener, waiting: threads.length, timer: this.deadline(id) });
    for (const thread of threads) thread.inquire(id, inquiry);
  }

  /** A thread tells something. */
  told(id: number, part: InquiryPart, isLast: boolean): void {
    const one = this.open.get(id);
    if (one === undefined) return;
    clearTimeout(one.timer);
    one.timer = this.deadline(id);
    one.listener.onPart(part);
    if (isLast && --one.waiting === 0) this.end(id);
  }

  private deadline(id: number): NodeJS.Timeout {
    return setTimeout(() => this.end(id), silenceMs).unref();
  }

  private end(id: number): void {
    const one = this.open.get(id);
    if (one === undefined) return;
    this.open.delete(id);
    clearTimeout(one.timer);
    one.listener.onEnd(one.waiting);
  }
}
