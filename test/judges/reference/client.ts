import { connect, type Socket } from "node:net";
import { readChunks } from "./origin.js";
import { StreamClient } from "./streams.js";

/** Far above what a step needs, so that only a real fault reaches it. */
const stepMs = 30_000;

/**
 * A raw client. What it sees becomes the lines of a transcript, in a form in which two proxies can be compared: names of
 * fields in small letters and sorted, a body without its frames, a proxy's own page as a word.
 */
export class Client {
  readonly seen: string[] = [];
  private readonly connections: Connection[] = [];
  private connection: Connection | null = null;
  private readonly streamClients: StreamClient[] = [];

  constructor(
    private readonly port: number,
    private readonly address: string,
    private readonly sockets: (command: string) => Promise<string>,
  ) {}

  /** Another connection; what follows is about this one. Without it the first step connects. */
  async connect(from?: string): Promise<void> {
    this.connection = await Connection.open(this.port, this.address, from);
    this.connections.push(this.connection);
  }

  /** A connection that speaks HTTP/2. What its streams bring is to be noted. */
  async http2(): Promise<StreamClient> {
    const client = await StreamClient.connect(this.port, this.address);
    this.streamClients.push(client);
    return client;
  }

  /** Back to the connection of that number, from 1. */
  use(number: number): void {
    this.connection = this.connections[number - 1];
  }

  async send(...pieces: (string | number)[]): Promise<void> {
    const connection = await this.here();
    for (const piece of pieces) {
      if (typeof piece === "number") await pause(piece);
      else connection.write(piece);
    }
  }

  /** Sends, and takes the answer; `GET`, `HEAD` … is read from the first word. */
  async ask(...pieces: (string | number)[]): Promise<Answer> {
    await this.send(...pieces);
    const first = pieces.find((piece) => typeof piece === "string");
    return await this.answer(String(first).startsWith("HEAD ") ? "HEAD" : "GET");
  }

  /** The next answer, with the interim ones before it. */
  async answer(method = "GET"): Promise<Answer> {
    const connection = await this.here();
    for (;;) {
      const answer = await connection.answer(method);
      this.seen.push(answer.text);
      if (answer.status < 100 || answer.status > 199 || answer.status === 101) return answer;
    }
  }

  /** So many bytes, as they are. */
  async bytes(count: number): Promise<string> {
    const connection = await this.here();
    await connection.until(() => connection.text.length >= count || connection.over, `${count} bytes`);
    const text = connection.take(count);
    this.seen.push(`bytes ${JSON.stringify(text)}`);
    return text;
  }

  /** This much has come, of something that is not over. It stays to be read. */
  async heard(text: string): Promise<void> {
    const connection = await this.here();
    await connection.until(() => connection.text.includes(text) || connection.over, JSON.stringify(text));
  }

  /** The other side ends the connection; bytes before that are told of. */
  async closed(): Promise<void> {
    const connection = await this.here();
    await connection.until(() => connection.over, "the end");
    const rest = connection.take(connection.text.length);
    this.seen.push(rest === "" ? "closed" : `closed after ${JSON.stringify(rest)}`);
  }

  /** Nothing comes for so long, and the connection stands. */
  async silent(ms: number): Promise<void> {
    const connection = await this.here();
    await pause(ms);
    const text = connection.text;
    this.seen.push(connection.over ? "closed" : text === "" ? "silent" : `not silent: ${text}`);
  }

  /** A command on the peer's stats socket. */
  async command(line: string): Promise<string> {
    const answer = await this.sockets(line);
    this.seen.push(`${line} → ${answer.trim()}`);
    return answer;
  }

  /** A command whose answer is not compared. */
  async quietly(line: string): Promise<string> {
    return await this.sockets(line);
  }

  note(text: string): void {
    this.seen.push(text);
  }

  async pause(ms: number): Promise<void> {
    await pause(ms);
  }

  async stopReading(): Promise<void> {
    (await this.here()).socket.pause();
  }

  fin(): void {
    this.connection?.socket.end();
  }

  /** What came until then is nobody's. */
  reset(): void {
    if (this.connection === null) return;
    this.connection.socket.resetAndDestroy();
    this.connection.text = "";
  }

  /** Leaves; what came and nobody asked for is told of. */
  leave(): void {
    for (const client of this.streamClients) client.reset();
    for (const { text, socket } of this.connections) {
      if (text !== "") this.seen.push(`unasked ${JSON.stringify(text.slice(0, 300))}`);
      socket.destroy();
    }
  }

