/** What `QueuePoll` needs of an engine. */
export interface Polled {
  poll(callback: (() => void) | null): void;
}

/**
 * Has the queues of a data thread in which somebody waits looked at every few ms: a place that another thread gave back is
 * found by that. Nobody waits: nothing is done.
 */
export class QueuePoll {
  private readonly queues = new Set<{ look(): void }>();

  constructor(private readonly engine: Polled) {}

  join(queue: { look(): void }): void {
    if (this.queues.size === 0) this.engine.poll(() => this.look());
    this.queues.add(queue);
  }

  leave(queue: { look(): void }): void {
    this.queues.delete(queue);
    if (this.queues.size === 0) this.engine.poll(null);
  }

  private look(): void {
    for (const queue of [...this.queues]) queue.look();
  }
}
