/**
 * The engine's memory: one ArrayBuffer per thread that the kernel reads and writes by address. Offsets in bytes.
 *
 *     events │ socket address, small arguments │ scratch │ staging │ headroom, receive │ blocks …
 */
import { headroomBytes } from "../engine.js";

/** Events taken by one `epoll_wait`. */
export const mostEvents = 512;

/** `struct epoll_event` is packed on x86-64, and only there (epoll_ctl(2)). In 32-bit words. */
export interface EventLayout {
  readonly words: number;
  /** Word of the lower half of `data`, behind `events` in word 0. */
  readonly dataWord: number;
}

export function eventLayout(architecture: string): EventLayout {
  return architecture === "x64" ? { words: 3, dataWord: 1 } : { words: 4, dataWord: 2 };
}

const page = 4096;
const pages = (bytes: number): number => Math.ceil(bytes / page) * page;

export const eventsAt = 0;
/** `struct sockaddr_storage` and its length. */
export const addressAt = pages(mostEvents * 16);
export const addressBytes = 128;
export const argumentAt = addressAt + addressBytes;

/** Heads on their way out. A larger one is written on the heap. */
export const scratchAt = addressAt + page;
export const scratchBytes = 65_536;

/** What comes from the heap is sent from here. */
export const stagingAt = scratchAt + scratchBytes;
export const stagingBytes = 65_536;

/**
 * Where everything is received, one connection at a time: files of 64 KiB with their heads in one piece. With 64 KiB alone such an
 * answer took a second reception and a second transmission for its last few hundred bytes, a tenth of its CPU.
 */
export const receiveAt = stagingAt + stagingBytes + pages(headroomBytes);
export const receiveBytes = 73_728;

export const blocksAt = receiveAt + receiveBytes + page;
