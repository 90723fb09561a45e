/**
 * The one door to native memory and to the system calls of the direct engine. Nothing outside of this file knows an address:
 * callers name ranges of `memory` by offset, and every range is checked here, because a wrong address is a crash or silent
 * corruption.
 *
 * Through koffi a call costs about 40 ns above the system call itself (docs/performance.md). Results are the kernel's: a
 * number of bytes or a descriptor, or minus the errno.
 */
import koffi from "koffi";
import { formatIpLiteral } from "../../../netlink/ip-literal.js";
import type { Endpoint } from "../../proxy-protocol/endpoints.js";
import type { DescriptorLedger } from "./descriptor-ledger.js";
import { addressAt, addressBytes, argumentAt, eventLayout, eventsAt, mostEvents } from "./layout.js";

export const Epoll = {
  in: 0x1,
  out: 0x4,
  error: 0x8,
  hangUp: 0x10,
  readHangUp: 0x2000,
  exclusive: 1 << 28,
  edge: 1 << 31,
} as const;

/** Errno numbers that the engine acts upon; the same on x86-64 and arm64. */
export const Errno = {
  interrupted: 4,
  again: 11,
  noMemory: 12,
  tooManyOpenInSystem: 23,
  tooManyOpen: 24,
  noBuffers: 105,
  inProgress: 115,
} as const;

const Family = { ipv4: 2, ipv6: 10 } as const;
const streamNonBlockingCloseOnExec = 1 | 0o4000 | 0o2000000;
const nonBlockingCloseOnExec = 0o4000 | 0o2000000;
const closeOnExec = 0o2000000;
const message = { peek: 0x2, doNotWait: 0x40, noSignal: 0x4000, more: 0x8000 } as const;
const control = { add: 1, remove: 2 } as const;
const setPipeSize = 1031;
const setTimerSlack = 29;
/** What a thread's sleeps may be late by; Linux allows itself 50 µs. */
const timerSlackNs = 1000;
/** SPLICE_F_MOVE | SPLICE_F_NONBLOCK, and SPLICE_F_MORE. */
const spliceFlags = 1 | 2;
const spliceMore = 4;

type Call = (...numbers: number[]) => number;

interface Calls {
  readonly recv: Call;
  readonly send: Call;
  readonly splice: Call;
  readonly epoll_wait: Call;
  readonly epoll_ctl: Call;
  readonly epoll_create1: Call;
  readonly accept4: Call;
  readonly socket: Call;
  readonly connect: Call;
  readonly setsockopt: Call;
  readonly getsockopt: Call;
  readonly getsockname: Call;
  readonly shutdown: Call;
  readonly close: Call;
  readonly pipe2: Call;
  readonly fcntl: Call;
  readonly prctl: Call;
  readonly usleep: Call;
}

/**
 * Addresses travel as `intptr_t`: numbers, for user space ends far below 2^53. Counts of bytes are `ssize_t` in C, but none of
 * ours reaches 2^31, and a small integer costs less on its way back.
 */
const signatures: Readonly<Record<keyof Calls, string>> = {
  recv: "int recv(int, intptr_t, size_t, int)",
  send: "int send(int, intptr_t, size_t, int)",
  splice: "int splice(int, intptr_t, int, intptr_t, size_t, unsigned int)",
  epoll_wait: "int epoll_wait(int, intptr_t, int, int)",
  epoll_ctl: "int epoll_ctl(int, int, int, intptr_t)",
  epoll_create1: "int epoll_create1(int)",
  accept4: "int accept4(int, intptr_t, intptr_t, int)",
  socket: "int socket(int, int, int)",
  connect: "int connect(int, intptr_t, unsigned int)",
  setsockopt: "int setsockopt(int, int, int, intptr_t, unsigned int)",
  getsockopt: "int getsockopt(int, int, int, intptr_t, intptr_t)",
  getsockname: "int getsockname(int, intptr_t, intptr_t)",
  shutdown: "int shutdown(int, int)",
  close: "int close(int)",
  pipe2: "int pipe2(intptr_t, int)",
  fcntl: "int fcntl(int, int, int)",
  prctl: "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
  usleep: "int usleep(unsigned int)",
};

function loadCalls(): Calls {
  // The process itself: whichever C library it is linked with.
  const library = koffi.load(null);
  const bind = (name: keyof Calls): Call => library.func(signatures[name]);
  return {
    recv: bind("recv"),
    send: bind("send"),
    splice: bind("splice"),
    epoll_wait: bind("epoll_wait"),
    epoll_ctl: bind("epoll_ctl"),
    epoll_create1: bind("epoll_create1"),
    accept4: bind("accept4"),
    socket: bind("socket"),
    connect: bind("connect"),
    setsockopt: bind("setsockopt"),
    getsockopt: bind("getsockopt"),
    getsockname: bind("getsockname"),
    shutdown: bind("shutdown"),
    close: bind("close"),
    pipe2: bind("pipe2"),
    fcntl: bind("fcntl"),
    prctl: bind("prctl"),
    usleep: bind("usleep"),
  };
}

