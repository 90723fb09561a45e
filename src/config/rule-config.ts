import type { AddressRange } from "./address-range.js";
import type { TextTemplate } from "./text-template.js";

/**
 * One line of `rules:`. They are looked at in their order; one that answers ends the request, the others change it and the
 * next one is looked at: HAProxy's http-request.
 */
export interface Rule {
  /** null: always. */
  readonly when: Condition | null;
  /** The rule is passed over where it holds; null: never. */
  readonly unless: Condition | null;
  readonly action: Action;
}

export type Action =
  | { readonly kind: "deny"; readonly status: number }
  | { readonly kind: "redirect"; readonly status: number; readonly location: TextTemplate }
  | { readonly kind: "return"; readonly status: number; readonly contentType: string; readonly body: string }
  /** HTTP Basic (RFC 7617): `user:password` in Base64, with what it gives as the user's name. */
  | { readonly kind: "auth"; readonly realm: string; readonly users: readonly User[] }
  /** So many requests in any `periodMs` from one source, or with one value of a field. */
  | {
      readonly kind: "rate-limit";
      readonly requests: number;
      readonly periodMs: number;
      readonly by: "src" | { readonly field: string };
      readonly status: number;
      /** Counters that are kept at once. */
      readonly keys: number;
    }
  | { readonly kind: "set-header"; readonly name: string; readonly value: TextTemplate }
  | { readonly kind: "add-header"; readonly name: string; readonly value: TextTemplate }
  | { readonly kind: "del-header"; readonly name: string }
  | { readonly kind: "set-path"; readonly path: TextTemplate }
  /** The servers of this backend, or listen, get the request; the first such rule that applies counts. */
  | { readonly kind: "use-backend"; readonly backend: string }
  /** What stands in front of the path is replaced. */
  | { readonly kind: "replace-prefix"; readonly prefix: string; readonly by: string };

export interface User {
  readonly name: string;
  readonly password: string;
}

/**
 * What a rule asks of a request: every word that is there has to hold, and of the values of a word one.
 */
export interface Condition {
  /**
   * In mode tcp: the server's name in a TLS client's first message (SNI), as `hosts`. A client that does not speak TLS, or names
   * none, has none of them.
   */
  readonly serverNames?: readonly string[];
  /** The client's connection is over TLS that ends here, or is not. */
  readonly overTls?: boolean;
  /** The client has shown a certificate there, or has not. */
  readonly isCertified?: boolean;
  /** In lower case, without port; `*.example.org` stands for every name that ends so. */
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  /** The whole path, without the query. */
  readonly paths?: readonly string[];
  readonly pathBegins?: readonly string[];
  readonly pathEnds?: readonly string[];
  readonly sources?: readonly AddressRange[];
  readonly fields?: readonly FieldCondition[];
}

/** `values` null: the field is there, whatever its value. */
export interface FieldCondition {
  /** In lower case. */
  readonly name: string;
  readonly values: readonly string[] | null;
}
