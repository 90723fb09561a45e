/**
 * HAProxy's words for how a check ended: the code of `check_status`, its number in `show servers state` and its text in
 * `check_desc` and in the log.
 */
export const checkStatuses = {
  INI: { number: 1, passed: null, text: "Initializing" },
  CHECKED: { number: 3, passed: null, text: "No status change" },
  HANA: { number: 4, passed: false, text: "Health analyze" },
  SOCKERR: { number: 5, passed: false, text: "Socket error" },
  L4OK: { number: 6, passed: true, text: "Layer4 check passed" },
  L4TOUT: { number: 7, passed: false, text: "Layer4 timeout" },
  L4CON: { number: 8, passed: false, text: "Layer4 connection problem" },
  L6OK: { number: 9, passed: true, text: "Layer6 check passed" },
  L6TOUT: { number: 10, passed: false, text: "Layer6 timeout" },
  L6RSP: { number: 11, passed: false, text: "Layer6 invalid response" },
  L7TOUT: { number: 12, passed: false, text: "Layer7 timeout" },
  L7RSP: { number: 13, passed: false, text: "Layer7 invalid response" },
  L7OK: { number: 15, passed: true, text: "Layer7 check passed" },
  L7STS: { number: 17, passed: false, text: "Layer7 wrong status" },
} as const;

export type CheckStatus = keyof typeof checkStatuses;

const byNumber = new Map<number, CheckStatus>();
for (const [status, { number }] of Object.entries(checkStatuses)) {
  if (isCheckStatus(status)) byNumber.set(number, status);
}

export function isCheckStatus(word: string): word is CheckStatus {
  return Object.hasOwn(checkStatuses, word);
}

/** INI for a number that is not known. */
export function checkStatusOf(number: number): CheckStatus {
  return byNumber.get(number) ?? "INI";
}

/** How one check ended. */
export interface CheckResult {
  readonly status: CheckStatus;
  /** HTTP status; null: none came, or none was asked for. */
  readonly code: number | null;
  readonly durationMs: number;
  /** `Connection refused`, `Service Unavailable`, …; empty: nothing to say beyond the status. */
  readonly detail: string;
}
