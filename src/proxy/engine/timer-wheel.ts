/**
 * Deadlines for very many connections: arming, re-arming and disarming cost a store, because almost every
 * deadline is moved before it fires.
 *
 * A hashed wheel with lazy entries: an entry lies in the slot of its earliest known due time. Moving the due time
 * later leaves it there; when its slot comes up it is put where it now belongs. Pure: time comes in.
 */
export interface Timed {
  /** When the deadline fires, ms; Infinity: disarmed. */
  dueMs: number;
  /** Managed by the wheel: the tick of the slot that the entry lies in, -1 while it lies in none. */
  wheelTick: number;
  wheelPrevious: Timed | null;
  wheelNext: Timed | null;
}

const slotCount = 2048;

export class TimerWheel {
  readonly tickMs: number;
  /** Entries that lie in a slot, disarmed ones included: 0 means that nobody need call `advance`. */
  size = 0;
  private readonly slots: (Timed | null)[] = new Array<Timed | null>(slotCount).fill(null);
  private currentTick: number;

  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs;
    this.currentTick = Math.floor(nowMs / tickMs);
  }

  /** (Re)arms: `entry` fires on the first `advance` at or after `dueMs`, at most one tick late. */
  arm(entry: Timed, dueMs: number): void {
    entry.dueMs = dueMs;
    if (entry.wheelTick >= 0) {
      if (entry.wheelTick * this.tickMs <= dueMs) return;
      this.unlink(entry);
    }
    this.link(entry);
  }

  /** The entry stays in its slot until that comes up, so that arming it again is cheap. */
  disarm(entry: Timed): void {
    entry.dueMs = Infinity;
  }

  /** Takes the entry out of the wheel altogether (its owner is gone). */
  remove(entry: Timed): void {
    entry.dueMs = Infinity;
    if (entry.wheelTick >= 0) this.unlink(entry);
  }

  /** ms until `advance` may have something to fire, at most `atMostMs`. */
  msToNext(nowMs: number, atMostMs: number): number {
    const last = Math.floor((nowMs + atMostMs) / this.tickMs);
    for (let tick = this.currentTick; tick <= last; tick++) {
      if (this.slots[tick & (slotCount - 1)] !== null) return Math.max(0, tick * this.tickMs - nowMs);
    }
    return atMostMs;
  }

  /** Fires every entry that is due at `nowMs`. `fire` may arm, disarm and remove any entry. */
  advance(nowMs: number, fire: (entry: Timed) => void): void {
    const target = Math.floor(nowMs / this.tickMs);
    if (target < this.currentTick) return;
    // After a long stall every slot is looked at once, not once per missed tick.
    const first = Math.max(this.currentTick, target - slotCount + 1);
    for (let tick = first; tick <= target; tick++) {
      const slot = tick & (slotCount - 1);
      let entry = this.slots[slot];
      this.slots[slot] = null;
      this.currentTick = tick;
      // The whole list is taken off first: entries that `fire` arms again may land in this very slot.
      const due: Timed[] = [];
      while (entry !== null) {
        const next: Timed | null = entry.wheelNext;
        entry.wheelTick = -1;
        entry.wheelPrevious = null;
        entry.wheelNext = null;
        this.size--;
        due.push(entry);
        entry = next;
      }
      this.currentTick = tick + 1;
      for (const candidate of due) {
        if (candidate.wheelTick >= 0 || candidate.dueMs === Infinity) continue;
        if (candidate.dueMs <= nowMs) {
          candidate.dueMs = Infinity;
          fire(candidate);
        } else {
          this.link(candidate);
        }
      }
    }
    this.currentTick = target + 1;
  }

  private link(entry: Timed): void {
    const wanted = Math.ceil(entry.dueMs / this.tickMs);
    const tick = Math.min(Math.max(wanted, this.currentTick), this.currentTick + slotCount - 1);
    const slot = tick & (slotCount - 1);
    const head = this.slots[slot];
    entry.wheelTick = tick;
    entry.wheelPrevious = null;
    entry.wheelNext = head;
    if (head !== null) head.wheelPrevious = entry;
    this.slots[slot] = entry;
    this.size++;
  }

  private unlink(entry: Timed): void {
    if (entry.wheelPrevious !== null) entry.wheelPrevious.wheelNext = entry.wheelNext;
    else this.slots[entry.wheelTick & (slotCount - 1)] = entry.wheelNext;
    if (entry.wheelNext !== null) entry.wheelNext.wheelPrevious = entry.wheelPrevious;
    entry.wheelTick = -1;
    entry.wheelPrevious = null;
    entry.wheelNext = null;
    this.size--;
  }
}
