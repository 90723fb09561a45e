import type { TrackProcessConfig } from "../../config/tracking-config.js";

/** /proc/PID/comm holds at most so many bytes of a name. */
const commBytes = 15;

/** Whether the command line must be read to know. */
export function needsCommandLine({ process, fullCommand }: TrackProcessConfig): boolean {
  return fullCommand || process.length > 1;
}

/** Whether /proc/PID/comm is that of the process. Pure. */
export function matchesName({ process }: TrackProcessConfig, comm: string): boolean {
  const wanted = Buffer.from(process[0]).subarray(0, commBytes).toString();
  return comm.replace(/\n$/, "") === wanted;
}

/** Whether /proc/PID/cmdline is that of the process: all of it, the program by its path or by its last part. Pure. */
export function matchesCommandLine({ process }: TrackProcessConfig, cmdline: string): boolean {
  const words = cmdline.replace(/\0$/, "").split("\0");
  if (words.length !== process.length) return false;
  const program = words[0];
  const isProgram = program === process[0] || program.slice(program.lastIndexOf("/") + 1) === process[0];
  return isProgram && words.slice(1).every((word, i) => word === process[i + 1]);
}

/** The state letter in /proc/PID/stat; the name before it may hold blanks and brackets. */
export function processState(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}
