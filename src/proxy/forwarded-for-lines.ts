/** Addresses that are remembered; a crowd of others makes the memory begin anew. */
const mostLines = 4_096;

/** `X-Forwarded-For` lines by client address: the same clients come again and again. */
export class ForwardedForLines {
  private readonly lines = new Map<string, Uint8Array>();

  /** Line with its end; not to be changed. */
  line(address: string): Uint8Array {
    const known = this.lines.get(address);
    if (known !== undefined) return known;
    const line = Buffer.from(`X-Forwarded-For: ${address}\r\n`);
    if (this.lines.size === mostLines) this.lines.clear();
    this.lines.set(address, line);
    return line;
  }
}
