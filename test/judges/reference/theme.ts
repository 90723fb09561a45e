import t, { type Test } from "tap";
import { sleep } from "../../../lab/clock.js";
import { Client } from "./client.js";
import { type DifferenceName, differences } from "./differences.js";
import type { Asked, Behaviour } from "./origin.js";
import { Peer, type PeerName, type PeerOptions, peerNames } from "./peer.js";
import { growth, type Stat, wrongSums } from "./stat.js";

/** The same traffic through HAProxy and through Tandem. */
export interface Scenario {
  /** What is shown, as a sentence about HAProxy. */
  readonly name: string;
  readonly proxy: string;
  /** Where the client connects. Default 127.0.0.1. */
  readonly address?: string;
  /** Default: every server answers 200 with the body "hello". */
  readonly servers?: Behaviour;
  readonly client: (client: Client, world: World) => Promise<void>;
  /** What the client of HAProxy sees, a line an event; the rest of each event is compared as well. */
  readonly sees: readonly string[];
  /** Status and termination state of each line in HAProxy's log; more is compared. Sorted. */
  readonly log: readonly string[];
  /** Which servers got what: `a GET /path`. Left out: only compared. */
  readonly asked?: readonly string[];
  /** Shares are compared, and not who comes first. */
  readonly anyOrder?: boolean;
  /** Which server gets what is not comparable, for this reason: servers' names are left out of the comparison. */
  readonly spread?: DifferenceName;
  /** Where Tandem is deliberately another one: what it does, exactly. */
  readonly tandem?: Deviation;
}

export interface Deviation {
  readonly because: DifferenceName;
  readonly sees?: readonly string[];
  readonly log?: readonly string[];
  readonly asked?: readonly string[];
  /** Cells such as `FRONTEND ereq`, HAProxy's and Tandem's; `follow`: all that follows from another answer. */
  readonly cells?: Readonly<Record<string, readonly [haproxy: string, tandem: string]>> | "follow";
}

/** What a scenario's client may do behind the proxy. */
export interface World {
  readonly peer: PeerName;
  readonly refuse: (server: string) => Promise<void>;
  readonly listenAgain: (server: string) => Promise<void>;
  /** The servers got so many requests. */
  readonly untilAsked: (count: number) => Promise<void>;
  /** Servers that hold back at `HOLD` go on. */
  readonly letGo: () => void;
  /** The proxy has logged so many lines since the scenario began: it is done with what they tell of. */
  readonly untilLogged: (count: number) => Promise<void>;
  readonly stat: () => Promise<Stat>;
  /** A row of the scenario's proxy shows this value. */
  readonly untilCell: (row: string, column: string, value: string) => Promise<void>;
  readonly pid: number;
  /** Where the scenario's proxy listens. */
  readonly port: number;
}

export interface ThemeOptions extends Omit<PeerOptions, "servers"> {
  readonly servers?: readonly string[];
}

/** What one peer did in a scenario. */
interface Observation {
  readonly sees: readonly string[];
  readonly log: readonly string[];
  readonly asked: readonly string[];
  readonly cells: ReadonlyMap<string, string>;
  readonly wrongSums: readonly string[];
}

/** Runs scenarios about one theme: all peers at once, the scenarios one after the other. */
export function theme(name: string, options: ThemeOptions, scenarios: readonly Scenario[]): void {
  t.test(name, async (t) => {
    const peers: Peer[] = [];
    t.teardown(async () => {
      await Promise.all(peers.map((peer) => peer.stop()));
    });
    const started = await Promise.allSettled(
      peerNames.map((peer) => Peer.start(peer, { ...options, servers: options.servers ?? ["a", "b", "c"] })),
    );
    for (const one of started) if (one.status === "fulfilled") peers.push(one.value);
    for (const one of started) if (one.status === "rejected") throw one.reason;
    for (const scenario of scenarios)
      await t.test(title(scenario), (t) => judge(t, scenario, peers, options));
  });
}

