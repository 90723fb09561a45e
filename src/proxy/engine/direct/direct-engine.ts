import { performance } from "node:perf_hooks";
import { errnoName } from "../../../netlink/errno.js";
import {
  type Acceptor,
  type Connection,
  type ConnectionHandler,
  type ConnectTarget,
  type Engine,
  type Listener,
  type LoopTimer,
  nobody,
  type PipeCounts,
  pollMs,
  type Room,
} from "../engine.js";
import { Roster } from "../roster.js";
import { TimerWheel } from "../timer-wheel.js";
import { DescriptorLedger } from "./descriptor-ledger.js";
import { DirectConnection, type DirectOwner } from "./direct-connection.js";
import { DirectListener } from "./direct-listener.js";
import { HostNames, type LookUp } from "./host-names.js";
import { Epoll, Kernel, type SocketAddress } from "./kernel.js";
import { scratchAt, scratchBytes } from "./layout.js";
import { Moderation, pauseUs } from "./moderation.js";
import { Pipes } from "./pipes.js";
import { type Block, memoryBytes, Slabs } from "./slabs.js";
import { Splice } from "./splice.js";
import { WheelTimer } from "./wheel-timer.js";

const tickMs = 50;
const watched = Epoll.in | Epoll.out | Epoll.readHangUp | Epoll.edge;

/** Something with a descriptor in the epoll. */
interface Watched {
  onEvents(flags: number): void;
}

export interface DirectEngineOptions {
  readonly lookUp: LookUp;
  readonly ledger?: DescriptorLedger;
}

/**
 * The engine over epoll and direct system calls, for Linux on x86-64 and arm64. It has no loop of its own: whoever owns
 * it calls `turn` again and again, with the time that it may wait.
 */
export class DirectEngine implements Engine, DirectOwner {
  readonly name = "direct";
  readonly kernel: Kernel;
  private readonly slabs: Slabs;
  private readonly pipes: Pipes;
  private readonly wheel: TimerWheel;
  private readonly names: HostNames;
  private readonly scratchRoom: Room;
  private readonly moderation = new Moderation();
  /** Time spent in waiting, ms. */
  waitedMs = 0;
  private nowMs = performance.now();
  private polled: (() => void) | null = null;
  private polledMs = 0;
  private readonly endings: (() => void)[] = [];

  /** Who is watched, by the key that the kernel gives back. */
  private readonly slots: (Watched | null)[] = [];
  private readonly freeSlots: number[] = [];
  /** Slots that were given up on this turn: an event for them may still be in hand. */
  private readonly leftSlots: number[] = [];
  private readonly connections = new Roster<DirectConnection>();
  private readonly listeners = new Set<DirectListener>();
  private listed: DirectConnection[] = [];
  private listedBefore: DirectConnection[] = [];

  constructor(options: DirectEngineOptions) {
    this.kernel = new Kernel(memoryBytes, options.ledger ?? new DescriptorLedger());
    this.slabs = new Slabs(this.kernel.memory);
    this.pipes = new Pipes(this.kernel);
    this.wheel = new TimerWheel(tickMs, this.nowMs);
    this.names = new HostNames(options.lookUp, () => this.nowMs);
    this.scratchRoom = { bytes: this.kernel.memory, start: scratchAt };
  }

  // —— the loop ——

  /** One turn: waits for something to do, at most `atMostMs` or until a timer is due, and does it. */
  turn(atMostMs: number): void {
    const { kernel, slots } = this;
    const beforeMs = performance.now();
    const hasWork = this.listed.length > 0;
    const mostMs = this.polled === null ? atMostMs : Math.min(atMostMs, pollMs);
    const waitMs = hasWork ? 0 : this.wheel.msToNext(beforeMs, mostMs);
    if (!hasWork && this.moderation.shouldPause) kernel.pause(pauseUs);
    const count = kernel.wait(Math.ceil(waitMs));
    this.nowMs = performance.now();
    this.moderation.note(count, this.nowMs);
    this.waitedMs += this.nowMs - beforeMs;
    for (let i = 0; i < count; i++) slots[kernel.eventKey(i)]?.onEvents(kernel.eventFlags(i));
    if (this.listed.length > 0) this.proceedListed();
    this.wheel.advance(this.nowMs, this.fire);
    if (this.polled !== null) this.pollNow();
    while (this.endings.length > 0) this.endings.pop()?.();
    while (this.leftSlots.length > 0) this.freeSlots.push(this.leftSlots.pop() ?? 0);
  }

  private pollNow(): void {
    if (this.nowMs - this.polledMs < pollMs - 1) return;
    this.polledMs = this.nowMs;
    this.polled?.();
  }

  /** Calls `callback` on the turn after each write to `eventDescriptor`. */
  watchWakeUps(eventDescriptor: number, callback: () => void): void {
    const slot = this.takeSlot({ onEvents: callback });
    // On an edge: the counter need not be read, and nothing is lost.
    const error = this.kernel.watch(eventDescriptor, Epoll.in | Epoll.edge, slot);
    if (error < 0) throw new Error(`the wake-up cannot be watched: ${errnoName(-error)}`);
  }

  after(ms: number, callback: () => void): LoopTimer {
    const timer = new WheelTimer(this.wheel, 0, callback);
    this.wheel.arm(timer, this.nowMs + ms);
    return timer;
  }

  every(ms: number, callback: () => void): LoopTimer {
    const timer = new WheelTimer(this.wheel, ms, callback);
    this.wheel.arm(timer, this.nowMs + ms);
    return timer;
  }

