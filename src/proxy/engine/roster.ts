/** Who can be on one roster: it knows its place there. */
export interface Enrolled {
  /** -1: on none. Managed by the roster. */
  rosterPlace: number;
}

/**
 * Everybody who is there now, in no order. Not a Set: that moves into a new table after every few dozen changes, and the old
 * table, dead but old, refers to the new one. So each scavenge takes the connections of all tables since the last
 * full collection for living ones and copies them: 25 ms and a quarter of the CPU where each request has its own connection.
 */
export class Roster<T extends Enrolled> {
  private readonly members: T[] = [];

  get size(): number {
    return this.members.length;
  }

  add(member: T): void {
    member.rosterPlace = this.members.length;
    this.members.push(member);
  }

  /** Does nothing to one who is not on it. */
  delete(member: T): void {
    const place = member.rosterPlace;
    if (place < 0) return;
    member.rosterPlace = -1;
    const last = this.members.pop();
    if (last === undefined || last === member) return;
    this.members[place] = last;
    last.rosterPlace = place;
  }

  /** As they are now; what changes after that changes nothing in it. */
  list(): T[] {
    return [...this.members];
  }
}
