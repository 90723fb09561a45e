import type { SeenAdvert } from "./adverts.js";
import type { Host } from "./network.js";

/** wrk against a URL for some seconds; gives requests per second. It loads whatever serves the URL to the full. */
export async function saturate(client: Host, url: string, seconds: number): Promise<number> {
  const output = await client.run("wrk", "-t1", "-c64", `-d${seconds}s`, url);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  if (rate === undefined) throw new Error(`wrk gave no rate:\n${output}`);
  return Number(rate);
}

/** How far each interval between two adverts is from what it should be, in ms, the farthest first. */
export function intervalErrors(adverts: readonly SeenAdvert[], intervalMs: number): number[] {
  const errors = adverts
    .slice(1)
    .map((advert, index) => advert.epochMs - adverts[index].epochMs - intervalMs);
  return errors.sort((a, b) => Math.abs(b) - Math.abs(a));
}
