import type { ServerConfig } from "../../config/server-config.js";
import { adaptState } from "./adapt-state.js";
import { checkStatuses, checkStatusOf } from "./check-status.js";
import { effectiveWeight } from "./effective-weight.js";
import { type AdminState, awaitsCheck, initialState, isStopped, type ServerState } from "./server-state.js";
import { readTarget, type ServerTarget, withTarget, writeTarget } from "./server-target.js";

/** A server's cells. The first two are what data threads read at picks; the others are the state itself. */
const Cell = {
  effectiveWeight: 0,
  recoveries: 1,
  admin: 2,
  health: 3,
  weight: 4,
  changedMs: 5,
  downtimeMs: 6,
  /** −1: null. */
  cameUpMs: 7,
  checkStatus: 8,
  /** −1: null. */
  checkCode: 9,
  /** −1: null. */
  checkDurationMs: 10,
  failedChecks: 11,
  downs: 12,
  errorLimits: 13,
  /** 1 while a check runs. */
  checking: 14,
  /** 1: down or in maintenance. */
  stopped: 15,
  /** 1: the first check has not ended. */
  awaited: 16,
  /** Of `server-target`, which has seven of them. */
  target: 17,
  /** −1: null. */
  maxconn: 24,
  /** 1: listened to; −1: there is none. */
  agentEnabled: 25,
  agentHealth: 26,
  agentStatus: 27,
  /** −1: null. */
  agentDurationMs: 28,
  /** 1 while the agent is being asked. */
  asking: 29,
} as const;
/** Four cache lines, so that two servers never share one. */
const rowCells = 32;

/** A proxy's own cells, behind its servers'. */
const BackendCell = { hasServer: 0, changedMs: 1, downtimeMs: 2, downs: 3 } as const;

const adminStates: readonly AdminState[] = ["ready", "drain", "maint"];

/** What the table needs to know of a proxy. */
export interface StateProxy {
  readonly name: string;
  readonly servers: readonly ServerConfig[];
}

/** HAProxy's books on a whole backend: whether anybody in it takes requests. */
export interface BackendState {
  readonly hasServer: boolean;
  readonly changedMs: number;
  /** Before `changedMs`. */
  readonly downtimeMs: number;
  readonly downs: number;
}

/**
 * The states of all servers in one SharedArrayBuffer of float64 cells: written by the control thread, read by the data
 * threads at every pick and by whoever shows them. It is the record itself and no copy, so a control thread that died
 * goes on where it was, and a reload takes over what it knows (`takeOver`).
 */
export class ServerTable {
  readonly buffer: SharedArrayBuffer;
  private readonly cells: Float64Array;
  private readonly versions: Int32Array;
  private readonly firstRows: readonly number[];

  /** Without `buffer`: a new table, every server in its initial state. `nowMs`: process-wide monotonic clock. */
  constructor(
    readonly proxies: readonly StateProxy[],
    from: { readonly buffer: SharedArrayBuffer } | { readonly nowMs: number },
  ) {
    // In front of the rows one cell for the two versions, padded to a row.
    let cells = rowCells;
    this.firstRows = proxies.map(({ servers }) => {
      const first = cells;
      cells += (servers.length + 1) * rowCells;
      return first;
    });
    this.buffer = "buffer" in from ? from.buffer : new SharedArrayBuffer(cells * 8);
    this.cells = new Float64Array(this.buffer);
    this.versions = new Int32Array(this.buffer, 0, 2);
    if ("buffer" in from) return;
    for (const [proxy, { servers }] of proxies.entries()) {
      for (const [server, config] of servers.entries())
        this.write(proxy, server, initialState(config, from.nowMs), from.nowMs);
      const hasServer = this.hasServer(proxy);
      this.writeBackend(proxy, { hasServer, changedMs: from.nowMs, downtimeMs: 0, downs: 0 });
    }
  }

  /** Changes with everything that a pick depends on. */
  get version(): number {
    return Atomics.load(this.versions, 0);
  }

  /** Changes with every `setTarget`. */
  get targetVersion(): number {
    return Atomics.load(this.versions, 1);
  }

  readTarget(proxy: number, server: number): ServerTarget {
    return readTarget(this.cells, this.row(proxy, server) + Cell.target);
  }

