/**
 * Writes header blocks (RFC 7541) out of the bytes of a head of HTTP/1.1, without a string between. Pure.
 *
 * What goes into the table: a field that is sent with the same value a second time. Values that change with each response
 * (an ETag, a request's id) never push out those that do not, whatever their names are.
 */
import { entryOverheadBytes, tableBytes } from "./hpack-decoder.js";
import { encodeHuffman, huffmanLength } from "./huffman.js";
import { staticEntries, staticNames, staticPlaceOf, staticValues } from "./static-table.js";

/** A field in the table. */
interface Entry {
  /** Name, then value. */
  readonly bytes: Uint8Array;
  readonly nameLength: number;
  readonly nameHash: number;
  readonly hash: number;
}

/** What one field takes at most beside its name and value: two lengths and an index. */
export const fieldOverheadBytes = 12;
/** So do `:status` and two changes of the table's size. */
export const blockOverheadBytes = 24;

/** Fields that were sent lately, by their hashes. */
const recentFields = 64;

const firstHash = 0x811c9dc5 | 0;
const hashPrime = 0x01000193;

/** Each byte with capitals made small. */
const small = Uint8Array.from({ length: 256 }, (_, c) => (c >= 0x41 && c <= 0x5a ? c + 32 : c));

const statusPlace = staticPlaceOf(":status");
/** Of three digits: an entry of its own; 0: none. */
const statusPlaces = Uint8Array.from({ length: 600 }, (_, status) =>
  Math.max(0, staticValues.indexOf(String(status), statusPlace)),
);
/** §7.1.3: whoever hears the whole connection's bytes shall not be able to guess it piece by piece. */
const setCookie = staticPlaceOf("set-cookie");

const staticNameBytes = staticNames.map((name) => Buffer.from(name, "latin1"));
const staticByHash = new Map<number, number>();
for (let place = staticEntries; place > 0; place--)
  staticByHash.set(hashOf(staticNameBytes[place], 0, staticNameBytes[place].length, firstHash), place);

function hashOf(bytes: Uint8Array, start: number, end: number, from: number): number {
  let hash = from;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ small[bytes[i]], hashPrime);
  return hash;
}

function valueHashOf(bytes: Uint8Array, start: number, end: number, from: number): number {
  let hash = Math.imul(from, hashPrime);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], hashPrime);
  return hash;
}

export class HpackEncoder {
  /** The oldest one first. */
  private readonly entries: Entry[] = [];
  /** How many have left the table: what an entry's number is counted from. */
  private evicted = 0;
  /** Numbers of entries by the hash of name and value, and of the name alone. */
  private readonly byHash = new Map<number, number>();
  private readonly byName = new Map<number, number>();
  private readonly recent = new Int32Array(recentFields);
  private size = 0;
  private limit = tableBytes;
  /** The smallest size that the table had since the last block; −1: it is what it was (§4.2). */
  private shrunkTo = -1;

  /** The other side keeps a table of at most `bytes`. */
  resize(bytes: number): void {
    const limit = Math.min(bytes, tableBytes);
    if (limit === this.limit) return;
    this.shrunkTo = this.shrunkTo < 0 ? limit : Math.min(limit, this.shrunkTo);
    this.limit = limit;
    this.evictTo(limit);
  }

  /** Begins a block at `out[at]`; returns the offset after what stands in front of its fields. */
  begin(out: Uint8Array, at: number): number {
    if (this.shrunkTo < 0) return at;
    let to = at;
    if (this.shrunkTo < this.limit) to = writeInteger(out, to, 0x20, 5, this.shrunkTo);
    this.shrunkTo = -1;
    return writeInteger(out, to, 0x20, 5, this.limit);
  }

  /** The pseudo-header field of a response. */
  status(status: number, out: Uint8Array, at: number): number {
    if (statusPlaces[status] > 0) {
      out[at] = 0x80 | statusPlaces[status];
      return at + 1;
    }
    out[at] = statusPlace;
    out[at + 1] = 3;
    out[at + 2] = 0x30 + Math.floor(status / 100);
    out[at + 3] = 0x30 + (Math.floor(status / 10) % 10);
    out[at + 4] = 0x30 + (status % 10);
    return at + 5;
  }

