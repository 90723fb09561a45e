import { AdvertWatch } from "../lab/adverts.js";
import { type Backend, startNginx, startSmallBackend } from "../lab/backend.js";
import { nowMs, sleep } from "../lab/clock.js";
import type { Exit } from "../lab/host-process.js";
import { type Host, Network, virtualAddress } from "../lab/network.js";
import { peerKey } from "../lab/pair.js";
import { Probe } from "../lab/probe.js";
import { type LogEntry, startTandem, type Tandem } from "../lab/tandem.js";
import type { EventResult, Report } from "./report.js";
import { masterDownMs, preempted, silent, stopped, type Theory } from "./theory.js";

/** Commands that the demo can do without. */
export interface Tools {
  readonly nginx: boolean;
  readonly tcpdump: boolean;
  readonly socat: boolean;
  readonly curl: boolean;
}

/** A node may start late on a busy machine, find the other as master, and take over from it. */
const electionMs = 2 * masterDownMs + 15_000;
/** Time that a busy machine may add to what the protocol asks for. */
const slackMs = 500;

/**
 * The demo from beginning to end, on a network of its own that is gone afterwards.
 *
 * @returns one result per event
 * @throws Error when the pair does not come up, or an event ends without a master
 */
export async function tellStory(report: Report, tools: Tools): Promise<EventResult[]> {
  const network = await Network.create();
  try {
    return await new Story(network, report, tools).tell();
  } finally {
    await network.close();
    report.line("every process, namespace and file of the demo is gone again");
  }
}

class Story {
  readonly #network: Network;
  readonly #report: Report;
  readonly #tools: Tools;
  readonly #client: Host;
  readonly #results: EventResult[] = [];
  #adverts: AdvertWatch | null = null;

  constructor(network: Network, report: Report, tools: Tools) {
    this.#network = network;
    this.#report = report;
    this.#tools = tools;
    this.#client = network.host("client");
  }

