import { addressBytes, isInRange } from "../config/address-range.js";
import { defaultForwardForHeader, type ForwardForConfig } from "../config/forwardfor-section.js";

/** Addresses that are remembered; a crowd of others makes the memory begin anew. */
const mostLines = 4_096;
const noLine = new Uint8Array(0);

/** The lines that tell servers who a client is, by client address: the same clients come again and again. */
export class ForwardedForLines {
  /** The field's name in small letters, where requests that have it already go on as they are; null: they get a line as well. */
  readonly unless: Uint8Array | null;
  private readonly lines = new Map<string, Uint8Array>();

  /** `config` null: nobody gets a line; undefined: everybody gets X-Forwarded-For. */
  constructor(private readonly config: ForwardForConfig | null | undefined) {
    this.unless = config?.ifNone === true ? Buffer.from(config.header.toLowerCase(), "latin1") : null;
  }

  /** Line with its end, or nothing; not to be changed. */
  line(address: string): Uint8Array {
    const known = this.lines.get(address);
    if (known !== undefined) return known;
    const line = this.write(address);
    if (this.lines.size === mostLines) this.lines.clear();
    this.lines.set(address, line);
    return line;
  }

  private write(address: string): Uint8Array {
    const { config } = this;
    if (config === null) return noLine;
    const bytes = addressBytes(address);
    if (bytes !== null && config?.except.some((range) => isInRange(bytes, range)) === true) return noLine;
    return Buffer.from(`${config?.header ?? defaultForwardForHeader}: ${address}\r\n`);
  }
}
