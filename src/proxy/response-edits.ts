import type { ResponseRule } from "../config/response-rule-section.js";
import { Head, type HeadLimits, parseResponseHead } from "./http1/head.js";
import type { RequestFacts } from "./rules/request-facts.js";
import { ResponseFacts } from "./rules/response-facts.js";
import { applyResponseRules } from "./rules/response-rule-set.js";
import type { Asked, CookieDone, Stickiness } from "./stickiness.js";

/** What a head may grow by. */
const growthBytes = 16_384;
const growthFields = 50;

/** What a route changes of its servers' responses. One for each route; `head` and `letter` are those of the last response. */
export class ResponseEdits {
  /** Of the changed response. */
  readonly head: Head;
  /** What was done about the cookie. */
  letter: CookieDone = "N";
  private readonly limits: HeadLimits;

  constructor(
    private readonly stickiness: Stickiness | null,
    private readonly rules: readonly ResponseRule[] | null,
    limits: HeadLimits,
  ) {
    this.limits = {
      maxHeadBytes: limits.maxHeadBytes + growthBytes,
      maxFields: limits.maxFields + growthFields,
    };
    this.head = new Head(this.limits.maxFields);
  }

  /** `apply` is to be given the request. */
  get needsRequest(): boolean {
    return this.rules !== null;
  }

  /**
   * Changes the response that `head` describes in `bytes`, to a request of `method` that `server` answered and whose cookie
   * said `asked`; `request`: where it is needed. Returns its new head, described by `this.head`; null: it goes on as it came.
   */
  apply(
    bytes: Uint8Array,
    head: Head,
    method: number,
    server: number,
    asked: Asked,
    request: RequestFacts | null,
  ): Uint8Array | null {
    const facts = new ResponseFacts(bytes, head);
    if (this.rules !== null && request !== null) applyResponseRules(this.rules, facts, request);
    this.letter = this.stickiness?.answer(facts, server, asked, method) ?? "N";
    if (!facts.isEdited) return null;
    const edited = facts.toHead();
    const end = parseResponseHead(edited, 0, edited.length, this.head, this.limits, method);
    return end === edited.length ? edited : null;
  }
}