  async tell(): Promise<EventResult[]> {
    const report = this.#report;
    report.heading("Two web servers, two balancers, a client: one bridge, 192.168.33.0/24, interface eth1");
    for (const name of ["web-box1", "web-box2"]) await this.#startWeb(this.#network.host(name));
    if (this.#tools.tcpdump) this.#adverts = await AdvertWatch.start(this.#client);
    let box1 = this.#startBalancer("lb-box1", 101);
    const box2 = this.#startBalancer("lb-box2", 100);
    await this.#network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    report.line(`lb-box1 is the master: it holds ${virtualAddress}`);
    await this.#showRequests();
    await this.#showAdvert();
    await this.#showCounters(box1, box2);

    report.heading("The client now asks without a pause, while things break");
    const probe = Probe.start(this.#client);
    await probe.waitForService(10_000);

    const event = this.#event.bind(this, probe);
    await event("lb-box1 stopped (SIGTERM)", "lb-box2", async () => {
      const exit = await box1.stop();
      return { theory: stopped, problems: exitProblems(exit), boundMs: 250 };
    });
    await event("lb-box1 started again", "lb-box1", async () => {
      box1 = this.#startBalancer("lb-box1", 101);
      return { theory: preempted, problems: [], boundMs: slackMs };
    });
    await event("lb-box1 killed (kill -9)", "lb-box2", async () => {
      const theory = silent(this.#sinceAdvert("lb-box1"));
      await box1.kill();
      return { theory, problems: [], boundMs: masterDownMs + slackMs };
    });
    report.line(`lb-box1's kernel has dropped ${virtualAddress}: its lease was not renewed`);
    await event("lb-box1 started again", "lb-box1", async () => {
      box1 = this.#startBalancer("lb-box1", 101);
      return { theory: preempted, problems: [], boundMs: slackMs };
    });
    await event("lb-box1's link cut", "lb-box2", async () => {
      const theory = silent(this.#sinceAdvert("lb-box1"));
      await this.#network.cutLink("lb-box1");
      return { theory, problems: [], boundMs: masterDownMs + slackMs };
    });
    await event("lb-box1's link back", "lb-box1", async () => {
      await this.#network.restoreLink("lb-box1");
      return { theory: preempted, problems: [], boundMs: slackMs };
    });
    await probe.stop();
    report.end(this.#results);
    return this.#results;
  }

  async #startWeb(host: Host): Promise<Backend> {
    const start = this.#tools.nginx ? startNginx : startSmallBackend;
    const backend = await start(this.#network, host);
    this.#report.line(
      `${host.name}  ${host.address}  ${this.#tools.nginx ? "nginx" : "a small HTTP server"}`,
    );
    return backend;
  }

  #startBalancer(name: string, priority: number): Tandem {
    const host = this.#network.host(name);
    const tandem = startTandem(this.#network, host, "--priority", String(priority), "--peer-key", peerKey);
    tandem.process.onLine((line) => {
      const transition = parseTransition(tandem.parse(line));
      if (transition !== null) this.#report.line(`${name}: ${transition}`);
    });
    this.#report.line(`${name}   ${host.address}  node bin/lb.js --priority ${priority} --peer-key …`);
    return tandem;
  }

  async #showRequests(): Promise<void> {
    this.#report.heading("The web servers one by one, and both behind the virtual address");
    for (const name of ["web-box1", "web-box2"]) await this.#curl(this.#network.host(name).address);
    for (let times = 0; times < 4; times += 1) await this.#curl(virtualAddress);
  }

  async #showAdvert(): Promise<void> {
    this.#report.heading("The advert that the master sends every second");
    if (!this.#tools.tcpdump) {
      this.#report.line("skipped: there is no tcpdump here");
      return;
    }
    const parameters = ["-c", "2", "-vni", "eth1", "vrrp"];
    // -Z root beside it: in a user namespace tcpdump cannot become the user that it would run as.
    const shown = await this.#client.tryRun("timeout", "10", "tcpdump", "-Z", "root", ...parameters);
    this.#report.command("client", `tcpdump ${parameters.join(" ")}`, shown.stdout);
    if (shown.code !== 0) throw new Error(`no advert was seen within 10 s: ${shown.stderr}`);
  }

  async #showCounters(master: Tandem, backup: Tandem): Promise<void> {
    this.#report.heading("Bytes to clients (column 10): the master's rise, the backup's do not");
    const before = [await this.#column10(master), await this.#column10(backup)];
    for (let times = 0; times < 20; times += 1) await this.#fetch(virtualAddress);
    this.#report.line(`20 requests to http://${virtualAddress}/`);
    const after = [await this.#column10(master), await this.#column10(backup)];
    if (!(after[0] > before[0])) throw new Error(`column 10 of the master stayed at ${after[0]}`);
    if (after[1] !== before[1])
      throw new Error(`column 10 of the backup went from ${before[1]} to ${after[1]}`);
  }

  async #column10(tandem: Tandem): Promise<number> {
    const stdin = "echo show stat";
    const pipeline = `socat ${tandem.statsSocket} stdio | grep http,BACKEND | cut -d, -f10`;
    const output = this.#tools.socat
      ? await tandem.host.run("sh", "-c", `${stdin} | ${pipeline}`)
      : `${(await tandem.statRow("http", "BACKEND")).bout}\n`;
    const shown = this.#tools.socat ? pipeline : "(stats socket) | grep http,BACKEND | cut -d, -f10";
    this.#report.command(tandem.host.name, `${stdin} | ${shown}`, output);
    return Number(output);
  }

  async #curl(address: string): Promise<void> {
    this.#report.command("client", `curl http://${address}/`, await this.#fetch(address));
  }

  #fetch(address: string): Promise<string> {
    const url = `http://${address}/`;
    if (this.#tools.curl) return this.#client.run("curl", "-sS", "--fail", "--max-time", "5", url);
    const script = "fetch(process.argv[1]).then((r) => r.text()).then((text) => process.stdout.write(text))";
    return this.#client.run(process.execPath, "-e", script, url);
  }

  /** ms since a host's last advert, or null if none can be seen here. */
  #sinceAdvert(name: string): number | null {
    const last = this.#adverts?.from(this.#network.host(name).address).at(-1);
    return last === undefined ? null : Date.now() - last.epochMs;
  }

  async #event(
    probe: Probe,
    name: string,
    master: string,
    happen: () => Promise<{ theory: Theory; problems: string[]; boundMs: number }>,
  ): Promise<void> {
    this.#report.heading(name);
    // Events apart from each other: a steady state first.
    await sleep(500);
    const startMs = nowMs();
    const { theory, problems, boundMs } = await happen();
    await this.#network.waitForHolder(virtualAddress, master, electionMs);
    await probe.waitForService(5000);
    const seen = await probe.summary(startMs, nowMs());
    if (seen.new.gapMs > boundMs)
      problems.push(
        `no answer for ${Math.round(seen.new.gapMs)} ms; at most ${Math.round(boundMs)} were expected`,
      );
    const result = { event: name, master, seen, keepalived: theory, problems };
    this.#results.push(result);
    this.#report.event(result);
    await this.#curl(virtualAddress);
  }
}

function exitProblems(exit: Exit): string[] {
  return exit.code === 0 ? [] : [`it exited with ${exit.signal ?? exit.code} and not with 0`];
}

/** "BACKUP → MASTER: reason", of a log line that tells a transition. */
function parseTransition(entry: LogEntry | null): string | null {
  if (entry === null) return null;
  const { from, to, reason } = entry;
  if (typeof from !== "string" || typeof to !== "string") return null;
  return `${from} → ${to}: ${typeof reason === "string" ? reason : "no reason given"}`;
}
