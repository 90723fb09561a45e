import { writeFile } from "node:fs/promises";
import { parseDuration } from "../config/duration.js";
import { ExitCode, LbError } from "../errors.js";
import { encodePcap } from "../flight/pcap.js";
import { parseFlight } from "../flight/recorder.js";
import { tellStory } from "../flight/story.js";
import type { Arguments } from "./arguments.js";
import { askDaemon, findSocket, parseAnswer } from "./ask-daemon.js";

/** `lb explain`. Throws LbError LB_USAGE, LB_NOT_RUNNING, LB_PCAP. */
export async function explain(args: Arguments): Promise<number> {
  const sinceMs = args.since === undefined ? null : readSince(args.since);
  const answer = await askDaemon(await findSocket(args), "show flight", 30_000);
  const flight = parseAnswer(answer, parseFlight);
  const fromMs = sinceMs === null ? null : flight.nowEpochMs - sinceMs;
  if (args.pcap !== undefined) {
    const adverts = flight.adverts.filter(({ epochMs }) => fromMs === null || epochMs >= fromMs);
    try {
      await writeFile(args.pcap, encodePcap(adverts));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new LbError("LB_PCAP", `the adverts cannot be written: ${reason}`, "choose another file", {
        cause: error,
      });
    }
    console.error(`lb: ${adverts.length} adverts in ${args.pcap}`);
  }
  process.stdout.write(args.json ? answer : tellStory(flight, fromMs));
  return ExitCode.ok;
}

function readSince(text: string): number {
  const result = parseDuration(text, null);
  if (result.ok) return result.value;
  throw new LbError("LB_USAGE", `--since: ${result.message}`, result.advice);
}
