/** The servers that a request has been at. One object serves all requests of a connection, without allocation. */
export class Tried {
  private readonly servers: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(server: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.servers[i] === server) return true;
    return false;
  }

  add(server: number): void {
    this.servers[this.count++] = server;
  }

  copy(other: Tried): void {
    this.clear();
    for (let i = 0; i < other.count; i++) this.add(other.servers[i]);
  }

  clear(): void {
    this.count = 0;
  }
}
