import { lookup } from "node:dns/promises";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import t, { type Test } from "tap";
import type { ProxyConfig, ProxyTimeouts } from "../../src/config/config.js";
import { closeDescriptor, openListeningSocket } from "../../src/netlink/listening-socket.js";
import { createProxies } from "../../src/proxy/create-proxies.js";
import { DirectEngine } from "../../src/proxy/engine/direct/direct-engine.js";
import type { Engine, Listener } from "../../src/proxy/engine/engine.js";
import { PortableEngine } from "../../src/proxy/engine/portable/portable-engine.js";
import { ServerTable } from "../../src/proxy/health/server-table.js";
import { InvalidMessages } from "../../src/proxy/invalid-messages.js";
import { OperatorLimits } from "../../src/proxy/operator-limits.js";
import type { ProxyInstance } from "../../src/proxy/proxy-instance.js";
import { createServerSlots } from "../../src/proxy/queue/server-slots.js";
import { createGateMemory, createRuleCounters } from "../../src/proxy/rules/rule-counters.js";
import { monotonicMs } from "../../src/proxy/stats/monotonic.js";
import { type ProxySnapshot, readSnapshot } from "../../src/proxy/stats/snapshot.js";
import { StatsTable } from "../../src/proxy/stats/table.js";
import { noTls, type ThreadTls } from "../../src/proxy/tls/certificate.js";
import { eventually, Peer, within } from "./peer.js";

/** An engine at work in this thread. */
interface RunningEngine {
  readonly engine: Engine;
  /** What it has lent out and not got back; called when nothing is connected any more. */
  readonly lost: () => Readonly<Record<string, number>>;
  stop(): void;
}

/** The engines that the proxy must behave the same over. */
export const engines: readonly { readonly name: string; readonly start: () => RunningEngine }[] = [
  { name: "portable", start: startPortable },
  { name: "direct", start: startDirect },
];

function startPortable(): RunningEngine {
  const engine = new PortableEngine();
  return { engine, lost: () => ({}), stop: () => engine.destroy() };
}

/** Where a scenario is about TLS, which the direct engine does not speak. */
export const portableOnly = engines.filter(({ name }) => name === "portable");

/** Where a scenario is about what only the direct engine does. */
export const directOnly = engines.filter(({ name }) => name === "direct");

/** Its loop blocks in a thread of its own; here, where the peers live as well, it gets a turn every millisecond. */
function startDirect(): RunningEngine {
  const engine = new DirectEngine({
    lookUp: (host, answer) => {
      lookup(host, { all: true }).then(
        (found) =>
          answer(
            found.map(({ address }) => address),
            null,
          ),
        (error: NodeJS.ErrnoException) => answer([], error.code ?? null),
      );
    },
  });
  const turns = setInterval(() => engine.turn(0), 1);
  return {
    engine,
    lost: () => ({ ...engine.lent }),
    stop: () => {
      clearInterval(turns);
      engine.destroy();
      engine.close();
    },
  };
}

/** Time-outs that no scenario reaches unless it is about one. */
const unreached: ProxyTimeouts = {
  connectMs: 10_000,
  requestHeadMs: 10_000,
  clientMs: 10_000,
  serverMs: 10_000,
  keepAliveMs: 10_000,
  tunnelMs: 10_000,
};

export interface ProxyOptions {
  readonly timeouts?: Partial<ProxyTimeouts>;
  readonly maxHeadBytes?: number;
  readonly maxconn?: number;
  readonly tls?: ThreadTls;
  /** Other backends, to which rules lead; what they do not say they have as the proxy has it. */
  readonly backends?: readonly (Pick<ProxyConfig, "name" | "servers"> & Partial<ProxyConfig>)[];
  /** What else its configuration says. */
  readonly config?: Partial<ProxyConfig>;
}

/** Where a proxy finds a server. */
interface Target {
  readonly name: string;
  readonly port: number;
}

/**
 * Runs a test once per engine. The script gets raw servers, a proxy in front of them and raw clients; when it is done,
 * everything must have come to rest: no client connection, no exchange, no descriptor left over, and the accounts of
 * frontend, servers and backend agree.
 */
export function scenario(
  name: string,
  script: (s: Scenario, t: Test) => Promise<void>,
  over: readonly { readonly name: string; readonly start: () => RunningEngine }[] = engines,
): void {
  for (const engine of over) {
    t.test(over.length > 1 ? `${name} (${engine.name})` : name, async (t) => {
      const descriptorsBefore = openSockets();
      const running = engine.start();
      const s = new Scenario(running.engine);
      try {
        await script(s, t);
        await s.settle(t);
        for (const [what, count] of Object.entries(running.lost()))
          t.equal(count, 0, `${what} are given back`);
      } finally {
        s.destroy();
        running.stop();
      }
      await eventually(
        () => openSockets() <= descriptorsBefore,
        () => `${openSockets() - descriptorsBefore} sockets are left open`,
      );
    });
  }
}

