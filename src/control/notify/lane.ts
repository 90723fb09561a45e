/** Does jobs one after the other, in the order of their coming. A job that fails does not stop the next one. */
export class Lane<Job> {
  private readonly queue: Job[] = [];
  private isWorking = false;
  private whenIdle: (() => void)[] = [];

  /** `work` must not reject. */
  constructor(private readonly work: (job: Job) => Promise<void>) {}

  add(job: Job): void {
    this.queue.push(job);
    if (!this.isWorking) void this.run();
  }

  get length(): number {
    return this.queue.length + (this.isWorking ? 1 : 0);
  }

  /** Resolves when nothing is left to do. */
  idle(): Promise<void> {
    if (this.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenIdle.push(resolve);
    });
  }

  private async run(): Promise<void> {
    this.isWorking = true;
    for (let job = this.queue.shift(); job !== undefined; job = this.queue.shift()) await this.work(job);
    this.isWorking = false;
    for (const wake of this.whenIdle.splice(0)) wake();
  }
}
