import { sleep } from "../../lab/clock.js";
import { type Balancer, type Descriptors, descriptorsOf } from "./balancer.js";

/** What a balancer holds when nobody asks it anything. */
export interface Resting {
  readonly descriptors: Descriptors;
  /** Idle connections to the servers. */
  readonly pooled: number;
  /** Faults: what should have come to rest and did not. */
  readonly faults: readonly string[];
}

/**
 * Waits until Tandem has come to rest after its last client, and says what is left over that must not be: sessions,
 * upstream connections that are neither idle nor known, pipes, sockets.
 *
 * @param atServers connections that the servers see now.
 * @param before what it had open before the first request: everything beyond that must be an idle upstream connection.
 */
export async function comeToRest(
  balancer: Balancer,
  atServers: () => number,
  before: Descriptors,
): Promise<Resting> {
  let resting = await look(balancer, atServers, before);
  // A client that left without a word is noticed by its time-out only after a while: lingering takes up to 2 s.
  for (let waited = 0; waited < 60_000 && resting.faults.length > 0; waited += 250) {
    await sleep(250);
    resting = await look(balancer, atServers, before);
  }
  return resting;
}

async function look(balancer: Balancer, atServers: () => number, before: Descriptors): Promise<Resting> {
  const info = await balancer.ask("show info");
  const stat = rows(await balancer.ask("show stat"));
  const descriptors = await fewestDescriptors(balancer.pid);
  const faults: string[] = [];
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  const infoOf = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(info)?.[1]);
  expect(infoOf("CurrConns") === 0, `${infoOf("CurrConns")} client connections`);
  expect(infoOf("PipesUsed") === 0, `${infoOf("PipesUsed")} pipes in use`);
  let pooled = 0;
  for (const row of stat) {
    const name = `${row.pxname}/${row.svname}`;
    expect(row.scur === "0", `${name}: ${row.scur} sessions`);
    expect(row.eint === "0", `${name}: ${row.eint} internal errors`);
    if (row.type !== "2") continue;
    pooled += Number(row.idle_conn_cur);
    expect(row.used_conn_cur === "0", `${name}: ${row.used_conn_cur} upstream connections in use`);
  }
  expect(pooled === atServers(), `${pooled} idle upstream connections, but the servers see ${atServers()}`);
  const sockets = descriptors.sockets - before.sockets - pooled;
  expect(sockets === 0, `${sockets} sockets that are neither listening nor pooled`);
  const pipes = descriptors.pipes - before.pipes;
  expect(
    pipes === 2 * infoOf("PipesFree"),
    `${pipes} pipe descriptors, with ${infoOf("PipesFree")} pipes free`,
  );
  return { descriptors, pooled, faults };
}

/**
 * The smallest count of a few: the stats socket's own connection, over which we have just asked, is closed a moment
 * later, and what leaks does not go away.
 */
export async function fewestDescriptors(pid: number, moreLooks = 4): Promise<Descriptors> {
  let fewest = descriptorsOf(pid);
  for (let looks = 0; looks < moreLooks; looks++) {
    await sleep(25);
    const now = descriptorsOf(pid);
    if (now.sockets + now.pipes + now.others < fewest.sockets + fewest.pipes + fewest.others) fewest = now;
  }
  return fewest;
}

/** `show stat` as records by column name. */
function rows(csv: string): Record<string, string>[] {
  const [header, ...lines] = csv.trim().split("\n");
  const names = header.replace(/^# /, "").split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ""]));
  });
}

/** Lines of Tandem's log that no traffic may cause: errors, and a thread that had to be restarted. */
export function complaints(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => /"level":(50|60|"error"|"fatal")/.test(line) || /^\s+at |Error:/.test(line));
}
