import { createServer, type Server, type Socket } from "node:net";
import { freePorts } from "../../../lab/free-port.js";

/** Ends a reply: FIN, RST, or bytes that come back as they are. */
export const FIN = Symbol("FIN");
export const RST = Symbol("RST");
export const ECHO = Symbol("ECHO");
/** Waits until the client has said `letGo`, from then on not any more. */
export const HOLD = Symbol("HOLD");

/** What a server does: bytes that it writes (one a character), ms that it waits, what it waits for, how it ends. */
export type Reply = readonly (string | number | typeof FIN | typeof RST | typeof ECHO | typeof HOLD)[];

/** A request as a server got it. */
export interface Asked {
  readonly server: string;
  readonly line: string;
  readonly method: string;
  readonly target: string;
  /** Field lines as they came. */
  readonly fields: readonly string[];
  /** Value of the first field of that name. */
  field(name: string): string | undefined;
  /** Without its chunks' frames; trailers stand behind it. */
  body: string;
  /** From 1, over all servers of the peer since the scenario began. */
  readonly number: number;
  /** From 1, on its connection. */
  readonly onConnection: number;
}

/** What the servers of a scenario do; all servers of a peer have the same. */
export interface Behaviour {
  /** As soon as a proxy has connected. */
  readonly greeting?: ((server: string) => Reply) | undefined;
  /** When a head is there and its body is not. */
  readonly early?: ((asked: Asked) => Reply) | undefined;
  /** When the whole request is there. */
  readonly reply?: ((asked: Asked) => Reply) | undefined;
}

/** The servers behind one peer. */
export class Origins {
  behaviour: Behaviour = {};
  /** Whole requests, and those that ended before they were. */
  readonly asked: Asked[] = [];
  private readonly servers = new Map<string, { readonly server: Server; readonly port: number }>();
  private readonly sockets = new Set<Socket>();
  private count = 0;
  private gone: Promise<void> = Promise.resolve();
  /** Lets those that are at `HOLD` go on, and all that come there later in the scenario. */
  letGo: () => void = () => {};

  static async start(names: readonly string[]): Promise<Origins> {
    const origins = new Origins();
    const ports = await freePorts(names.length);
    for (const [i, name] of names.entries()) await origins.listen(name, ports[i]);
    return origins;
  }

  port(name: string): number {
    const found = this.servers.get(name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found.port;
  }

  /** For the next scenario: what is connected stays, as in a proxy's pool. */
  begin(behaviour: Behaviour): void {
    this.behaviour = behaviour;
    this.asked.length = 0;
    this.count = 0;
    this.letGo();
    this.gone = new Promise((resolve) => {
      this.letGo = resolve;
    });
  }

  /** Until the client lets go. */
  held(): Promise<void> {
    return this.gone;
  }

  /** From now on connections to it are refused, and those that stand are reset. */
  async refuse(name: string): Promise<void> {
    const found = this.servers.get(name);
    if (found === undefined) throw new Error(`no server ${name}`);
    for (const socket of this.sockets) if (socket.localPort === found.port) socket.resetAndDestroy();
    await new Promise((resolve) => found.server.close(resolve));
  }

  /** After `refuse`. */
  async listenAgain(name: string): Promise<void> {
    await this.listen(name, this.port(name));
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const all = [...this.servers.values()];
    await Promise.all(all.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(name: string, port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      new Connection(name, socket, this).start();
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", 1024, resolve));
    this.servers.set(name, { server, port });
  }

  nextNumber(): number {
    this.count += 1;
    return this.count;
  }
}

/** One connection: requests one after the other, each whole before it is answered. */
class Connection {
  private buffered = "";
  private busy = false;
  private echo = false;
  private ended = false;
  private requests = 0;
  private current: Asked | null = null;
  /** What a PROXY header said, as a field of each request; null: the connection's first bytes are not there yet. */
  private proxied: readonly string[] | null = null;

  constructor(
    private readonly server: string,
    private readonly socket: Socket,
    private readonly origins: Origins,
  ) {}

  start(): void {
    this.socket.on("data", (bytes) => {
      if (this.echo) {
        this.socket.write(bytes);
        return;
      }
      this.buffered += bytes.toString("latin1");
      void this.go();
    });
    this.socket.on("end", () => {
      this.ended = true;
      if (!this.busy && this.socket.writable) this.socket.end();
    });
    const greeting = this.origins.behaviour.greeting;
    if (greeting !== undefined) void this.play(greeting(this.server));
  }

  private async go(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (!this.echo && (await this.step()));
    this.busy = false;
    if (this.ended && this.socket.writable) this.socket.end();
  }

  /** False: nothing more can be done with what is there. */
  private async step(): Promise<boolean> {
    if (this.requests === 0 && this.proxied === null) {
      const header = readProxyHeader(this.buffered);
      if (header === null) return false;
      this.buffered = this.buffered.slice(header.length);
      this.proxied = header.fields;
    }
    if (this.current === null) {
      const end = this.buffered.indexOf("\r\n\r\n");
      if (end < 0 || this.socket.destroyed) return false;
      const [line, ...fields] = this.buffered.slice(0, end).split("\r\n");
      this.buffered = this.buffered.slice(end + 4);
      this.requests += 1;
      if (this.proxied !== null) fields.push(...this.proxied);
      this.current = readHead(this.server, line, fields, this.origins.nextNumber(), this.requests);
      this.origins.asked.push(this.current);
      const early = this.origins.behaviour.early;
      if (early !== undefined) await this.play(early(this.current));
    }
    const asked = this.current;
    const taken = readBody(asked, this.buffered);
    if (taken === null) return false;
    asked.body = taken.body;
    this.buffered = this.buffered.slice(taken.length);
    this.current = null;
    const reply = this.origins.behaviour.reply ?? (() => [ok("hello")]);
    await this.play(reply(asked));
    return true;
  }

  private async play(reply: Reply): Promise<void> {
    for (const act of reply) {
      if (this.socket.destroyed) return;
      if (typeof act === "number") await new Promise((resolve) => setTimeout(resolve, act));
      else if (typeof act === "string") await this.write(act);
      else if (act === HOLD) await this.origins.held();
      else if (act === FIN) this.socket.end();
      else if (act === RST) this.socket.resetAndDestroy();
      else {
        this.echo = true;
        if (this.buffered !== "") await this.write(this.buffered);
        this.buffered = "";
      }
    }
  }

  private async write(text: string): Promise<void> {
    if (!this.socket.writable) return;
    if (this.socket.write(text, "latin1")) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.socket.off("drain", go);
        this.socket.off("close", go);
        resolve();
      };
      this.socket.on("drain", go);
      this.socket.on("close", go);
    });
  }
}

