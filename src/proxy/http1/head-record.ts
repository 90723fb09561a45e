/**
 * What a parse finds out about a message head. One record is reused for every parse of a connection or even of
 * a thread, so that reading a head allocates nothing; everything in it is an offset into the parsed bytes.
 */

/** How the end of a body is known (RFC 9112 §6.3). */
export const Framing = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** Methods are case-sensitive (RFC 9110 §9.1); one that is not listed is `other` and is forwarded as it is. */
export const Method = {
  other: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  OPTIONS: 6,
  TRACE: 7,
  CONNECT: 8,
  PATCH: 9,
} as const;
export type Method = (typeof Method)[keyof typeof Method];

/** Forms of a request target that a gateway accepts (RFC 9112 §3.2). */
export const TargetForm = { origin: 0, absolute: 1, asterisk: 2 } as const;
export type TargetForm = (typeof TargetForm)[keyof typeof TargetForm];

export interface HeadLimits {
  /** Largest head, from the first byte looked at to the end of the empty line. */
  maxHeadBytes: number;
  /** Most field lines. */
  maxFields: number;
}

/** HAProxy's `tune.http.maxhdr`. */
export const defaultMaxFields = 101;

export class Head {
  /** Range of the head: from the start line to the end of the empty line. */
  start = 0;
  end = 0;

  // Requests.
  method: Method = Method.other;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  targetForm: TargetForm = TargetForm.origin;
  /** Absolute form: authority; otherwise an empty range. */
  authorityStart = 0;
  authorityEnd = 0;
  /** Where path and query begin; they end at `targetEnd`, and may be empty or begin with `?` in absolute form. */
  pathStart = 0;

  // Responses.
  /** 100–599; 0 in a request. */
  status = 0;
  /** Where the three digits stand. */
  statusStart = 0;
  reasonStart = 0;
  reasonEnd = 0;

  /** 0 or 1; a minor version that we do not know is 1 (RFC 9110 §2.5). */
  versionMinor = 1;

  /** How the body of this very message ends. */
  framing: Framing = Framing.none;
  /** Value of Content-Length, -1 without one. In answers to HEAD and in a 304 it says nothing of this body. */
  contentLength = -1;
  /** The sender wants the connection to go on, by version and Connection; `close` wins. */
  keepAlive = true;
  /** An upgrade is asked for (request) or made (response): Connection names it and Upgrade says to what. */
  upgrade = false;
  /** `Expect: 100-continue` in HTTP/1.1. */
  expectContinue = false;

  fieldCount = 0;
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  /** Values without the white space around them. */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** `FieldKind` of each field. */
  readonly kind: Uint8Array;
  /** 1 where Connection names the field: it goes no further than here. */
  readonly named: Uint8Array;
  /** Bit `1 << FieldKind` for every kind that occurs. */
  kinds = 0;
  /** Some field is `named`. */
  anyNamed = false;

  /** Stable reason when a parse returned less than 0, else "". */
  error = "";

  constructor(maxFields: number = defaultMaxFields) {
    this.nameStart = new Int32Array(maxFields);
    this.nameEnd = new Int32Array(maxFields);
    this.valueStart = new Int32Array(maxFields);
    this.valueEnd = new Int32Array(maxFields);
    this.kind = new Uint8Array(maxFields);
    this.named = new Uint8Array(maxFields);
  }

  /** Forgets the last parse. */
  clear(): void {
    this.start = 0;
    this.end = 0;
    this.method = Method.other;
    this.methodEnd = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.targetForm = TargetForm.origin;
    this.authorityStart = 0;
    this.authorityEnd = 0;
    this.pathStart = 0;
    this.status = 0;
    this.statusStart = 0;
    this.reasonStart = 0;
    this.reasonEnd = 0;
    this.versionMinor = 1;
    this.framing = Framing.none;
    this.contentLength = -1;
    this.keepAlive = true;
    this.upgrade = false;
    this.expectContinue = false;
    this.fieldCount = 0;
    this.kinds = 0;
    this.anyNamed = false;
    this.error = "";
  }

  /** Notes why the head is refused and returns what the parse shall return: minus the status to answer with. */
  refuse(status: number, reason: string): number {
    this.error = reason;
    return -status;
  }
}
