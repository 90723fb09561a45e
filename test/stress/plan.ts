import { Random } from "./random.js";

/** How a side cuts what it sends into writes. */
export type Cut = "whole" | "pieces" | "bytes";

export interface Upload {
  readonly bytes: number;
  readonly framing: "length" | "chunked";
  /** `Expect: 100-continue`: the body waits for the server's word. */
  readonly expects: boolean;
  readonly trailer: boolean;
}

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly framing: "length" | "chunked" | "close";
  readonly cut: Cut;
  /** Informational responses before it. */
  readonly hints: number;
  readonly trailer: boolean;
  readonly delayMs: number;
  /** The server says `Connection: close`, and closes. */
  readonly closes: boolean;
}

/**
 * What is special about an exchange.
 * - `early`: the server answers before it has read the upload, and then reads the rest (`early-drain`) or closes
 *   (`early-close`).
 * - `reset`: the server resets instead of answering; `flaky`: only the first time it is asked.
 * - `cut`: the server breaks off in the middle of the body. `garbage`: what it answers is no HTTP.
 * - `tunnel`: an upgrade, then an echo.
 * - `malformed`: the request breaks a rule.
 */
export type Special =
  | "none"
  | "early-drain"
  | "early-close"
  | "reset"
  | "flaky"
  | "cut"
  | "garbage"
  | "tunnel"
  | "malformed";

export interface ExchangePlan {
  readonly id: number;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly versionMinor: 0 | 1;
  /** Bytes of a field that nobody needs. */
  readonly paddingBytes: number;
  readonly upload: Upload | null;
  readonly answer: Answer;
  readonly special: Special;
  /** Name of the rule that is broken (`malformed.ts`). */
  readonly malformed: string | null;
}

/** Where a client leaves: before its last answer is whole. */
export interface Abort {
  readonly where: "head" | "upload" | "waiting" | "answer";
  readonly reset: boolean;
}

export interface ConnectionPlan {
  readonly index: number;
  readonly exchanges: readonly ExchangePlan[];
  readonly cut: Cut;
  /** All requests are written before the first answer is read. */
  readonly pipelined: boolean;
  /** Pause after each read, ms; 0: reads as fast as it comes. */
  readonly slowReadMs: number;
  /** How the client ends: `close` says so in its last request, `half-close` sends FIN behind that, `leave` sends FIN
   * when it has its last answer. */
  readonly ending: "close" | "half-close" | "leave";
  readonly abort: Abort | null;
}

/** Kinds of connections, and how often they come. Each but `plain` adds one difficulty to the last exchange. */
const kinds = {
  plain: 100,
  abort: 12,
  earlyDrain: 3,
  earlyClose: 3,
  reset: 3,
  flaky: 3,
  cut: 4,
  garbage: 2,
  tunnel: 5,
  malformed: 6,
  http10: 4,
  untilClose: 5,
} as const;
type Kind = keyof typeof kinds;

/** So many exchanges at most on one connection; ids are `index * 16 + place`. */
const mostExchanges = 12;

/** What one client connection does: pure, the same for the same seed and index. */
export function planConnection(seed: number, index: number, malformed: readonly string[]): ConnectionPlan {
  const random = new Random(seed, index);
  const kind = random.weighted(kinds);
  const count = Math.min(mostExchanges, 1 + Math.floor(-Math.log(1 - random.next()) * 3.2));
  const exchanges = Array.from({ length: count }, (_, place) => {
    const id = index * 16 + place;
    const isLast = place === count - 1;
    return isLast ? planLast(random, id, kind, malformed) : planPlain(random, id);
  });
  const last = exchanges[count - 1];
  // Who has to stop in the middle of a body, or to wait for a word, cannot write everything first.
  const pipelines = exchanges.every(
    ({ upload }) => upload === null || (upload.bytes < 5_000 && !upload.expects),
  );
  const abort: Abort | null =
    kind === "abort" ? { where: abortPlace(random, last), reset: random.chance(0.5) } : null;
  return {
    index,
    exchanges,
    cut: random.weighted({ whole: 80, pieces: 17, bytes: 3 }),
    pipelined: pipelines && last.special === "none" && abort === null && random.chance(0.3),
    slowReadMs: random.chance(0.1) ? random.whole(1, 4) : 0,
    ending: random.weighted({ close: 40, "half-close": 15, leave: 45 }),
    abort,
  };
}

function abortPlace(random: Random, last: ExchangePlan): Abort["where"] {
  const where = random.weighted({ head: 1, upload: 2, waiting: 2, answer: 3 });
  return where === "upload" && last.upload === null ? "waiting" : where;
}