export class Scenario {
  readonly servers: ScriptedServer[] = [];
  readonly proxies: RunningProxy[] = [];
  private readonly cleanups: (() => void)[] = [];

  constructor(private readonly engine: Engine) {}

  /** A server that does what the script says. */
  async server(): Promise<ScriptedServer> {
    const server = new ScriptedServer(`server ${this.servers.length + 1}`, `web0${this.servers.length + 1}`);
    this.servers.push(server);
    await server.listen();
    return server;
  }

  /** What the script has opened by itself is closed by this. */
  atEnd(cleanup: () => void): void {
    this.cleanups.push(cleanup);
  }

  /** An address where nobody listens. */
  async refusing(name = "refusing"): Promise<Target> {
    const probe = net.createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return { name, port };
  }

  /** An address whose listener takes no connection: its queue is full, and further SYNs are dropped. */
  async unresponsive(name = "unresponsive"): Promise<Target> {
    const descriptor = openListeningSocket({ address: "127.0.0.1", port: 0, backlog: 0 });
    const port = portOf(descriptor);
    const fillers = [0, 1, 2].map(() => net.connect(port, "127.0.0.1"));
    for (const filler of fillers) filler.on("error", () => {});
    this.cleanups.push(() => {
      for (const filler of fillers) filler.destroy();
      closeDescriptor(descriptor);
    });
    await within(
      new Promise((resolve) => fillers[0].once("connect", resolve)),
      1_000,
      () => "the queue is not filled",
    );
    return { name, port };
  }

  /** The proxy, on a real listening socket, in front of these servers. */
  proxy(servers: readonly Target[], options: ProxyOptions = {}): RunningProxy {
    const proxy = new RunningProxy(this.engine, servers, options);
    this.proxies.push(proxy);
    return proxy;
  }

  /** A proxy in front of one server, and a client of it: what most scenarios need. */
  async one(
    options: ProxyOptions = {},
  ): Promise<{ server: ScriptedServer; proxy: RunningProxy; client: Peer }> {
    const server = await this.server();
    const proxy = this.proxy([server], options);
    return { server, proxy, client: await proxy.client() };
  }

  /** Everything comes to rest once the clients are gone. */
  async settle(t: Test): Promise<void> {
    for (const proxy of this.proxies) {
      for (const client of proxy.clients) client.reset();
      await eventually(
        () => proxy.instance.clients.size === 0,
        () => `${proxy.instance.clients.size} client connections are left`,
      );
    }
    const connected = () =>
      this.servers.reduce((sum, { peers }) => sum + peers.filter((peer) => peer.isOpen).length, 0);
    const pooled = () => this.proxies.reduce((sum, proxy) => sum + proxy.pooled(), 0);
    await eventually(
      () => connected() === pooled(),
      () => `servers see ${connected()} connections, the pools hold ${pooled()}`,
    );
    for (const proxy of this.proxies) {
      t.same(wrongAccounts(proxy), [], "the accounts agree");
      for (const instance of proxy.instances) instance.drain();
      t.equal(proxy.pooled(), 0, "draining empties the pools");
    }
    await eventually(
      () => connected() === 0,
      () => `${connected()} connections to servers outlive the pools`,
    );
    for (const server of this.servers) {
      if (server.failure !== null) throw server.failure;
      if (server.unexpected > 0)
        throw new Error(`${server.name} saw ${server.unexpected} unexpected connections`);
    }
  }

  destroy(): void {
    for (const proxy of this.proxies) proxy.destroy();
    for (const server of this.servers) server.destroy();
    for (const cleanup of this.cleanups) cleanup();
  }
}

/** A listening TCP socket whose connections the script takes one by one, or serves with a handler. */
export class ScriptedServer implements Target {
  port = 0;
  readonly peers: Peer[] = [];
  /** The first error of a handler. */
  failure: unknown = null;
  private server = net.createServer({ allowHalfOpen: true });
  private readonly arrived: Peer[] = [];
  private readonly takers: ((peer: Peer) => void)[] = [];
  private handler: ((peer: Peer) => Promise<void>) | null = null;

  constructor(
    private readonly title: string,
    readonly name: string,
  ) {}