/** Loaded once per thread; throws where koffi has no build for this machine. */
let loaded: Calls | null = null;

/** An encoded `struct sockaddr_in` or `sockaddr_in6` (ip(7), ipv6(7)). */
export type SocketAddress = Uint8Array;

export class Kernel {
  /** What the kernel reads and writes; pages that are never touched cost nothing. */
  readonly memory: Uint8Array;
  private readonly calls: Calls;
  private readonly base: number;
  private readonly size: number;
  private readonly words: Int32Array;
  private readonly eventWords: number;
  private readonly dataWord: number;
  private readonly epoll: number;

  constructor(
    bytes: number,
    private readonly ledger: DescriptorLedger,
  ) {
    loaded ??= loadCalls();
    this.calls = loaded;
    const buffer = new ArrayBuffer(bytes);
    this.memory = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.size = bytes;
    // A backing store never moves, and this object keeps it alive.
    this.base = Number(koffi.address(buffer));
    const layout = eventLayout(process.arch);
    this.eventWords = layout.words;
    this.dataWord = layout.dataWord;
    this.epoll = this.opened(this.calls.epoll_create1(closeOnExec));
    if (this.epoll < 0) throw new Error(`epoll_create1: errno ${-this.epoll}`);
    this.calls.prctl(setTimerSlack, timerSlackNs, 0, 0, 0);
  }

  // —— bytes ——

  /** Bytes received into `memory[offset, offset + length)`, 0 at the end. */
  receive(descriptor: number, offset: number, length: number): number {
    const n = this.calls.recv(descriptor, this.address(offset, length), length, message.doNotWait);
    return n >= 0 ? n : -koffi.errno();
  }

  /** Whether anything can be received: 1, 0 at the end, or minus the errno. Takes nothing. */
  peek(descriptor: number): number {
    const flags = message.doNotWait | message.peek;
    const n = this.calls.recv(descriptor, this.address(argumentAt, 1), 1, flags);
    return n >= 0 ? n : -koffi.errno();
  }

  send(descriptor: number, offset: number, length: number, more: boolean): number {
    const flags = message.doNotWait | message.noSignal | (more ? message.more : 0);
    const n = this.calls.send(descriptor, this.address(offset, length), length, flags);
    return n >= 0 ? n : -koffi.errno();
  }

  /** Moves up to `count` bytes between a socket and a pipe. */
  splice(from: number, to: number, count: number, more: boolean): number {
    const n = this.calls.splice(from, 0, to, 0, count, more ? spliceFlags | spliceMore : spliceFlags);
    return n >= 0 ? n : -koffi.errno();
  }

  // —— events ——

  /** Waits up to `ms` for events and returns their number; a signal ends the wait early. */
  wait(ms: number): number {
    const events = this.address(eventsAt, mostEvents * this.eventWords * 4);
    const n = this.calls.epoll_wait(this.epoll, events, mostEvents, ms);
    if (n >= 0) return n;
    const errno = koffi.errno();
    if (errno === Errno.interrupted) return 0;
    throw new Error(`epoll_wait: errno ${errno}`);
  }

  /** Sleeps, whatever comes in meanwhile. */
  pause(us: number): void {
    this.calls.usleep(us);
  }

  eventFlags(index: number): number {
    return this.words[(eventsAt >> 2) + index * this.eventWords];
  }

  /** The `key` that `watch` was given. */
  eventKey(index: number): number {
    return this.words[(eventsAt >> 2) + index * this.eventWords + this.dataWord];
  }

  watch(descriptor: number, flags: number, key: number): number {
    const at = argumentAt >> 2;
    this.words[at] = flags;
    this.words[at + this.dataWord] = key;
    this.words[at + this.dataWord + 1] = 0;
    const event = this.address(argumentAt, this.eventWords * 4);
    return this.calls.epoll_ctl(this.epoll, control.add, descriptor, event) === 0 ? 0 : -koffi.errno();
  }

  /** Closing a descriptor does this by itself, as long as it has no duplicate. */
  unwatch(descriptor: number): void {
    this.calls.epoll_ctl(this.epoll, control.remove, descriptor, this.address(argumentAt, 16));
  }

  // —— sockets ——

  /** The next connection of a listening socket; `acceptedAddress` tells of its other side. */
  accept(listener: number): number {
    this.words[argumentAt >> 2] = addressBytes;
    const name = this.address(addressAt, addressBytes);
    const length = this.address(argumentAt, 4);
    return this.opened(this.calls.accept4(listener, name, length, nonBlockingCloseOnExec));
  }