  // —— Engine ——

  now(): number {
    return this.nowMs;
  }

  listen(descriptor: number, acceptor: Acceptor): Listener {
    const listener = new DirectListener(this, descriptor, acceptor);
    listener.slot = this.takeSlot(listener);
    this.listeners.add(listener);
    listener.begin();
    return listener;
  }

  connect(target: ConnectTarget, handler: ConnectionHandler): Connection {
    const connection = new DirectConnection(this, true, handler);
    this.connections.add(connection);
    connection.remoteAddress = target.host;
    connection.remotePort = target.port;
    const addresses = this.names.addresses(target, (found, errorCode) =>
      connection.connectTo(found, errorCode),
    );
    if (addresses !== null) connection.connectTo(addresses, "ENOTFOUND");
    return connection;
  }

  splice(from: Connection, to: Connection, count: number): boolean {
    if (!(from instanceof DirectConnection) || !(to instanceof DirectConnection)) return false;
    if (from.splice !== null || to.fedBy !== null) return false;
    const splice = new Splice(from, to, count, this.kernel, this.pipes);
    from.splice = splice;
    to.fedBy = splice;
    if (!from.isReading) this.later(from);
    return true;
  }

  /** `node:tls` does not run where the loop blocks in the kernel. */
  termination(): null {
    return null;
  }

  initiation(): null {
    return null;
  }

  get memory(): Uint8Array {
    return this.kernel.memory;
  }

  scratch(size: number): Room {
    return size <= scratchBytes ? this.scratchRoom : { bytes: new Uint8Array(size), start: 0 };
  }

  keep(size: number): Block {
    return this.slabs.take(size);
  }

  giveBack(room: Block): void {
    this.slabs.giveBack(room);
  }

  atTurnEnd(callback: () => void): void {
    this.endings.push(callback);
  }

  poll(callback: (() => void) | null): void {
    this.polled = callback;
  }

  get pipeCounts(): PipeCounts {
    return this.pipes;
  }

  destroy(): void {
    for (const listener of [...this.listeners]) listener.close();
    for (const connection of this.connections.list()) connection.close(true);
    this.pipes.destroy();
  }

  /** After `destroy`: gives the epoll itself back; no `turn` after this. */
  close(): void {
    this.kernel.destroy();
  }

  /** What is lent out, for tests: everything must have come back when nothing is connected. */
  get lent(): { readonly blocks: number; readonly pipes: number; readonly connections: number } {
    return { blocks: this.slabs.used, pipes: this.pipes.used, connections: this.connections.size };
  }

  // —— for listeners ——

  accepted(fd: number, acceptor: Acceptor): void {
    const connection = new DirectConnection(this, false, nobody);
    connection.remoteAddress = this.kernel.acceptedAddress();
    connection.remotePort = this.kernel.acceptedPort();
    const error = this.watchConnection(connection, fd);
    if (error < 0) {
      this.kernel.close(fd, true);
      acceptor.failed(errnoName(-error));
      return;
    }
    this.connections.add(connection);
    connection.handler = acceptor.accept(connection);
  }

  forgetListener(listener: DirectListener): void {
    this.listeners.delete(listener);
    this.leaveSlot(listener.slot);
  }

  // —— DirectOwner ——

  open(connection: DirectConnection, address: SocketAddress): number {
    const fd = this.kernel.connect(address);
    if (fd < 0) return fd;
    const error = this.watchConnection(connection, fd);
    if (error < 0) this.kernel.close(fd);
    return error;
  }

  arm(connection: DirectConnection, ms: number): void {
    this.wheel.arm(connection, this.nowMs + ms);
  }

  disarm(connection: DirectConnection): void {
    this.wheel.disarm(connection);
  }

  later(connection: DirectConnection): void {
    if (connection.isListed) return;
    connection.isListed = true;
    this.listed.push(connection);
  }

  drop(connection: DirectConnection, reset: boolean): void {
    const { fd, slot } = connection;
    if (fd < 0) return;
    connection.fd = -1;
    connection.slot = -1;
    this.leaveSlot(slot);
    this.kernel.close(fd, reset);
  }

  forget(connection: DirectConnection, reset: boolean): void {
    this.wheel.remove(connection);
    this.drop(connection, reset);
    this.connections.delete(connection);
  }

  // —— inside ——

  private watchConnection(connection: DirectConnection, fd: number): number {
    const slot = this.takeSlot(connection);
    const error = this.kernel.watch(fd, watched, slot);
    if (error < 0) {
      this.leaveSlot(slot);
      return error;
    }
    connection.fd = fd;
    connection.slot = slot;
    return 0;
  }

  private takeSlot(owner: Watched): number {
    const slot = this.freeSlots.pop() ?? this.slots.length;
    this.slots[slot] = owner;
    return slot;
  }

  private leaveSlot(slot: number): void {
    this.slots[slot] = null;
    this.leftSlots.push(slot);
  }

  /** Those that list themselves again come on the next turn. */
  private proceedListed(): void {
    const list = this.listed;
    this.listed = this.listedBefore;
    this.listedBefore = list;
    for (const connection of list) {
      connection.isListed = false;
      connection.proceed();
    }
    // Setting `length` goes through V8's runtime.
    while (list.length > 0) list.pop();
  }

  private readonly fire = (entry: unknown): void => {
    if (entry instanceof DirectConnection) entry.deadlinePassed();
    else if (entry instanceof WheelTimer) entry.fire(this.nowMs);
  };
}
