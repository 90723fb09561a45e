import type { LoopTimer } from "../engine.js";
import type { Timed, TimerWheel } from "../timer-wheel.js";

/** A callback on a timer wheel, once or again and again. */
export class WheelTimer implements LoopTimer, Timed {
  dueMs = Infinity;
  wheelTick = -1;
  wheelPrevious: Timed | null = null;
  wheelNext: Timed | null = null;

  /** `everyMs` 0: once. */
  constructor(
    private readonly wheel: TimerWheel,
    private readonly everyMs: number,
    private readonly callback: () => void,
  ) {}

  fire(nowMs: number): void {
    if (this.everyMs > 0) this.wheel.arm(this, nowMs + this.everyMs);
    this.callback();
  }

  cancel(): void {
    this.wheel.remove(this);
  }
}
