import type { CookieConfig } from "../config/cookie-config.js";

/** When a client came last and first, in seconds since 1970, by the cookie that it brought; 0: it does not say. */
export interface CookieDates {
  readonly lastS: number;
  readonly firstS: number;
}

export const noDates: CookieDates = { lastS: 0, firstS: 0 };

const bar = "|";
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** A date is a number of four seconds in 30 bits, five digits of six bits each. */
const dateDigits = 5;
const unitS = 4;
/** A clock may be wrong by so much. */
const aheadS = 86_400;

/**
 * HAProxy's `SERVER|LAST` or `SERVER|LAST|FIRST`, as `cookie … maxidle` and `maxlife` have it: the server's value, and the dates;
 * `noDates` itself where there is none. Source: HAProxy 2.6, http_manage_client_side_cookies.
 */
export function splitDates(text: string): readonly [value: string, dates: CookieDates] {
  const first = text.indexOf(bar);
  if (first < 0) return [text, noDates];
  const lastS = parseDate(text, first + 1);
  const second = text.indexOf(bar, first + 1);
  const firstS = second < 0 ? 0 : parseDate(text, second + 1);
  return [text.slice(0, first), lastS === 0 && firstS === 0 ? noDates : { lastS, firstS }];
}

/** `VALUE|LAST`, and `|FIRST` where `firstS` is not null; 0: it begins now. */
export function writeDates(value: string, nowS: number, firstS: number | null): string {
  // Rounded up: a date that has just been written is not to be renewed yet.
  const units = Math.floor((nowS + unitS - 1) / unitS);
  const first = firstS === null ? "" : bar + encode(firstS === 0 ? units : Math.floor(firstS / unitS));
  return value + bar + encode(units) + first;
}

/**
 * HAProxy's letter of a cookie that counts no longer: `O`, its life is over, or `E`, its client has not come for too long; null: it
 * counts. A date that is more than a day ahead counts as over.
 */
export function ageOf(
  { lastS, firstS }: CookieDates,
  { maxIdleS, maxLifeS }: Pick<CookieConfig, "maxIdleS" | "maxLifeS">,
  nowS: number,
): "O" | "E" | null {
  const isOver = (dateS: number, maxS: number | undefined): boolean =>
    dateS !== 0 && maxS !== undefined && (nowS - dateS > maxS || dateS - nowS > aheadS);
  if (isOver(firstS, maxLifeS)) return "O";
  return isOver(lastS, maxIdleS) ? "E" : null;
}

/** 0: there is none. */
function parseDate(text: string, at: number): number {
  if (text.length - at < dateDigits) return 0;
  let units = 0;
  for (let i = at; i < at + dateDigits; i++) {
    const digit = digits.indexOf(text[i]);
    if (digit < 0) return 0;
    units = units * 64 + digit;
  }
  return units * unitS;
}

function encode(units: number): string {
  let text = "";
  for (let shift = dateDigits - 1; shift >= 0; shift--) text += digits[Math.floor(units / 64 ** shift) % 64];
  return text;
}
