import { connect } from "node:net";
import { malformedOf } from "./malformed.js";
import {
  concat,
  hasNoBody,
  plainBody,
  type ReadBody,
  readChunked,
  readHead,
  readPlain,
  requestHead,
  targetOf,
  uploadBody,
} from "./messages.js";
import { answerOf, isBody, uploadOf } from "./pattern.js";
import type { ConnectionPlan, ExchangePlan } from "./plan.js";
import { Random } from "./random.js";
import { Broken, Wire, writeCut } from "./wire.js";

/** What a client saw of one exchange. */
export interface Outcome {
  /** 0: no head came. */
  readonly status: number;
  /** `whole`, `cut` in the middle, or `none`: no answer at all. */
  readonly body: "whole" | "cut" | "none";
  /** Payload. */
  readonly bytes: number;
  /** Every byte was the right one (of an answer that was the server's). */
  readonly right: boolean;
  /** What the server says that it got: `BYTES right`, `unread`; "" when the answer is the proxy's own. */
  readonly uploaded: string;
  /** Something that no answer may be: broken framing, bytes behind the last answer, silence. */
  readonly wrong: string | null;
}

/** Nobody answers for so long only if something is stuck. */
const silenceMs = 90_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const none = (wrong: string | null): Outcome => ({
  status: 0,
  body: "none",
  bytes: 0,
  right: true,
  uploaded: "",
  wrong,
});

/** Plays one connection against a proxy; gives what came of each of its exchanges, in order. */
export async function playConnection(plan: ConnectionPlan, port: number, seed: number): Promise<Outcome[]> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const player = new Player(plan, new Wire(socket, plan.slowReadMs), seed);
  let stuck = false;
  let moved = 0;
  // Of silence, not of the whole: a connection of many exchanges in single bytes takes long on a busy machine.
  const timer = setInterval(() => {
    const { receivedBytes, sentBytes } = player.wire;
    stuck = receivedBytes + sentBytes === moved;
    moved = receivedBytes + sentBytes;
    if (stuck) player.wire.abort(true);
  }, silenceMs);
  try {
    const outcomes = await player.play();
    if (!stuck) return outcomes;
    const last = outcomes.findIndex(({ body }) => body !== "whole");
    const at = last < 0 ? outcomes.length - 1 : last;
    return outcomes.map((outcome, i) =>
      i === at ? { ...outcome, wrong: `nothing for ${silenceMs} ms` } : outcome,
    );
  } finally {
    clearInterval(timer);
    player.wire.abort(false);
  }
}

class Player {
  readonly outcomes: Outcome[] = [];
  /** The server has said 100, or something final. */
  #continue: (() => void) | null = null;
  #over = false;

  constructor(
    private readonly plan: ConnectionPlan,
    readonly wire: Wire,
    private readonly seed: number,
  ) {}

