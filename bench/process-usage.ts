import { readdirSync, readFileSync } from "node:fs";

/** Run time of all threads of a process so far, µs, as the scheduler accounts it. */
export function cpuUs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [running] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ");
      sum += Number(running) / 1000;
    } catch {
      // A thread that has just ended.
    }
  }
  return sum;
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
