import type { InvalidMessage } from "../proxy/invalid-messages.js";

/** What the control thread wants to know of the data threads, or have done with what they hold. */
export type Inquiry =
  | { readonly about: "invalid-messages" }
  /** `id`: that one alone. `atLength`: several lines each. */
  | { readonly about: "sessions"; readonly id: number | null; readonly atLength: boolean }
  /** Cuts what it names, and tells how many those were. */
  | { readonly about: "cut-session"; readonly id: number }
  | {
      readonly about: "cut-sessions-at";
      readonly backend: string;
      readonly server: string;
      /** That one, or one that it stands in for, was marked so. Left out: an operator wants it. */
      readonly because?: "down" | "up";
    };

/** A part of what one thread tells. */
export type InquiryPart =
  | { readonly kind: "invalid-messages"; readonly messages: readonly InvalidMessage[] }
  /** Lines for the reader, as they are. */
  | { readonly kind: "lines"; readonly text: string }
  | { readonly kind: "cut"; readonly sessions: number };
