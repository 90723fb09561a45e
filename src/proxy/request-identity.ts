import { randomBytes, randomUUID } from "node:crypto";
import type { FieldList } from "./rules/field-list.js";

/** What of a proxy's configuration is about the names that requests go by. */
export interface IdentityConfig {
  readonly uniqueIdHeader?: string;
  readonly traceparent?: true;
}

/** W3C Trace Context, §3.2: version 00 ends behind the flags, later ones may go on; ids of zeros alone are none. */
const traceparentForm =
  /^(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/;
/** An id of somebody else's that is taken: it goes into logs. */
const idForm = /^[!-~]{1,128}$/;

/**
 * Gives requests the names by which they are found again: HAProxy's unique-id-header, and W3C traceparent. What a client sends
 * passes if it is valid, so that a request has one name over all hops.
 */
export class RequestIdentity {
  private readonly header: string | null;
  private readonly isTraced: boolean;

  constructor({ uniqueIdHeader, traceparent }: IdentityConfig) {
    this.header = uniqueIdHeader ?? null;
    this.isTraced = traceparent === true;
  }

  /** null: nothing of it is configured. */
  static of(config: IdentityConfig): RequestIdentity | null {
    const isOn = config.uniqueIdHeader !== undefined || config.traceparent === true;
    return isOn ? new RequestIdentity(config) : null;
  }

  /** Makes what is missing. Returns the request's id; null: it has none, but perhaps a trace. */
  apply(facts: FieldList): string | null {
    if (this.isTraced) traced(facts);
    const { header } = this;
    if (header === null) return null;
    const name = header.toLowerCase();
    const sent = facts.fields.filter((field) => field.name.toLowerCase() === name);
    if (sent.length === 1 && idForm.test(sent[0].value)) return sent[0].value;
    const id = randomUUID();
    if (sent.length > 0) facts.deleteField(header);
    facts.addField(header, id);
    return id;
  }
}

/** Flag 01: whether a trace is kept is for those to say who record it. */
function traced(facts: FieldList): void {
  const sent = facts.fields.filter((field) => field.name.toLowerCase() === "traceparent");
  if (sent.length === 1 && traceparentForm.test(sent[0].value)) return;
  // §3.2.4: a broken traceparent is replaced, and what belongs to it dropped.
  if (sent.length > 0) facts.deleteField("traceparent");
  facts.deleteField("tracestate");
  facts.addField("traceparent", `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`);
}