  async play(): Promise<Outcome[]> {
    const { exchanges, pipelined, ending } = this.plan;
    const writing = pipelined ? this.#writeAll() : null;
    for (const exchange of exchanges) {
      const isLast = exchange === exchanges.at(-1);
      const sending = writing ?? this.#write(exchange, isLast);
      this.outcomes.push(await this.#read(exchange, isLast));
      // An answer that came early does not end the upload: some clients read only when they have sent everything.
      await sending;
      if (this.#over) break;
    }
    while (this.outcomes.length < exchanges.length) this.outcomes.push(none(null));
    await this.#end(ending);
    return this.outcomes;
  }

  async #end(ending: ConnectionPlan["ending"]): Promise<void> {
    if (this.plan.abort !== null || this.#over) return;
    // HAProxy takes some broken requests, and then waits for the next one.
    const isRefused = this.plan.exchanges.at(-1)?.special === "malformed";
    if (ending === "leave" || isRefused) this.wire.end();
    const rest = await this.wire.rest();
    if (rest > 0) this.#spoil(`${rest} bytes behind the last answer`);
    this.wire.end();
    if (!(await this.wire.whenClosed(10_000))) this.#spoil("the connection does not end");
  }

  #spoil(wrong: string): void {
    const last = this.outcomes.length - 1;
    this.outcomes[last] = { ...this.outcomes[last], wrong };
  }

  async #writeAll(): Promise<void> {
    const { exchanges, cut, ending, index } = this.plan;
    const random = new Random(this.seed, index, 1);
    const parts: Buffer[] = [];
    for (const exchange of exchanges) {
      const closes = exchange === exchanges.at(-1) && ending === "close";
      parts.push(requestHead(exchange, closes));
      if (exchange.upload !== null) parts.push(...uploadBody(exchange, exchange.upload, random));
    }
    try {
      await writeCut(this.wire, parts, cut, random);
      if (ending === "half-close") this.wire.end();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
  }

  async #write(exchange: ExchangePlan, isLast: boolean): Promise<void> {
    const { ending, abort } = this.plan;
    const random = new Random(this.seed, exchange.id, 3);
    try {
      await this.#send(exchange, isLast, random);
      if (exchange.special === "tunnel") return;
      if (isLast && abort !== null && abort.where !== "answer") {
        await sleep(random.whole(0, 6));
        this.wire.abort(abort.reset);
      } else if (isLast && ending === "half-close" && abort === null) {
        this.wire.end();
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
  }

  async #send(exchange: ExchangePlan, isLast: boolean, random: Random): Promise<void> {
    const { cut, ending, abort } = this.plan;
    const { upload } = exchange;
    const put = (message: Iterable<Buffer>, limit?: number): Promise<number> =>
      writeCut(this.wire, message, cut, random, limit);
    if (exchange.special === "malformed") {
      const request = malformedOf(exchange.malformed).request(targetOf(exchange));
      await put([Buffer.from(request, "latin1")]);
      return;
    }
    const head = requestHead(exchange, isLast && ending === "close");
    const leaves = isLast ? abort?.where : undefined;
    if (leaves === "head") {
      await put([head], random.whole(1, head.length - 1));
    } else if (upload === null) {
      await put([head]);
    } else if (upload.expects) {
      const told = new Promise<void>((resolve) => {
        this.#continue = resolve;
      });
      await put([head]);
      await told;
      if (leaves !== "upload") await put(uploadBody(exchange, upload, random));
    } else {
      const limit =
        leaves === "upload" ? head.length + random.whole(0, Math.max(0, upload.bytes - 1)) : undefined;
      await put(concat(head, uploadBody(exchange, upload, random)), limit);
    }
  }

  async #read(exchange: ExchangePlan, isLast: boolean): Promise<Outcome> {
    let head: { line: string; fields: ReadonlyMap<string, string> };
    let status: number;
    do {
      const bytes = await this.wire.readPast("\r\n\r\n");
      if (bytes === null) {
        this.#over = true;
        this.#continue?.();
        return none(null);
      }
      head = readHead(bytes);
      status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head.line)?.[1] ?? Number.NaN);
      if (Number.isNaN(status)) {
        this.#over = true;
        this.#continue?.();
        return none(`status line ${JSON.stringify(head.line.slice(0, 60))}`);
      }
      if (status === 100) this.#continue?.();
    } while (status < 200 && status !== 101);
    this.#continue?.();
    const { fields } = head;
    const own = fields.get("x-exchange");
    const body =
      status === 101
        ? await this.#tunnel(exchange)
        : await this.#readBody(exchange, status, fields, own !== undefined, isLast);
    if (!body.whole || (!isLast && fields.get("connection") === "close")) this.#over = true;
    return {
      status,
      body: body.whole ? "whole" : "cut",
      bytes: body.bytes,
      right: body.right,
      uploaded: fields.get("x-upload") ?? "",
      wrong:
        body.wrong ??
        (own !== undefined && own !== String(exchange.id) ? `the answer of exchange ${own}` : null),
    };
  }

  async #readBody(
    exchange: ExchangePlan,
    status: number,
    fields: ReadonlyMap<string, string>,
    isServers: boolean,
    isLast: boolean,
  ): Promise<ReadBody> {
    if (hasNoBody(exchange, status)) return { bytes: 0, right: true, whole: true, wrong: null };
    const { abort } = this.plan;
    const leaveAfter =
      isLast && abort?.where === "answer"
        ? new Random(this.seed, exchange.id, 4).whole(0, exchange.answer.bytes)
        : Number.POSITIVE_INFINITY;
    let right = true;
    const each = (bytes: Buffer, offset: number): boolean => {
      if (isServers && !isBody(answerOf(exchange.id), offset, bytes)) right = false;
      if (offset + bytes.length < leaveAfter) return true;
      this.wire.abort(abort?.reset ?? true);
      return false;
    };
    const length = fields.get("content-length");
    const body =
      fields.get("transfer-encoding") === "chunked"
        ? await readChunked(this.wire, each)
        : await readPlain(this.wire, length === undefined ? Number.POSITIVE_INFINITY : Number(length), each);
    body.right = right;
    return body;
  }

  /** Sends as many bytes as the plan says, then FIN; everything must come back. */
  async #tunnel(exchange: ExchangePlan): Promise<ReadBody> {
    const { bytes } = exchange.answer;
    let right = true;
    const random = new Random(this.seed, exchange.id, 5);
    const sending = writeCut(this.wire, plainBody(uploadOf(exchange.id), bytes), this.plan.cut, random)
      .then(() => this.wire.end())
      .catch(() => {});
    const body = await readPlain(this.wire, Number.POSITIVE_INFINITY, (part, offset) => {
      if (!isBody(uploadOf(exchange.id), offset, part)) right = false;
      return true;
    });
    await sending;
    return { ...body, right, whole: body.whole && body.bytes === bytes };
  }
}