  private async here(): Promise<Connection> {
    if (this.connection === null) await this.connect();
    return this.connection as Connection;
  }
}

export interface Answer {
  /** 0: the connection ended before a head. */
  readonly status: number;
  readonly body: string;
  readonly fields: readonly string[];
  readonly text: string;
}

class Connection {
  text = "";
  over = false;
  private readonly waiting = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.text += bytes.toString("latin1");
      this.wake();
    });
    if (socket.errored !== null) this.over = true;
    for (const event of ["end", "close", "error"])
      socket.on(event, () => {
        this.over = true;
        this.wake();
      });
  }

  static open(port: number, host: string, localAddress?: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const from = localAddress === undefined ? {} : { localAddress };
      const socket = connect({ port, host, allowHalfOpen: true, ...from }, () =>
        resolve(new Connection(socket)),
      );
      socket.once("error", (error: NodeJS.ErrnoException) => {
        // Taken and given up before this side heard of the former.
        if (error.code === "ECONNRESET") resolve(new Connection(socket));
        else reject(error);
      });
    });
  }

  write(text: string): void {
    if (this.socket.writable) this.socket.write(text, "latin1");
  }

  take(count: number): string {
    const taken = this.text.slice(0, count);
    this.text = this.text.slice(count);
    return taken;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + stepMs;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`expected ${what}, received ${JSON.stringify(this.text.slice(0, 400))}`);
      await new Promise<void>((resolve) => {
        const go = (): void => {
          clearTimeout(timer);
          this.waiting.delete(go);
          resolve();
        };
        const timer = setTimeout(go, left);
        this.waiting.add(go);
      });
    }
  }

  async answer(method: string): Promise<Answer> {
    await this.until(() => this.over || this.text.includes("\r\n\r\n"), "a head");
    const end = this.text.indexOf("\r\n\r\n");
    if (end < 0) {
      const rest = this.take(this.text.length);
      return {
        status: 0,
        body: "",
        fields: [],
        text: rest === "" ? "no answer" : `cut head ${JSON.stringify(rest)}`,
      };
    }
    const [line, ...lines] = this.take(end + 4)
      .slice(0, -4)
      .split("\r\n");
    const code = Number(line.split(" ")[1]);
    const fields = lines.map((field) => {
      const colon = field.indexOf(":");
      return `${field.slice(0, colon).toLowerCase()}: ${field.slice(colon + 1).trim()}`;
    });
    const value = (name: string) => fields.find((f) => f.startsWith(`${name}: `))?.slice(name.length + 2);
    const bodyless = method === "HEAD" || code < 200 || code === 204 || code === 304;
    let body = "";
    let how = "";
    if (!bodyless && value("transfer-encoding") !== undefined) {
      await this.until(() => this.over || readChunks(this.text) !== null, "a chunked body");
      const read = readChunks(this.text);
      body = read?.body ?? this.text;
      if (read === null) how = ", cut";
      this.take(read?.length ?? this.text.length);
    } else if (!bodyless && value("content-length") !== undefined) {
      const length = Number(value("content-length"));
      await this.until(() => this.over || this.text.length >= length, `a body of ${length}`);
      if (this.text.length < length) how = ", cut";
      body = this.take(length);
    } else if (!bodyless) {
      await this.until(() => this.over, "a body up to the end");
      body = this.take(this.text.length);
      how = ", up to the end";
    }
    return { status: code, body, fields, text: describe(line, fields, body, how) };
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }
}

/** The page of a proxy's own answer says nothing that its status does not. */
export function describe(line: string, fields: readonly string[], body: string, how: string): string {
  if (isOwnPage(fields, body)) {
    const closes = fields.includes("connection: close") ? ", closes" : "";
    const others = fields.filter((field) => !ownFields.test(field));
    return [`${line.split(" ")[1]} of the proxy${closes}`, ...others].join("\n");
  }
  const shown = body.length > 200 ? `${body.length} bytes ${checksum(body)}` : JSON.stringify(body);
  return [line, ...[...fields].sort(), `body ${shown}${how}`].join("\n");
}

const ownFields = /^(content-length|content-type|cache-control|connection|date):/;

const isOwnPage = (fields: readonly string[], body: string): boolean =>
  fields.some((field) => field.startsWith("cache-control: no-cache")) &&
  (body === "" || /^<html><body><h1>\d\d\d /.test(body));

function checksum(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return (sum >>> 0).toString(16);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