function title({ name, tandem, spread }: Scenario): string {
  const reasons = [tandem?.because, spread].flatMap((one) =>
    one === undefined ? [] : [differences[one].why],
  );
  return [name, ...reasons].join(" — Tandem differs: ");
}

async function judge(
  t: Test,
  scenario: Scenario,
  peers: readonly Peer[],
  options: ThemeOptions,
): Promise<void> {
  const observed = await Promise.all(peers.map((peer) => observe(peer, scenario, options)));
  const [haproxy, ...tandems] = observed;
  t.same(haproxy.sees.map(brief), scenario.sees, "HAProxy's client sees");
  t.same(haproxy.log.map(briefLog).sort(), [...scenario.log].sort(), "HAProxy logs");
  if (scenario.asked !== undefined)
    t.same(haproxy.asked.map(briefAsked), scenario.asked, "servers of HAProxy are asked");
  const compared = (one: Observation): Observation => {
    if (scenario.spread !== undefined) return withoutServers(one);
    return scenario.anyOrder === true ? { ...one, asked: [...one.asked].sort() } : one;
  };
  const reference = compared(haproxy);
  for (const [i, one] of tandems.entries()) {
    const own = compared(one);
    compare(t, scenario, reference, own, peerNames[i + 1]);
  }
}

/** Without the names of servers and their rows, in an order that does not tell of them. */
function withoutServers(observed: Observation): Observation {
  const isSide = ([cell]: [string, string]) => /^(FRONTEND|BACKEND) (?!connect|h1_total)/.test(cell);
  return {
    ...observed,
    log: observed.log.map((line) => line.replace(/^(.*?\S+ \S+)\/\S+ /, "$1/? ")).sort(),
    asked: observed.asked.map((text) => text.replace(/^\S+/, "?")).sort(),
    cells: new Map([...observed.cells].filter(isSide)),
  };
}

function compare(
  t: Test,
  { tandem }: Scenario,
  haproxy: Observation,
  own: Observation,
  engine: string,
): void {
  if (tandem?.sees === undefined) t.same(own.sees, haproxy.sees, `${engine}: the client sees the same`);
  else t.same(own.sees.map(brief), tandem.sees, `${engine}: the client sees`);
  if (tandem?.asked === undefined) t.same(own.asked, haproxy.asked, `${engine}: the servers get the same`);
  else t.same(own.asked.map(briefAsked), tandem.asked, `${engine}: the servers get`);
  if (tandem?.log === undefined)
    t.same([...own.log].sort(), [...haproxy.log].sort(), `${engine}: the same is logged`);
  else t.same(own.log.map(briefLog).sort(), [...tandem.log].sort(), `${engine}: logged is`);
  if (tandem?.cells !== "follow")
    t.same(
      cellDifferences(haproxy.cells, own.cells),
      tandem?.cells ?? {},
      `${engine}: the counters are the same`,
    );
  t.same(own.wrongSums, [], `${engine}: the servers' counters add up to the backend's`);
  if (tandem !== undefined) t.not(whole(own), whole(haproxy), "the difference is there");
}

const whole = (observed: Observation): string =>
  JSON.stringify({ ...observed, log: [...observed.log].sort(), cells: [...observed.cells].sort() });

function cellDifferences(theirs: ReadonlyMap<string, string>, ours: ReadonlyMap<string, string>) {
  const all = [...new Set([...theirs.keys(), ...ours.keys()])];
  const different = all.filter((cell) => theirs.get(cell) !== ours.get(cell));
  return Object.fromEntries(different.map((cell) => [cell, [theirs.get(cell) ?? "", ours.get(cell) ?? ""]]));
}

