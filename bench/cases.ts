import { readDescriptorLimit } from "../src/process/descriptor-limit.js";

/** What `npm run bench` measures. Every case is a closed loop of wrk, or of h2load over HTTP/2, but `idle`, which counts memory. */
export interface LoadCase {
  readonly kind: "load";
  /** What `--cases` calls it. */
  readonly name: string;
  readonly title: string;
  readonly path: string;
  /** The body that every answer must have. */
  readonly bodyBytes: number;
  /** Body of each request; 0: a GET. */
  readonly uploadBytes: number;
  readonly connections: number;
  readonly headers: readonly string[];
  /** Data threads of each proxy. */
  readonly threads: 1 | 2;
  /** Large bodies: HAProxy is measured with splice too. */
  readonly splices: boolean;
  /** Clients speak TLS; only targets that end it are measured. */
  readonly tls: boolean;
  /** Streams at once on each connection, over HTTP/2; 0: HTTP/1.1. */
  readonly streams: number;
  /** Part of `--quick`. */
  readonly quick: boolean;
}

export interface IdleCase {
  readonly kind: "idle";
  readonly name: string;
  readonly title: string;
  /** Clients that have asked once and then keep their connection. */
  readonly clients: number;
  readonly quick: boolean;
}

export type Case = LoadCase | IdleCase;

/** What a browser sends with a navigation: about 700 bytes in ten fields. */
const browserHeaders: readonly string[] = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language: en-US,en;q=0.5",
  "Accept-Encoding: identity",
  "Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark; _ga=GA1.2.1234567890.1234567890; consent=yes",
  "Cache-Control: no-cache",
  "Sec-Fetch-Dest: document",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-Site: none",
  "Referer: https://www.example.com/some/path/index.html",
];

/** A proxy takes a client only where it could open a connection to a server for it as well. */
const idleClients = Math.min(10_000, Math.floor(readDescriptorLimit() / 2) - 500);

const small = {
  kind: "load",
  path: "/612",
  bodyBytes: 612,
  uploadBytes: 0,
  headers: [],
  threads: 1,
  splices: false,
  tls: false,
  streams: 0,
  quick: false,
} as const;

export const cases: readonly Case[] = [
  { ...small, name: "612-c1", title: "612 B, 1 client", connections: 1 },
  { ...small, name: "612-c64", title: "612 B, 64 clients", connections: 64, quick: true },
  { ...small, name: "612-c256", title: "612 B, 256 clients", connections: 256, quick: true },
  { ...small, name: "612-c1000", title: "612 B, 1000 clients", connections: 1000 },
  { ...small, name: "browser", title: "browser heads, 64 clients", connections: 64, headers: browserHeaders },
  {
    ...small,
    name: "64k",
    title: "64 KiB, 64 clients",
    path: "/64k",
    bodyBytes: 65_536,
    connections: 64,
    splices: true,
    quick: true,
  },
  {
    ...small,
    name: "1m",
    title: "1 MiB, 32 clients",
    path: "/1m",
    bodyBytes: 1_048_576,
    connections: 32,
    splices: true,
  },
  {
    ...small,
    name: "upload-1m",
    title: "1 MiB upload, 16 clients",
    path: "/upload",
    bodyBytes: 8,
    uploadBytes: 1_048_576,
    connections: 16,
    splices: true,
  },
  {
    ...small,
    name: "close",
    title: "612 B, Connection: close, 32 clients",
    connections: 32,
    headers: ["Connection: close"],
    quick: true,
  },
  { ...small, name: "2-threads", title: "612 B, 256 clients, 2 threads", connections: 256, threads: 2 },
  { ...small, name: "tls", title: "612 B, TLS, 64 clients", connections: 64, tls: true },
  {
    ...small,
    name: "tls-64k",
    title: "64 KiB, TLS, 64 clients",
    path: "/64k",
    bodyBytes: 65_536,
    connections: 64,
    tls: true,
  },
  {
    ...small,
    name: "tls-close",
    title: "612 B, TLS, a handshake each, 32 clients",
    connections: 32,
    headers: ["Connection: close"],
    tls: true,
  },
  {
    ...small,
    name: "h2",
    title: "612 B, HTTP/2, 8 clients × 8 streams",
    connections: 8,
    tls: true,
    streams: 8,
  },
  {
    ...small,
    name: "h2-64k",
    title: "64 KiB, HTTP/2, 8 clients × 8 streams",
    path: "/64k",
    bodyBytes: 65_536,
    connections: 8,
    tls: true,
    streams: 8,
  },
  {
    kind: "idle",
    name: "idle",
    title: `${idleClients.toLocaleString("en")} idle clients`,
    clients: idleClients,
    quick: false,
  },
];