  listen(): Promise<void> {
    this.server.on("connection", (socket) => {
      const peer = new Peer(socket, `${this.title}, connection ${this.peers.length + 1}`);
      this.peers.push(peer);
      if (this.handler !== null) this.run(this.handler, peer);
      else this.takers.length > 0 ? this.takers.shift()?.(peer) : this.arrived.push(peer);
    });
    return new Promise((resolve) =>
      this.server.listen(this.port, "127.0.0.1", () => {
        this.port = (this.server.address() as AddressInfo).port;
        resolve();
      }),
    );
  }

  /** Connections that were never accepted by the script. */
  get unexpected(): number {
    return this.arrived.length;
  }

  /** The next connection that the proxy opens. */
  accept(): Promise<Peer> {
    const peer = this.arrived.shift();
    if (peer !== undefined) return Promise.resolve(peer);
    const arrival = new Promise<Peer>((resolve) => this.takers.push(resolve));
    return within(arrival, 20_000, () => `${this.title}: expected a connection`);
  }

  /** Serves every connection from now on; a handler that fails makes the scenario fail. */
  serve(handler: (peer: Peer) => Promise<void>): void {
    this.handler = handler;
  }

  /** Stops listening: from now on the port refuses. Connections stay. */
  refuse(): void {
    this.server.close();
  }

  /** After `refuse`: takes connections on the same port again. */
  listenAgain(): Promise<void> {
    this.server = net.createServer({ allowHalfOpen: true });
    return this.listen();
  }

  destroy(): void {
    this.server.close();
    for (const peer of this.peers) peer.destroy();
  }

  private run(handler: (peer: Peer) => Promise<void>, peer: Peer): void {
    handler(peer).catch((error: unknown) => {
      this.failure ??= error;
    });
  }
}

/** What a scenario must know of a client, whatever that speaks. */
export interface AnyClient {
  /** A hard end. */
  reset(): void;
  destroy(): void;
}

export class RunningProxy {
  readonly instance: ProxyInstance;
  /** It and its backends. */
  readonly instances: readonly ProxyInstance[];
  readonly port: number;
  readonly clients: AnyClient[] = [];
  /** What an operator would have read in the log. */
  readonly events: { readonly message: string; readonly [field: string]: string | number }[] = [];
  /** Failed exchanges, as the log would tell of them. */
  readonly failures: Readonly<Record<string, string | number>>[] = [];
  /** The access log. */
  readonly lines: string[] = [];
  readonly invalid: InvalidMessages;
  private readonly config: ProxyConfig;
  private readonly configs: readonly ProxyConfig[];
  readonly states: ServerTable;
  private readonly table: StatsTable;
  private readonly listener: Listener;

  constructor(engine: Engine, servers: readonly Target[], options: ProxyOptions) {
    const descriptor = openListeningSocket({ address: "127.0.0.1", port: 0 });
    this.port = portOf(descriptor);
    this.config = {
      name: "http",
      listen: [{ address: "127.0.0.1", port: this.port }],
      balance: "roundrobin",
      servers: servers.map(({ name, port }) => ({ name, host: "127.0.0.1", port })),
      timeouts: { ...unreached, ...options.timeouts },
      maxHeadBytes: options.maxHeadBytes ?? 16_384,
      maxconn: options.maxconn ?? null,
      ...options.config,
    };
    const others = (options.backends ?? []).map(({ name, ...other }): ProxyConfig => {
      const { rules: _rules, log: _log, errorFiles: _files, ...shared } = this.config;
      return { ...shared, listen: [], side: "backend", name, ...other };
    });
    this.configs = [this.config, ...others];
    this.table = new StatsTable(this.configs, 1);
    this.states = new ServerTable(this.configs, { nowMs: monotonicMs() });
    this.invalid = new InvalidMessages(this.table, 0);
    this.instances = createProxies({
      data: {
        proxies: this.configs,
        threadIndex: 0,
        maxconn: 10_000,
        tls: options.tls ?? noTls,
        serversBuffer: this.states.buffer,
        limitsBuffer: new OperatorLimits(this.configs).buffer,
        slotsBuffer: createServerSlots(this.configs, 1),
        ruleCounters: this.configs.map(({ rules = [] }) => createRuleCounters(rules, () => 7)),
        gateMemory: this.configs.map(({ connectionRules = [] }) =>
          createGateMemory(connectionRules, 1, () => 7),
        ),
      },
      engine,
      table: this.table,
      invalid: this.invalid,
      sink: { write: (_target, _facility, line) => this.lines.push(line) },
      event: (fields, message) => this.events.push({ ...fields, message }),
      failed: (fields) => this.failures.push(fields),
    });
    this.instance = this.instances[0];
    this.listener = this.instance.listen(descriptor, 0, options.tls);
  }

