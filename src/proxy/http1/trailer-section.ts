/**
 * Trailer fields (RFC 9112 §7.1.2), read byte by byte because they may arrive in pieces. As strict as heads are,
 * bounded, and without any field that a recipient could mistake for framing, routing or identity.
 */
import { byteClass, COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from "./byte-class.js";
import { FieldKind, fieldKindOf } from "./field-kind.js";

export const maxTrailerBytes = 8192;
export const maxTrailerFields = 32;

const State = { lineStart: 0, name: 1, value: 2, lineFeed: 3, lastLineFeed: 4 } as const;

/** Long enough for every name that we know. */
const knownNameBytes = 32;

export class TrailerSection {
  done = false;
  error: string | null = null;
  #state: number = State.lineStart;
  #bytes = 0;
  #fields = 0;
  /** The name of the field that is being read, for names come in pieces too. */
  readonly #name = new Uint8Array(knownNameBytes);
  #nameLength = 0;

  reset(): void {
    this.done = false;
    this.error = null;
    this.#state = State.lineStart;
    this.#bytes = 0;
    this.#fields = 0;
    this.#nameLength = 0;
  }

  /** Takes bytes up to the end of the section or of the range; returns the offset after them. */
  advance(bytes: Uint8Array, start: number, end: number): number {
    for (let p = start; p < end; p++) {
      const error = this.#step(bytes[p]!);
      if (error !== null) {
        this.error = error;
        return p;
      }
      if (this.done) return p + 1;
    }
    return end;
  }

  #step(c: number): string | null {
    if (++this.#bytes > maxTrailerBytes) return "trailer-too-large";
    switch (this.#state) {
      case State.lineStart:
        if (c === CR) {
          this.#state = State.lastLineFeed;
          return null;
        }
        if (c === SP || c === HTAB) return "trailer-obs-fold";
        if ((byteClass[c]! & TOKEN) === 0) return c === LF ? "bare-lf" : "trailer-invalid";
        if (++this.#fields > maxTrailerFields) return "trailer-too-large";
        this.#name[0] = c;
        this.#nameLength = 1;
        this.#state = State.name;
        return null;
      case State.name:
        if ((byteClass[c]! & TOKEN) !== 0) {
          if (this.#nameLength < knownNameBytes) this.#name[this.#nameLength] = c;
          this.#nameLength++;
          return null;
        }
        if (c !== COLON) return c === LF ? "bare-lf" : "trailer-invalid";
        if (this.#isForbidden()) return "trailer-forbidden";
        this.#state = State.value;
        return null;
      case State.value:
        if ((byteClass[c]! & VALUE) !== 0) return null;
        if (c !== CR) return c === LF ? "bare-lf" : "trailer-invalid";
        this.#state = State.lineFeed;
        return null;
      default:
        if (c !== LF) return "bare-cr";
        this.done = this.#state === State.lastLineFeed;
        this.#state = State.lineStart;
        return null;
    }
  }

  /** RFC 9110 §6.5.1: every field that rules the hop or the message. A longer name than we hold is none of them. */
  #isForbidden(): boolean {
    return fieldKindOf(this.#name, 0, this.#nameLength) !== FieldKind.other;
  }
}
