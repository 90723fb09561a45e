import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import {
  answerBody,
  answerHead,
  concat,
  type ReadBody,
  readChunked,
  readHead,
  readPlain,
} from "./messages.js";
import { isBody, uploadOf } from "./pattern.js";
import type { ExchangePlan } from "./plan.js";
import { Random } from "./random.js";
import { Broken, Wire, writeCut } from "./wire.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The exchanges that are under way, by the number in their target. */
export type Book = Map<number, { readonly exchange: ExchangePlan; asked: number }>;

/** A web server that does to every request what its plan says. */
export class PlannedServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #book: Book;
  readonly #seed: number;
  /** Requests that no plan knows, or that came in a way that no proxy may send: each is a fault. */
  readonly faults: string[] = [];
  requests = 0;

  private constructor(book: Book, seed: number) {
    this.#book = book;
    this.#seed = seed;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      const wire = new Wire(socket, 0);
      this.#serve(wire).catch((error: unknown) => {
        wire.abort(true);
        if (!(error instanceof Broken)) this.faults.push(String(error));
      });
    });
  }

  static async start(book: Book, seed: number): Promise<PlannedServer> {
    const planned = new PlannedServer(book, seed);
    await new Promise<void>((resolve) => planned.#server.listen(0, "127.0.0.1", 4096, resolve));
    return planned;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that stand now. */
  get connections(): number {
    return this.#sockets.size;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(wire: Wire): Promise<void> {
    for (;;) {
      const bytes = await wire.readPast("\r\n\r\n");
      if (bytes === null) {
        wire.end();
        return;
      }
      this.requests += 1;
      const { line, fields } = readHead(bytes);
      const entry = this.#book.get(Number(/^[A-Z]+ \/x\/(\d+)[? ]/.exec(line)?.[1]));
      if (entry === undefined) {
        // A client that left in the middle of its head or while it waited, or a request that was asked for again elsewhere
        // (pipelining): its plan may be over already. The answer before it may still be on its way: no reset.
        wire.end();
        await wire.whenClosed(2000);
        wire.abort(false);
        return;
      }
      entry.asked += 1;
      const goesOn = await this.#answer(wire, entry.exchange, entry.asked, fields);
      if (!goesOn) return;
    }
  }

  /** False: the connection is over. */
  async #answer(
    wire: Wire,
    exchange: ExchangePlan,
    asked: number,
    fields: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    const { answer, special, id } = exchange;
    const random = new Random(this.#seed, id, 2);
    if (special === "reset" || (special === "flaky" && asked === 1)) {
      // With pipelining the answer to somebody else may be on its way in front of this.
      await wire.settled();
      wire.abort(true);
      return false;
    }
    if (special === "tunnel") return await this.#echo(wire, exchange);
    const early = special === "early-drain" || special === "early-close";
    const uploaded = early ? "unread" : describe(await this.#readUpload(wire, exchange, fields));
    if (!early && uploaded === "broken") {
      wire.abort(true);
      return false;
    }
    if (answer.delayMs > 0) await sleep(answer.delayMs);
    if (special === "garbage") {
      await wire.write(Buffer.from("this is no HTTP\r\n\r\n"));
      await wire.whenClosed(2000);
      wire.abort(false);
      return false;
    }
    if (special === "malformed") {
      // Only what HAProxy lets pass comes here.
      await wire.write(Buffer.from("HTTP/1.1 200 Answer\r\nContent-Length: 0\r\n\r\n"));
      return true;
    }
    for (let hint = 0; hint < answer.hints; hint++)
      await wire.write(Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"));
    const head = answerHead(exchange, answer, uploaded);
    if (special === "cut") {
      const part = Math.min(answer.bytes - 1, random.whole(0, 70_000));
      await writeCut(
        wire,
        [head, ...answerBody(exchange, answer, random)],
        answer.cut,
        random,
        head.length + part,
      );
      // So that the head has arrived before the end does: single bytes wait for delayed acknowledgements (40 ms and more).
      await wire.settled();
      wire.abort(random.chance(0.5));
      return false;
    }
    await writeCut(wire, concat(head, answerBody(exchange, answer, random)), answer.cut, random);
    if (special === "early-close") {
      await sleep(random.whole(0, 20));
      wire.end();
      await sleep(random.whole(0, 100));
      wire.abort(false);
      return false;
    }
    if (special === "early-drain") {
      wire.end();
      while ((await wire.readSome(65_536)) !== null);
      return false;
    }
    if (!answer.closes) return true;
    wire.end();
    await wire.whenClosed(5000);
    wire.abort(false);
    return false;
  }

  async #readUpload(
    wire: Wire,
    exchange: ExchangePlan,
    fields: ReadonlyMap<string, string>,
  ): Promise<ReadBody> {
    const each = (bytes: Buffer, offset: number): boolean => {
      if (!isBody(uploadOf(exchange.id), offset, bytes)) right = false;
      return true;
    };
    let right = true;
    if (fields.has("expect")) await wire.write(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
    const body = fields.has("transfer-encoding")
      ? await readChunked(wire, each)
      : await readPlain(wire, Number(fields.get("content-length") ?? 0), each);
    body.right = right;
    return body;
  }

  async #echo(wire: Wire, exchange: ExchangePlan): Promise<boolean> {
    await wire.write(
      Buffer.from(
        `HTTP/1.1 101 Switching Protocols\r\nX-Exchange: ${exchange.id}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
      ),
    );
    for (;;) {
      const part = await wire.readSome(65_536);
      if (part === null) break;
      await wire.write(part);
    }
    if (wire.errorCode === null) wire.end();
    return false;
  }
}

/** What a server tells its client of the upload. */
function describe(body: ReadBody): string {
  if (!body.whole) return "broken";
  return `${body.bytes} ${body.right ? "right" : "wrong"}`;
}
