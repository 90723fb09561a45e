import { format } from "node:util";

const longestText = 2000;

export interface LineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * From now on what a library prints by itself is a line of this thread's log: whoever reads the journal gets JSON alone. What it
 * complains of is a warning at most, since what follows from it for the daemon has a line of its own.
 */
export function logConsole(log: LineLog, from: Console = console): void {
  const fields = { event: "library" };
  const say =
    (level: "info" | "warn") =>
    (...words: unknown[]): void =>
      log[level](fields, `a library says: ${format(...words).slice(0, longestText)}`);
  from.error = say("warn");
  from.warn = say("warn");
  from.log = say("info");
  from.info = say("info");
  from.debug = () => {};
}