  /** A field of `bytes`, its name in any case; takes at most `fieldOverheadBytes` more than it is long. */
  field(
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    out: Uint8Array,
    at: number,
  ): number {
    const nameHash = hashOf(bytes, nameStart, nameEnd, firstHash);
    const hash = valueHashOf(bytes, valueStart, valueEnd, nameHash);
    const number = this.byHash.get(hash);
    if (number !== undefined) {
      const entry = this.entries[number - this.evicted];
      if (
        isName(entry.bytes, entry.nameLength, bytes, nameStart, nameEnd) &&
        isRest(entry.bytes, entry.nameLength, bytes, valueStart, valueEnd)
      )
        return writeInteger(out, at, 0x80, 7, this.placeOf(number));
    }
    const namePlace = this.namePlace(nameHash, bytes, nameStart, nameEnd);
    if (namePlace === setCookie) {
      const to = this.name(0x10, 4, namePlace, bytes, nameStart, nameEnd, out, at);
      return writeString(bytes, valueStart, valueEnd, out, to);
    }
    const recent = hash & (recentFields - 1);
    const size = nameEnd - nameStart + valueEnd - valueStart + entryOverheadBytes;
    if (this.recent[recent] !== hash || 2 * size > this.limit || number !== undefined) {
      this.recent[recent] = hash;
      const to = this.name(0x00, 4, namePlace, bytes, nameStart, nameEnd, out, at);
      return writeString(bytes, valueStart, valueEnd, out, to);
    }
    const to = this.name(0x40, 6, namePlace, bytes, nameStart, nameEnd, out, at);
    const after = writeHuffman(bytes, valueStart, valueEnd, out, to);
    this.insert(bytes, nameStart, nameEnd, valueStart, valueEnd, nameHash, hash);
    return after;
  }

  private name(
    kind: number,
    bits: number,
    place: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
  ): number {
    let to = writeInteger(out, at, kind, bits, place);
    if (place > 0) return to;
    to = writeInteger(out, to, 0, 7, end - start);
    for (let i = start; i < end; i++) out[to++] = small[bytes[i]];
    return to;
  }

  /** An entry with that name; 0: there is none. */
  private namePlace(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const place = staticByHash.get(hash);
    if (
      place !== undefined &&
      isName(staticNameBytes[place], staticNameBytes[place].length, bytes, start, end)
    )
      return place;
    const number = this.byName.get(hash);
    if (number === undefined) return 0;
    const entry = this.entries[number - this.evicted];
    return isName(entry.bytes, entry.nameLength, bytes, start, end) ? this.placeOf(number) : 0;
  }

  /** §2.3.3: the latest entry is the first one behind the static ones. */
  private placeOf(number: number): number {
    return staticEntries + this.evicted + this.entries.length - number;
  }

  private insert(
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    nameHash: number,
    hash: number,
  ): void {
    const nameLength = nameEnd - nameStart;
    const entry = new Uint8Array(nameLength + valueEnd - valueStart);
    for (let i = 0; i < nameLength; i++) entry[i] = small[bytes[nameStart + i]];
    entry.set(bytes.subarray(valueStart, valueEnd), nameLength);
    this.evictTo(this.limit - entry.length - entryOverheadBytes);
    const number = this.evicted + this.entries.length;
    this.entries.push({ bytes: entry, nameLength, nameHash, hash });
    this.size += entry.length + entryOverheadBytes;
    this.byHash.set(hash, number);
    this.byName.set(nameHash, number);
  }

  private evictTo(size: number): void {
    while (this.size > size) {
      const entry = this.entries.shift();
      if (entry === undefined) return;
      const number = this.evicted++;
      this.size -= entry.bytes.length + entryOverheadBytes;
      if (this.byHash.get(entry.hash) === number) this.byHash.delete(entry.hash);
      if (this.byName.get(entry.nameHash) === number) this.byName.delete(entry.nameHash);
    }
  }
}

function isName(known: Uint8Array, length: number, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== small[bytes[start + i]]) return false;
  return true;
}

function isRest(known: Uint8Array, from: number, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== known.length - from) return false;
  for (let i = from, j = start; j < end; i++, j++) if (known[i] !== bytes[j]) return false;
  return true;
}

/** §5.1. `kind`: the bits in front of the prefix, which is `bits` long. */
function writeInteger(out: Uint8Array, at: number, kind: number, bits: number, value: number): number {
  const most = (1 << bits) - 1;
  if (value < most) {
    out[at] = kind | value;
    return at + 1;
  }
  let to = at;
  out[to++] = kind | most;
  let rest = value - most;
  for (; rest >= 0x80; rest >>>= 7) out[to++] = (rest & 0x7f) | 0x80;
  out[to++] = rest;
  return to;
}

function writeString(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = writeInteger(out, at, 0, 7, end - start);
  for (let i = start; i < end; i++) out[to++] = bytes[i];
  return to;
}

/** Where that is shorter. */
function writeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  const length = huffmanLength(bytes, start, end);
  if (length >= end - start) return writeString(bytes, start, end, out, at);
  return encodeHuffman(bytes, start, end, out, writeInteger(out, at, 0x80, 7, length));
}