  /** The other side of the last accepted connection; IPv4-mapped IPv6 shown as IPv4. */
  acceptedAddress(): string {
    return this.addressRead();
  }

  acceptedPort(): number {
    return this.portRead();
  }

  /** This side's own address of a connection; null when there is none. */
  localEnd(descriptor: number): Endpoint | null {
    this.words[argumentAt >> 2] = addressBytes;
    const name = this.address(addressAt, addressBytes);
    if (this.calls.getsockname(descriptor, name, this.address(argumentAt, 4)) !== 0) return null;
    return { address: this.addressRead(), port: this.portRead() };
  }

  /** The address that the kernel has written last. */
  private addressRead(): string {
    const { memory } = this;
    const family = memory[addressAt] | (memory[addressAt + 1] << 8);
    if (family === Family.ipv4) {
      const at = addressAt + 4;
      return `${memory[at]}.${memory[at + 1]}.${memory[at + 2]}.${memory[at + 3]}`;
    }
    const text = formatIpLiteral(memory.subarray(addressAt + 8, addressAt + 24));
    return text.startsWith("::ffff:") ? text.slice(7) : text;
  }

  private portRead(): number {
    return (this.memory[addressAt + 2] << 8) | this.memory[addressAt + 3];
  }

  /** A socket on its way to `address`: a descriptor, or minus the errno, and then nothing is open. */
  connect(address: SocketAddress): number {
    const ipv6 = address.length > 16;
    const descriptor = this.opened(
      this.calls.socket(ipv6 ? Family.ipv6 : Family.ipv4, streamNonBlockingCloseOnExec, 0),
    );
    if (descriptor < 0) return descriptor;
    this.setOption(descriptor, option.noDelay, 1);
    this.memory.set(address, addressAt);
    const name = this.address(addressAt, address.length);
    if (this.calls.connect(descriptor, name, address.length) === 0) return descriptor;
    const errno = koffi.errno();
    if (errno === Errno.inProgress) return descriptor;
    this.close(descriptor);
    return -errno;
  }

  /** Errno of what went wrong with a socket since the last call, 0 for nothing. */
  takeError(descriptor: number): number {
    const at = argumentAt >> 2;
    this.words[at] = 0;
    this.words[at + 1] = 4;
    const [level, name] = option.error;
    const value = this.address(argumentAt, 4);
    this.calls.getsockopt(descriptor, level, name, value, this.address(argumentAt + 4, 4));
    return this.words[at];
  }

  /** Connections accepted from a listening socket inherit it. */
  setNoDelay(descriptor: number): void {
    this.setOption(descriptor, option.noDelay, 1);
  }

  shutdown(descriptor: number): void {
    this.calls.shutdown(descriptor, 1);
  }

  /** `reset`: what is unsent is thrown away, and the other side gets RST. */
  close(descriptor: number, reset = false): void {
    if (reset) {
      const at = argumentAt >> 2;
      this.words[at] = 1;
      this.words[at + 1] = 0;
      const [level, name] = option.linger;
      this.calls.setsockopt(descriptor, level, name, this.address(argumentAt, 8), 8);
    }
    this.ledger.remove(descriptor);
    this.calls.close(descriptor);
  }

  /** A descriptor that was opened elsewhere and is this engine's from now on. */
  adopt(descriptor: number): void {
    this.ledger.add(descriptor);
  }

  // —— pipes ——

  /** `[read end, write end]`, or null when there is none to be had. `bytes` is a wish. */
  pipe(bytes: number): [number, number] | null {
    if (this.calls.pipe2(this.address(argumentAt, 8), nonBlockingCloseOnExec) !== 0) return null;
    const at = argumentAt >> 2;
    const [readEnd, writeEnd] = [this.words[at], this.words[at + 1]];
    this.ledger.add(readEnd);
    this.ledger.add(writeEnd);
    this.calls.fcntl(writeEnd, setPipeSize, bytes);
    return [readEnd, writeEnd];
  }

  destroy(): void {
    this.close(this.epoll);
  }

  private setOption(descriptor: number, [level, name]: readonly [number, number], value: number): void {
    this.words[argumentAt >> 2] = value;
    this.calls.setsockopt(descriptor, level, name, this.address(argumentAt, 4), 4);
  }

  private opened(descriptor: number): number {
    if (descriptor < 0) return -koffi.errno();
    this.ledger.add(descriptor);
    return descriptor;
  }

  private address(offset: number, length: number): number {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new RangeError(`native range ${offset}+${length} is outside of ${this.size} bytes`);
    }
    return this.base + offset;
  }
}

/** `level, name` of setsockopt(2). */
const option = {
  error: [1, 4],
  linger: [1, 13],
  noDelay: [6, 1],
} as const;
