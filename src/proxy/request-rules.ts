import type { Rule } from "../config/rule-config.js";
import { Head, type HeadLimits, parseRequestHead } from "./http1/head.js";
import type { RequestIdentity } from "./request-identity.js";
import { RequestFacts, type RuledClient } from "./rules/request-facts.js";
import { type RuleAnswer, RuleSet } from "./rules/rule-set.js";

/** What a head may grow by through rules. */
const growthBytes = 16_384;
const growthFields = 50;

/** What the rules have made of a request. */
export type Ruled =
  | { readonly kind: "answer"; readonly answer: RuleAnswer }
  /** `backend`: the one that use_backend names; null: none. */
  | { readonly kind: "unchanged"; readonly backend: string | null }
  /** `head` describes it in `bytes`, until the next one is judged. */
  | {
      readonly kind: "edited";
      readonly backend: string | null;
      readonly bytes: Uint8Array;
      readonly head: Head;
    };

const unchanged: Ruled = { kind: "unchanged", backend: null };

/** The rules of a proxy over the heads that its connections parse. */
export class RequestRules {
  private readonly rules: RuleSet;
  private readonly limits: HeadLimits;
  private readonly edited: Head;
  /** Of the request that was judged last; null: none was asked for. */
  requestId: string | null = null;

  constructor(
    rules: readonly Rule[],
    counters: readonly SharedArrayBuffer[],
    limits: HeadLimits,
    private readonly identity: RequestIdentity | null = null,
  ) {
    this.rules = new RuleSet(rules, counters);
    this.limits = {
      maxHeadBytes: limits.maxHeadBytes + growthBytes,
      maxFields: limits.maxFields + growthFields,
    };
    this.edited = new Head(this.limits.maxFields);
  }

  /** Judges the request that `head` describes in `bytes`. */
  judge(bytes: Uint8Array, head: Head, client: RuledClient, nowMs: number): Ruled {
    const facts = new RequestFacts(bytes, head, client);
    if (this.identity !== null) this.requestId = this.identity.apply(facts);
    const answer = this.rules.apply(facts, nowMs);
    if (answer !== null) return { kind: "answer", answer };
    const { backend } = facts;
    if (!facts.isEdited) return backend === null ? unchanged : { kind: "unchanged", backend };
    const edited = facts.toHead();
    const end = parseRequestHead(edited, 0, edited.length, this.edited, this.limits);
    // More fields or bytes than a request may have, or a Host that is none: what the rules made is no request.
    if (end !== edited.length)
      return { kind: "answer", answer: { status: 500, fields: [], body: null, isDenied: false } };
    return { kind: "edited", backend, bytes: edited, head: this.edited };
  }
}
