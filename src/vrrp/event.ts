import type { VrrpStateName } from "./status.js";
import type { GroupStateName } from "./sync-group.js";

/** What happened to an instance or a sync group, for whoever wants to be told. */
export type VrrpEvent =
  | {
      readonly kind: "transition";
      readonly instance: string;
      readonly from: VrrpStateName;
      readonly to: VrrpStateName;
      readonly reason: string;
      /** The effective priority at that moment. */
      readonly priority: number;
    }
  | {
      readonly kind: "priority";
      readonly instance: string;
      readonly state: VrrpStateName;
      readonly priority: number;
    }
  /** Comes after its members' transitions. */
  | { readonly kind: "group"; readonly group: string; readonly to: GroupStateName; readonly reason: string };