function planPlain(random: Random, id: number): ExchangePlan {
  const method = random.weighted({ GET: 60, HEAD: 6, POST: 18, PUT: 12, DELETE: 4 });
  return {
    id,
    method,
    versionMinor: 1,
    paddingBytes: random.chance(0.15) ? random.whole(100, 9_000) : 0,
    upload: method === "POST" || method === "PUT" ? planUpload(random, size(random)) : null,
    answer: planAnswer(random, method),
    special: "none",
    malformed: null,
  };
}

function planUpload(random: Random, bytes: number): Upload {
  const framing = random.chance(0.5) ? "length" : "chunked";
  return {
    bytes,
    framing,
    expects: bytes > 0 && random.chance(0.08),
    trailer: framing === "chunked" && random.chance(0.2),
  };
}

function planAnswer(random: Random, method: ExchangePlan["method"]): Answer {
  const status = random.weighted({ 200: 85, 204: 4, 304: method === "GET" ? 4 : 0, 404: 4, 500: 3 });
  const framing = random.chance(0.6) ? "length" : "chunked";
  return {
    status: Number(status),
    bytes: status === "204" || status === "304" ? 0 : size(random),
    framing,
    cut: random.weighted({ whole: 80, pieces: 18, bytes: 2 }),
    hints: random.chance(0.04) ? random.whole(1, 3) : 0,
    trailer: framing === "chunked" && random.chance(0.1),
    delayMs: random.chance(0.1) ? random.whole(1, 8) : 0,
    closes: random.chance(0.05),
  };
}

function planLast(random: Random, id: number, kind: Kind, malformed: readonly string[]): ExchangePlan {
  const plain = planPlain(random, id);
  const uploading = (bytes: number): ExchangePlan => ({
    ...plain,
    method: "POST",
    upload: { ...planUpload(random, bytes), expects: false },
  });
  const withBody = (least: number): Answer => ({
    ...plain.answer,
    status: 200,
    bytes: Math.max(least, size(random)),
  });
  switch (kind) {
    case "earlyDrain":
    case "earlyClose": {
      const exchange = uploading(Math.max(1_000, size(random) * 4));
      // Small, so that the server has sent it whole before it closes.
      const answer: Answer = { ...exchange.answer, status: 413, bytes: random.whole(0, 2_000), cut: "whole" };
      const special = kind === "earlyDrain" ? "early-drain" : "early-close";
      return { ...exchange, answer: { ...answer, closes: true }, special };
    }
    case "reset":
      return { ...plain, special: "reset" };
    case "flaky":
      return { ...plain, special: "flaky" };
    case "garbage":
      return { ...plain, special: "garbage" };
    case "cut": {
      const answer = withBody(2_000);
      return { ...plain, method: plain.upload === null ? "GET" : plain.method, answer, special: "cut" };
    }
    case "tunnel": {
      const bytes = size(random);
      const answer: Answer = { ...plain.answer, status: 101, bytes, framing: "close", closes: true };
      return { ...plain, method: "GET", upload: null, answer, special: "tunnel" };
    }
    case "malformed":
      return {
        ...plain,
        method: "POST",
        upload: null,
        special: "malformed",
        malformed: random.pick(malformed),
      };
    case "http10": {
      // HTTP/1.0 knows no chunks, and no 1xx.
      const upload = plain.upload === null ? null : { ...plain.upload, framing: "length" as const };
      const answer = { ...plain.answer, hints: 0 };
      return {
        ...plain,
        versionMinor: 0,
        upload: upload && { ...upload, expects: false, trailer: false },
        answer,
      };
    }
    case "untilClose":
      return { ...plain, answer: { ...withBody(0), framing: "close", trailer: false, closes: true } };
    default:
      return plain;
  }
}

/** Mostly small, sometimes at the edge of a buffer, seldom large. */
function size(random: Random): number {
  switch (
    random.weighted({ none: 60, tiny: 250, small: 400, some: 170, edge: 30, many: 75, large: 14, huge: 1 })
  ) {
    case "none":
      return 0;
    case "tiny":
      return random.whole(1, 100);
    case "small":
      return random.whole(100, 2_000);
    case "some":
      return random.whole(2_000, 20_000);
    case "edge":
      return random.pick([4_096, 8_192, 16_384, 32_768, 65_536]) + random.whole(-2, 2);
    case "many":
      return random.whole(20_000, 200_000);
    case "large":
      return random.whole(200_000, 1_500_000);
    default:
      return random.whole(1_500_000, 6_000_000);
  }
}