async function observe(peer: Peer, scenario: Scenario, options: ThemeOptions): Promise<Observation> {
  const { origins } = peer;
  const spec = options.proxies[scenario.proxy];
  const before = await peer.stat();
  peer.logs.length = 0;
  origins.begin(scenario.servers ?? {});
  const client = new Client(peer.ports[scenario.proxy], scenario.address ?? "127.0.0.1", (command) =>
    peer.ask(command),
  );
  const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
    const deadline = performance.now() + 30_000;
    while (!(await holds())) {
      if (performance.now() > deadline) throw new Error(`${peer.name}: ${what} does not come`);
      await sleep(10);
    }
  };
  try {
    await scenario.client(client, {
      peer: peer.name,
      pid: peer.pid,
      port: peer.ports[scenario.proxy],
      refuse: (server) => origins.refuse(server),
      listenAgain: (server) => origins.listenAgain(server),
      untilAsked: (count) => until(`request ${count}`, () => origins.asked.length >= count),
      letGo: () => origins.letGo(),
      untilLogged: (count) => until(`line ${count}`, () => peer.logs.length >= count),
      stat: () => peer.stat(),
      untilCell: (row, column, value) =>
        until(
          `${column} ${value} of ${row}`,
          async () => (await peer.stat()).get(`${scenario.proxy}/${row}`)?.get(column) === value,
        ),
    });
  } catch (error) {
    // What was seen until then says more than where it ended.
    client.note(`${error instanceof Error ? error.message : error}`);
  } finally {
    client.leave();
  }
  const lines = peer.name === "haproxy" ? scenario.log : (scenario.tandem?.log ?? scenario.log);
  const after = await atRest(peer, scenario, lines.length, spec.mode === "tcp");
  return {
    sees: client.seen,
    // In mode tcp both count the same bytes.
    log: peer.logs.map(({ text, bytes }) => (spec.mode === "tcp" ? `${text} ${bytes} bytes` : text)),
    // Checks come when they come.
    asked: origins.asked.filter(({ target }) => target !== "/health").map(describeAsked),
    cells: growth(before, after, scenario.proxy, spec.mode === "tcp"),
    wrongSums: wrongSums(after),
  };
}

/**
 * When the lines that are expected are there, nothing is under way, and nothing has been counted for a moment; another line that
 * comes late shows as well.
 */
async function atRest(peer: Peer, { proxy }: Scenario, lines: number, isTcp: boolean): Promise<Stat> {
  const deadline = performance.now() + 15_000;
  const told = (stat: Stat) => JSON.stringify([peer.logs.length, ...growth(new Map(), stat, proxy, isTcp)]);
  for (let before = await peer.stat(); ; ) {
    await sleep(30);
    const stat = await peer.stat();
    const busy = [...stat].some(([row, cells]) => row.startsWith(`${proxy}/`) && cells.get("scur") !== "0");
    const rests = !busy && peer.logs.length >= lines && told(stat) === told(before);
    if (rests || performance.now() > deadline) return stat;
    before = stat;
  }
}

/** The whole of a request, in a form in which two can be compared. */
function describeAsked({ server, line, fields, body }: Asked): string {
  const sorted = fields
    .map((field) => {
      const colon = field.indexOf(":");
      return `${field.slice(0, colon).toLowerCase()}: ${field.slice(colon + 1).trim()}`;
    })
    .sort();
  const shown = body.length > 200 ? `${body.length} bytes` : JSON.stringify(body);
  return [`${server} ${line}`, ...sorted, ...(body === "" ? [] : [`body ${shown}`])].join("\n");
}

/** `a GET /x HTTP/1.1 …` as `a GET /x`. */
const briefAsked = (text: string): string => text.split("\n")[0].split(" ").slice(0, 3).join(" ");

/** An answer as status and body; anything else as it is. */
function brief(text: string): string {
  const lines = text.split("\n");
  const found = /^(?:1\d\d, )*HTTP\/(?:1\.1|2) (\d+)/.exec(lines[0]);
  if (found === null) return text;
  const body = lines.at(-1)?.replace(/^body /, "") ?? "";
  return body === '""' ? found[1] : `${found[1]} ${body}`;
}

/** `200 ----` of httplog, `cD` of tcplog. */
function briefLog(text: string): string {
  const http = /(-?\d+) [0+] - - (\S{4}) /.exec(text);
  return http === null ? (/ [0+] (\S\S) \d/.exec(text)?.[1] ?? text) : `${http[1]} ${http[2]}`;
}
