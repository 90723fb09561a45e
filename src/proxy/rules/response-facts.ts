import type { Head } from "../http1/head.js";
import { FieldList } from "./field-list.js";

/** What may be changed of one response: its fields. Made for a response only where its proxy changes some. */
export class ResponseFacts extends FieldList {
  readonly status: number;
  /** With its end. */
  private readonly statusLine: string;

  constructor(bytes: Uint8Array, head: Head) {
    super();
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + head.start, head.end - head.start).toString(
      "latin1",
    );
    const slice = (from: number, to: number): string => text.slice(from - head.start, to - head.start);
    this.status = head.status;
    this.statusLine = text.slice(0, text.indexOf("\n") + 1);
    for (let i = 0; i < head.fieldCount; i++) {
      this.fields.push({
        name: slice(head.nameStart[i], head.nameEnd[i]),
        value: slice(head.valueStart[i], head.valueEnd[i]),
      });
    }
  }

  /** The head with what was changed, to be parsed as if the server had sent it. */
  toHead(): Uint8Array {
    return Buffer.from(`${this.statusLine}${this.lines()}\r\n`, "latin1");
  }
}