  /** A client that has just connected. */
  async client(): Promise<Peer> {
    const peer = this.connect();
    const connected = new Promise<void>((resolve) => peer.socket.once("connect", () => resolve()));
    await within(connected, 20_000, () => "the proxy does not accept");
    return peer;
  }

  /** A client that is about to connect. */
  connect(): Peer {
    const socket = net.connect({ port: this.port, host: "127.0.0.1", allowHalfOpen: true });
    const peer = new Peer(socket, `client ${this.clients.length + 1}`);
    this.clients.push(peer);
    return peer;
  }

  /** A client that this scenario has connected in its own way. */
  add(client: AnyClient): void {
    this.clients.push(client);
  }

  /** Its own rows, or those of its `index`-th backend. */
  stats(index = 0): ProxySnapshot {
    return readSnapshot(this.table, this.configs).proxies[index];
  }

  /** Connections in the pools of it and its backends. */
  pooled(): number {
    return this.instances.reduce((sum, _, i) => sum + this.stats(i).backend.idleConnections, 0);
  }

  destroy(): void {
    this.listener.close();
    for (const client of this.clients) client.destroy();
  }
}

/** What must hold for the counters whatever has happened, once all clients are gone; what does not. */
function wrongAccounts(proxy: RunningProxy): string[] {
  const wrong: string[] = [];
  const { frontend } = proxy.stats();
  const all = proxy.instances.map((_, i) => proxy.stats(i));
  const check = (holds: boolean, what: string) => {
    if (!holds) wrong.push(what);
  };
  check(frontend.sessionsCurrent === 0, `${frontend.sessionsCurrent} sessions are left in the frontend`);
  check(frontend.connectionsTotal === proxy.clients.length, "the frontend did not count every client");
  check(frontend.internalErrors === 0, "internal errors");
  const forwarded = all.reduce((sum, { backend }) => sum + backend.requestsTotal, 0);
  check(forwarded <= frontend.requestsTotal, "the backends got more requests than came");
  for (const { servers, backend } of all) {
    for (const [i, row] of [backend, ...servers].entries()) {
      const name = i === 0 ? "backend" : `server ${i}`;
      check(row.sessionsCurrent === 0, `${row.sessionsCurrent} sessions are left in ${name}`);
      check(row.usedConnections === 0, `${row.usedConnections} connections are left in use in ${name}`);
      check(row.idleConnections >= 0, `${name} has ${row.idleConnections} idle connections`);
      check(row.connectErrors <= row.connectsTotal, `${name} has more failures to connect than attempts`);
    }
    for (const cell of summed) {
      const total = servers.reduce((sum, server) => sum + server[cell], 0);
      check(backend[cell] === total, `${cell}: backend ${backend[cell]}, its servers together ${total}`);
    }
  }
  return wrong;
}

const summed = [
  "bytesIn",
  "bytesOut",
  "connectErrors",
  "responseErrors",
  "serverAborts",
  "retries",
  "redispatches",
  "selections",
  "connectsTotal",
  "reuses",
  "idleConnections",
  "usedConnections",
  "responses2xx",
] as const;

function openSockets(): number {
  let count = 0;
  for (const entry of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${entry}`).startsWith("socket:")) count++;
    } catch {
      // The descriptor of the listing itself is gone by now.
    }
  }
  return count;
}

/** The port that a listening IPv4 socket is bound to. */
function portOf(descriptor: number): number {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  for (const row of readFileSync("/proc/self/net/tcp", "latin1").split("\n").slice(1)) {
    const cells = row.trim().split(/\s+/);
    if (cells[9] === inode) return Number.parseInt(cells[1].slice(-4), 16);
  }
  throw new Error(`descriptor ${descriptor} is no IPv4 socket`);
}

// —— texts ——

/** A head: its lines with their ends, and the empty line. */
export const head = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;

/** The lines that every request gets on its way to a server, for clients of this machine. */
export const forwarded = ["X-Forwarded-Proto: http", "X-Forwarded-For: 127.0.0.1"] as const;

/** A GET as a client sends it. */
export const get = (path: string, ...fields: string[]): string =>
  head(`GET ${path} HTTP/1.1`, "Host: site", ...fields);

/** The same GET as the server gets it. */
export const forwardedGet = (path: string, ...fields: string[]): string =>
  head(`GET ${path} HTTP/1.1`, "Host: site", ...fields, ...forwarded);

/** A 200 with this body: as a server sends it, and as the client gets it while the connection goes on. */
export const ok = (body: string): string =>
  `${head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`)}${body}`;

/** The same for a client whose connection will be closed. */
export const lastOk = (body: string): string =>
  `${head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`, "Connection: close")}${body}`;