  setTarget(proxy: number, server: number, target: ServerTarget): void {
    writeTarget(this.cells, this.row(proxy, server) + Cell.target, target);
    Atomics.add(this.versions, 1, 1);
    // Who picks a server looks here then.
    Atomics.add(this.versions, 0, 1);
  }

  /** The server's configuration with an operator's address in it; the very same object while there is none. */
  effectiveServer(proxy: number, server: number): ServerConfig {
    return withTarget(this.proxies[proxy].servers[server], this.readTarget(proxy, server));
  }

  read(proxy: number, server: number): ServerState {
    const { cells } = this;
    const row = this.row(proxy, server);
    const orNull = (cell: number) => (cells[row + cell] < 0 ? null : cells[row + cell]);
    return {
      admin: adminStates[cells[row + Cell.admin]] ?? "ready",
      health: cells[row + Cell.health],
      weight: cells[row + Cell.weight],
      maxconn: orNull(Cell.maxconn),
      agent:
        cells[row + Cell.agentEnabled] < 0
          ? null
          : {
              isEnabled: cells[row + Cell.agentEnabled] === 1,
              health: cells[row + Cell.agentHealth],
              status: checkStatusOf(cells[row + Cell.agentStatus]),
              durationMs: orNull(Cell.agentDurationMs),
            },
      changedMs: cells[row + Cell.changedMs],
      downtimeMs: cells[row + Cell.downtimeMs],
      cameUpMs: orNull(Cell.cameUpMs),
      checkStatus: checkStatusOf(cells[row + Cell.checkStatus]),
      checkCode: orNull(Cell.checkCode),
      checkDurationMs: orNull(Cell.checkDurationMs),
      failedChecks: cells[row + Cell.failedChecks],
      downs: cells[row + Cell.downs],
      errorLimits: cells[row + Cell.errorLimits],
      recoveries: cells[row + Cell.recoveries],
    };
  }

  write(proxy: number, server: number, state: ServerState, nowMs: number): void {
    const { cells } = this;
    const row = this.row(proxy, server);
    const config = this.proxies[proxy].servers[server];
    cells[row + Cell.admin] = adminStates.indexOf(state.admin);
    cells[row + Cell.health] = state.health;
    cells[row + Cell.weight] = state.weight;
    cells[row + Cell.changedMs] = state.changedMs;
    cells[row + Cell.downtimeMs] = state.downtimeMs;
    cells[row + Cell.cameUpMs] = state.cameUpMs ?? -1;
    cells[row + Cell.checkStatus] = checkStatuses[state.checkStatus].number;
    cells[row + Cell.checkCode] = state.checkCode ?? -1;
    cells[row + Cell.checkDurationMs] = state.checkDurationMs ?? -1;
    cells[row + Cell.failedChecks] = state.failedChecks;
    cells[row + Cell.downs] = state.downs;
    cells[row + Cell.errorLimits] = state.errorLimits;
    const { agent } = state;
    cells[row + Cell.agentEnabled] = agent === null ? -1 : agent.isEnabled ? 1 : 0;
    cells[row + Cell.agentHealth] = agent?.health ?? 0;
    cells[row + Cell.agentStatus] = checkStatuses[agent?.status ?? "INI"].number;
    cells[row + Cell.agentDurationMs] = agent?.durationMs ?? -1;
    cells[row + Cell.stopped] = isStopped(state, config) ? 1 : 0;
    const weight = effectiveWeight(state, config, nowMs);
    const awaited = awaitsCheck(state, config) ? 1 : 0;
    const isNews =
      cells[row + Cell.effectiveWeight] !== weight ||
      cells[row + Cell.awaited] !== awaited ||
      cells[row + Cell.maxconn] !== (state.maxconn ?? -1) ||
      cells[row + Cell.recoveries] !== state.recoveries;
    cells[row + Cell.awaited] = awaited;
    cells[row + Cell.maxconn] = state.maxconn ?? -1;
    cells[row + Cell.recoveries] = state.recoveries;
    cells[row + Cell.effectiveWeight] = weight;
    // Last, and with a fence: who sees the new version sees what it is about.
    if (isNews) Atomics.add(this.versions, 0, 1);
  }

  /** In parts of `weightScale`; 0: gets no request. */
  effectiveWeight(proxy: number, server: number): number {
    return this.cells[this.row(proxy, server) + Cell.effectiveWeight];
  }

