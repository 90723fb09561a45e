import { errnoName } from "../../../netlink/errno.js";
import type { Acceptor, Listener, LoopTimer } from "../engine.js";
import type { DirectEngine } from "./direct-engine.js";
import { Epoll, Errno } from "./kernel.js";

/** Accepted on one turn, so that those who are served already get theirs. */
const acceptsPerTurn = 64;
/** How long the kernel is left alone when it could not give a connection. */
const backOffMs = 100;
/** How often it is asked whether one more may come, when nobody says so. */
const askAgainMs = 50;

/** A listening socket of the whole process: each data thread has it in its own epoll, and one of them is woken per client. */
export class DirectListener implements Listener {
  slot = -1;
  private watched = false;
  private closed = false;
  private backingOff = false;
  private asking: LoopTimer | null = null;

  constructor(
    private readonly engine: DirectEngine,
    readonly fd: number,
    private readonly acceptor: Acceptor,
  ) {
    engine.kernel.adopt(fd);
    engine.kernel.setNoDelay(fd);
  }

  admitAgain(): void {
    if (!this.watched && !this.backingOff && !this.closed && this.acceptor.admits()) this.watch();
  }

  pause(): void {
    if (!this.closed) this.wait(askAgainMs);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.asking?.cancel();
    this.unwatch();
    this.engine.forgetListener(this);
    this.engine.kernel.close(this.fd);
  }

  onEvents(): void {
    const { kernel } = this.engine;
    for (let i = 0; i < acceptsPerTurn && !this.closed; i++) {
      if (!this.acceptor.admits()) {
        this.wait(askAgainMs);
        return;
      }
      const fd = kernel.accept(this.fd);
      if (fd >= 0) {
        this.engine.accepted(fd, this.acceptor);
        continue;
      }
      if (fd === -Errno.again) return;
      if (!isShortage(-fd)) continue;
      this.acceptor.failed(errnoName(-fd));
      this.backingOff = true;
      this.wait(backOffMs);
      return;
    }
  }

  /** Begins to be told of clients, as soon as one may come. */
  begin(): void {
    if (this.acceptor.admits()) this.watch();
    else this.wait(askAgainMs);
  }

  private watch(): void {
    if (this.watched || this.closed) return;
    const error = this.engine.kernel.watch(this.fd, Epoll.in | Epoll.exclusive, this.slot);
    if (error < 0) throw new Error(`a listening socket cannot be watched: ${errnoName(-error)}`);
    this.watched = true;
    this.asking?.cancel();
    this.asking = null;
  }

  /** Not to be woken by clients who must wait anyway. */
  private wait(ms: number): void {
    this.unwatch();
    this.asking?.cancel();
    this.asking = this.engine.after(ms, () => {
      this.backingOff = false;
      if (this.acceptor.admits()) this.watch();
      else this.wait(askAgainMs);
    });
  }

  private unwatch(): void {
    if (!this.watched) return;
    this.watched = false;
    this.engine.kernel.unwatch(this.fd);
  }
}

/** What the kernel is short of, as opposed to what one client did (accept(2)). */
function isShortage(errno: number): boolean {
  return (
    errno === Errno.tooManyOpen ||
    errno === Errno.tooManyOpenInSystem ||
    errno === Errno.noBuffers ||
    errno === Errno.noMemory
  );
}