const signature = "\r\n\r\n\0\r\nQUIT\n";

/** The PROXY header at the start of a connection, without its ports; null while it is not whole. */
function readProxyHeader(
  text: string,
): { readonly fields: readonly string[]; readonly length: number } | null {
  if (text.startsWith("PROXY ")) {
    const end = text.indexOf("\r\n");
    if (end < 0) return null;
    const said = text.slice(6, end).split(" ").slice(0, 3).join(" ");
    return { fields: [`proxy-header: version 1, ${said}`], length: end + 2 };
  }
  if (!text.startsWith(signature)) return { fields: [], length: 0 };
  if (text.length < 16) return null;
  const bytes = Buffer.from(text, "latin1");
  const length = 16 + bytes.readUInt16BE(14);
  if (text.length < length) return null;
  const addresses =
    bytes[13] === 0x11 ? [...bytes.subarray(16, 24)].join(".") : bytes.toString("hex", 16, 48);
  const kind = bytes.toString("hex", 12, 14);
  return { fields: [`proxy-header: version 2, ${kind} ${addresses}, ${length} bytes`], length };
}

function readHead(
  server: string,
  line: string,
  fields: readonly string[],
  number: number,
  onConnection: number,
): Asked {
  const [method, target] = line.split(" ");
  const field = (name: string) => {
    const found = fields.find((text) => text.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return found?.slice(name.length + 1).trim();
  };
  return { server, line, method, target, fields, field, body: "", number, onConnection };
}

/** The body at the start of `text`, or null while it is not whole. */
function readBody(asked: Asked, text: string): { readonly body: string; readonly length: number } | null {
  if (asked.field("transfer-encoding") === undefined) {
    const length = Number(asked.field("content-length") ?? 0);
    return text.length < length ? null : { body: text.slice(0, length), length };
  }
  return readChunks(text);
}

/** A chunked body without its frames; trailers stand behind it in parentheses. */
export function readChunks(text: string): { readonly body: string; readonly length: number } | null {
  let body = "";
  let at = 0;
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return null;
    const size = Number.parseInt(text.slice(at, end), 16);
    if (Number.isNaN(size)) return { body: `${body}<bad chunk>`, length: text.length };
    at = end + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return null;
    const line = text.slice(at, end);
    at = end + 2;
    if (line === "") break;
    trailers.push(line.toLowerCase());
  }
  return { body: trailers.length === 0 ? body : `${body}(${trailers.join(", ")})`, length: at };
}

// —— texts ——

/** A head: its lines with their ends, and the empty line. */
export const head = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;

/** A 200 with this body. */
export const ok = (body: string, ...fields: string[]): string =>
  `${head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...fields)}${body}`;

/** An answer without a body. */
export const status = (line: string, ...fields: string[]): string =>
  head(`HTTP/1.1 ${line}`, "Content-Length: 0", ...fields);

export const get = (path: string, ...fields: string[]): string =>
  head(`GET ${path} HTTP/1.1`, "Host: site", ...fields);

export const post = (path: string, body: string, ...fields: string[]): string =>
  `${head(`POST ${path} HTTP/1.1`, "Host: site", `Content-Length: ${body.length}`, ...fields)}${body}`;

/** The same bytes in chunks. */
export const chunked = (...chunks: string[]): string =>
  `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n\r\n`;
