import { addressBytes } from "../../config/address-range.js";
import { type Head, TargetForm } from "../http1/head.js";
import type { AgreedTls, ClientCertificate } from "../tls/client-certificate.js";
import { FieldList } from "./field-list.js";
import { normalPath } from "./normal-path.js";

/** Who sends a request, and how. */
export interface RuledClient {
  readonly source: string;
  readonly overTls: boolean;
  /** What it has shown there; null: nothing. */
  readonly certificate: ClientCertificate | null;
  /** What its TLS has agreed on; null: there is none. */
  readonly agreed: AgreedTls | null;
}

/**
 * What rules look at and may change of one request. Texts are read byte for byte (ISO 8859-1), so that they can be written
 * back as they came. Made for a request only where its proxy has rules.
 */
export class RequestFacts extends FieldList {
  readonly source: string;
  /** It came over TLS that ended here. */
  readonly overTls: boolean;
  readonly certificate: ClientCertificate | null;
  readonly agreed: AgreedTls | null;
  readonly method: string;
  /** As it came: absolute form keeps its scheme and authority in front. */
  private readonly targetPrefix: string;
  /** Behind the target: ` HTTP/1.1`. */
  private readonly version: string;
  /** With what percent signs came in it; `*` for OPTIONS on the whole server. */
  path: string;
  /** With its `?`; empty: none. */
  query: string;
  /** The first use_backend that applied; null: none. */
  backend: string | null = null;

  constructor(bytes: Uint8Array, head: Head, { source, overTls, certificate, agreed }: RuledClient) {
    super();
    this.source = source;
    this.overTls = overTls;
    this.certificate = certificate;
    this.agreed = agreed;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + head.start, head.end - head.start).toString(
      "latin1",
    );
    const slice = (from: number, to: number): string => text.slice(from - head.start, to - head.start);
    this.method = slice(head.start, head.methodEnd);
    const isPlain = head.targetForm !== TargetForm.absolute;
    this.targetPrefix = isPlain ? "" : slice(head.targetStart, head.pathStart);
    const pathAndQuery = slice(isPlain ? head.targetStart : head.pathStart, head.targetEnd);
    const question = pathAndQuery.indexOf("?");
    this.path = question < 0 ? pathAndQuery : pathAndQuery.slice(0, question);
    this.query = question < 0 ? "" : pathAndQuery.slice(question);
    this.version = head.versionMinor === 0 ? " HTTP/1.0" : " HTTP/1.1";
    for (let i = 0; i < head.fieldCount; i++) {
      this.fields.push({
        name: slice(head.nameStart[i], head.nameEnd[i]),
        value: slice(head.valueStart[i], head.valueEnd[i]),
      });
    }
    this.authority = isPlain ? null : slice(head.authorityStart, head.authorityEnd);
  }

  /** Of an absolute target, which then counts instead of Host (RFC 9112 §3.2.2). */
  private readonly authority: string | null;

  /** In lower case and without the port; empty: the request names none. */
  get host(): string {
    const written = this.authority ?? this.valueOf("host") ?? "";
    return written.replace(/:\d*$/, "").toLowerCase();
  }

  /** The path that conditions are about. */
  get normalPath(): string {
    return normalPath(this.path);
  }

  get sourceBytes(): Uint8Array | null {
    return addressBytes(this.source.replace(/%.*$/, ""));
  }

  setPath(path: string): void {
    this.path = path;
    this.isEdited = true;
  }

  /** The head with what was changed, to be parsed as if the client had sent it. */
  toHead(): Uint8Array {
    const target = `${this.targetPrefix}${this.path}${this.query}`;
    return Buffer.from(`${this.method} ${target}${this.version}\r\n${this.lines()}\r\n`, "latin1");
  }
}