  recoveries(proxy: number, server: number): number {
    return this.cells[this.row(proxy, server) + Cell.recoveries];
  }

  /** Down by its checks or its agent, or in maintenance. */
  isStopped(proxy: number, server: number): boolean {
    return this.cells[this.row(proxy, server) + Cell.stopped] === 1;
  }

  /** Whether it is up is not known yet. */
  isAwaited(proxy: number, server: number): boolean {
    return this.cells[this.row(proxy, server) + Cell.awaited] === 1;
  }

  isChecking(proxy: number, server: number): boolean {
    return this.cells[this.row(proxy, server) + Cell.checking] === 1;
  }

  /** An agent's or an operator's limit, 0: none; −1: that of the configuration. */
  maxconn(proxy: number, server: number): number {
    return this.cells[this.row(proxy, server) + Cell.maxconn];
  }

  /** Its agent is being asked. */
  isAsking(proxy: number, server: number): boolean {
    return this.cells[this.row(proxy, server) + Cell.asking] === 1;
  }

  noteAsking(proxy: number, server: number, isRunning: boolean): void {
    this.cells[this.row(proxy, server) + Cell.asking] = isRunning ? 1 : 0;
  }

  noteChecking(proxy: number, server: number, isRunning: boolean): void {
    this.cells[this.row(proxy, server) + Cell.checking] = isRunning ? 1 : 0;
  }

  /** Whether anybody takes requests. A proxy without servers is none that lacks one, as in HAProxy. */
  hasServer(proxy: number): boolean {
    const { servers } = this.proxies[proxy];
    return servers.length === 0 || servers.some((_, server) => this.effectiveWeight(proxy, server) > 0);
  }

  readBackend(proxy: number): BackendState {
    const { cells } = this;
    const row = this.row(proxy, this.proxies[proxy].servers.length);
    return {
      hasServer: cells[row + BackendCell.hasServer] === 1,
      changedMs: cells[row + BackendCell.changedMs],
      downtimeMs: cells[row + BackendCell.downtimeMs],
      downs: cells[row + BackendCell.downs],
    };
  }

  writeBackend(proxy: number, state: BackendState): void {
    const { cells } = this;
    const row = this.row(proxy, this.proxies[proxy].servers.length);
    cells[row + BackendCell.hasServer] = state.hasServer ? 1 : 0;
    cells[row + BackendCell.changedMs] = state.changedMs;
    cells[row + BackendCell.downtimeMs] = state.downtimeMs;
    cells[row + BackendCell.downs] = state.downs;
  }

  /** Keeps the backend's books after a change of its servers. Returns whether it has a server now, or null: as before. */
  settleBackend(proxy: number, nowMs: number): boolean | null {
    const before = this.readBackend(proxy);
    const hasServer = this.hasServer(proxy);
    if (hasServer === before.hasServer) return null;
    this.writeBackend(proxy, {
      hasServer,
      changedMs: nowMs,
      downtimeMs: before.downtimeMs + (hasServer ? nowMs - before.changedMs : 0),
      downs: before.downs + (hasServer ? 0 : 1),
    });
    return hasServer;
  }

  /**
   * Takes over from the table of another configuration what is known of the servers that are in both: of the same proxy,
   * name and address. A weight or a `disabled` that the new file changes counts from now on; an operator's word counts
   * on. Whether a server that is checked only now is up its first check will say.
   */
  takeOver(other: ServerTable, nowMs: number): void {
    for (const [proxy, { name, servers }] of this.proxies.entries()) {
      const from = other.proxies.findIndex((candidate) => candidate.name === name);
      if (from < 0) continue;
      for (const [server, config] of servers.entries()) {
        const old = other.proxies[from].servers.findIndex((candidate) => candidate.name === config.name);
        if (old < 0) continue;
        const before = other.proxies[from].servers[old];
        if (before.host !== config.host || before.port !== config.port) continue;
        const state = other.read(from, old);
        this.write(proxy, server, adaptState(state, before, config, nowMs), nowMs);
        // While the file says the same of it, an operator's address holds.
        this.setTarget(proxy, server, other.readTarget(from, old));
      }
      this.writeBackend(proxy, other.readBackend(from));
      this.settleBackend(proxy, nowMs);
    }
  }

  private row(proxy: number, server: number): number {
    return this.firstRows[proxy] + server * rowCells;
  }
}
