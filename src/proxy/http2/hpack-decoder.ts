/**
 * Reads header blocks (RFC 7541 §3, §6). Pure. A list that gets longer than it may be is read to its end all the same, for the
 * table has to stay the same on both sides, but nothing of it is kept.
 */
import { ConnectionFault } from "./fault.js";
import { ErrorCode } from "./frame.js";
import { decodedBound, decodeHuffman } from "./huffman.js";
import { staticEntries, staticNames, staticValues } from "./static-table.js";

/** What we allow for the table of what clients send: what it is unless SETTINGS say otherwise (RFC 9113 §6.5.2). */
export const tableBytes = 4096;
/** What an entry counts beside its name and value (§4.1). */
export const entryOverheadBytes = 32;

export interface ListLimits {
  /** Most bytes of names and values, with `entryOverheadBytes` for each field (RFC 9113 §6.5.2). */
  readonly maxListBytes: number;
  readonly maxFields: number;
}

/** No integer needs more here, and none gets larger than a number can be (§5.1). */
const mostIntegerBits = 28;

/** Strings are decoded here; used within one call. */
let room = Buffer.allocUnsafe(4096);

export class HpackDecoder {
  /** A ring of entries, the latest at `last`. */
  private readonly names: string[] = new Array<string>(tableBytes / entryOverheadBytes).fill("");
  private readonly values: string[] = new Array<string>(tableBytes / entryOverheadBytes).fill("");
  private last = 0;
  private count = 0;
  private size = 0;
  private limit = tableBytes;

  private bytes: Uint8Array = room;
  private text = room;
  private at = 0;
  private end = 0;

  constructor(private readonly limits: ListLimits) {}

  /**
   * The fields of a whole block: names and values by turns, one character a byte. null: there are more of them than the
   * limits allow.
   *
   * @throws ConnectionFault COMPRESSION_ERROR: the two tables cannot be the same any more (RFC 9113 §4.3)
   */
  decode(bytes: Uint8Array, start: number, end: number): string[] | null {
    this.bytes = bytes;
    this.text =
      bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
    const fields: string[] = [];
    let listBytes = 0;
    let isTooLong = false;
    let mayResize = true;
    while (this.at < this.end) {
      const first = bytes[this.at];
      if ((first & 0xe0) === 0x20) {
        if (!mayResize) throw broken("a table is resized behind a field");
        this.resize(this.integer(5));
        continue;
      }
      mayResize = false;
      let name: string;
      let value: string;
      if ((first & 0x80) !== 0) {
        const index = this.integer(7);
        name = this.nameAt(index);
        value = this.valueAt(index);
      } else {
        const isIndexed = (first & 0x40) !== 0;
        const index = this.integer(isIndexed ? 6 : 4);
        name = index === 0 ? this.string() : this.nameAt(index);
        value = this.string();
        if (isIndexed) this.insert(name, value);
      }
      listBytes += name.length + value.length + entryOverheadBytes;
      if (listBytes > this.limits.maxListBytes || fields.length >= 2 * this.limits.maxFields)
        isTooLong = true;
      else fields.push(name, value);
    }
    return isTooLong ? null : fields;
  }

  /** §5.1. The prefix is the last `bits` of the byte that comes next. */
  private integer(bits: number): number {
    const { bytes } = this;
    const most = (1 << bits) - 1;
    let value = bytes[this.at++] & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.at >= this.end) throw broken("an integer breaks off");
      if (shift >= mostIntegerBits) throw broken("an integer is too large");
      const byte = bytes[this.at++];
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  }

  /** §5.2. */
  private string(): string {
    if (this.at >= this.end) throw broken("a string is missing");
    const isHuffman = (this.bytes[this.at] & 0x80) !== 0;
    const length = this.integer(7);
    const { bytes, at } = this;
    const after = at + length;
    if (after > this.end) throw broken("a string breaks off");
    this.at = after;
    if (!isHuffman) return this.text.toString("latin1", at, after);
    const bound = decodedBound(length);
    if (bound > room.length) room = Buffer.allocUnsafe(2 * bound);
    const decoded = decodeHuffman(bytes, at, after, room, 0);
    if (decoded < 0) throw broken("a string is not in the Huffman code");
    return room.toString("latin1", 0, decoded);
  }

  private nameAt(index: number): string {
    return index <= staticEntries ? this.staticPart(staticNames, index) : this.names[this.place(index)];
  }

  private valueAt(index: number): string {
    return index <= staticEntries ? this.staticPart(staticValues, index) : this.values[this.place(index)];
  }

  private staticPart(parts: readonly string[], index: number): string {
    if (index === 0) throw broken("index 0");
    return parts[index];
  }

  /** Where the ring has the entry that §2.3.3 numbers so. */
  private place(index: number): number {
    const back = index - staticEntries - 1;
    if (back >= this.count) throw broken(`no entry ${index}`);
    const { length } = this.names;
    return (this.last - back + length) % length;
  }

  /** §4.4. */
  private insert(name: string, value: string): void {
    const size = name.length + value.length + entryOverheadBytes;
    this.evictTo(this.limit - size);
    if (size > this.limit) return;
    this.last = (this.last + 1) % this.names.length;
    this.names[this.last] = name;
    this.values[this.last] = value;
    this.count++;
    this.size += size;
  }

  private resize(limit: number): void {
    if (limit > tableBytes) throw broken(`a table of ${limit} bytes`);
    this.limit = limit;
    this.evictTo(limit);
  }

  /** §4.3. */
  private evictTo(size: number): void {
    const { names, values } = this;
    while (this.size > size && this.count > 0) {
      const place = (this.last - this.count + 1 + names.length) % names.length;
      this.size -= names[place].length + values[place].length + entryOverheadBytes;
      names[place] = "";
      values[place] = "";
      this.count--;
    }
  }
}

const broken = (message: string): ConnectionFault => new ConnectionFault(ErrorCode.compressionError, message);
