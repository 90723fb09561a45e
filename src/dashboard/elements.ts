import type { Percentiles } from "../control/dashboard/shape.js";

/** Makes elements; text is always text. */
export type Child = Node | string | null;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Throws when the page has no such element: then page and script are of different versions. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

export function fact(name: string, value: string): HTMLElement {
  return element("div", "", element("dt", "", name), element("dd", "", value));
}

/** `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function describeAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function describeClock(epochMs: number): string {
  return new Date(epochMs).toLocaleTimeString(undefined, { hour12: false });
}

/** `≤ 1 / ≤ 20`. */
export function describePercentiles(latency: Percentiles | null): string {
  if (latency === null) return "–";
  const bound = (ms: number | null): string => (ms === null ? "> 50 000" : `≤ ${describeCount(ms)}`);
  return `${bound(latency.p50)} / ${bound(latency.p99)}`;
}

export function describeCount(value: number | null): string {
  return value === null ? "–" : value.toLocaleString("en-US").replaceAll(",", " ");
}
