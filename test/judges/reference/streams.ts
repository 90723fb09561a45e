import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from "node:http2";
import { connect, type TLSSocket } from "node:tls";
import { describe } from "./client.js";

/** Far above what a step needs, so that only a real fault reaches it. */
const stepMs = 30_000;

type Fields = Readonly<Record<string, string | readonly string[]>>;

/** A stream that is open. */
export interface OpenStream {
  readonly raw: ClientHttp2Stream;
  /** As a line of the transcript, when it has ended. */
  readonly answer: Promise<string>;
}

/** A client that speaks HTTP/2 inside of TLS. Answers have the form in which those of HTTP/1.1 are compared. */
export class StreamClient {
  private readonly closed: Promise<void>;

  private constructor(
    private readonly session: ClientHttp2Session,
    private readonly tls: TLSSocket,
  ) {
    session.on("error", () => {});
    this.closed = new Promise((resolve) => session.once("close", () => resolve()));
  }

  static async connect(port: number, host: string): Promise<StreamClient> {
    const tls = connect({ port, host, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] });
    await new Promise<void>((resolve, reject) => {
      tls.once("secureConnect", () => resolve());
      tls.once("error", reject);
    });
    if (tls.alpnProtocol !== "h2") throw new Error(`ALPN gave ${tls.alpnProtocol}`);
    return new StreamClient(connectHttp2("https://site", { createConnection: () => tls }), tls);
  }

  /** Begins a request: GET / of "site" where `fields` says nothing else; null for a pseudo-header field leaves it out. */
  open(fields: Fields, isWhole = true): OpenStream {
    const usual = { ":method": "GET", ":scheme": "https", ":authority": "site", ":path": "/" };
    const raw = this.session.request({ ...usual, ...fields } as Record<string, string>, {
      endStream: isWhole,
    });
    raw.on("error", () => {});
    return { raw, answer: within(answerOf(raw, String(fields[":method"] ?? "GET")), "the end of a stream") };
  }

  ask(fields: Fields, body: string | null = null): Promise<string> {
    const { raw, answer } = this.open(fields, body === null);
    if (body !== null) raw.end(body, "latin1");
    return answer;
  }

  /** The other side ends the connection. */
  async end(): Promise<void> {
    await within(this.closed, "the end of the connection");
  }

  /** RST, with whatever is open. */
  reset(): void {
    this.session.destroy();
    this.tls.destroy();
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`expected ${what}`)), stepMs);
  });
  return await Promise.race([promise, expired]).finally(() => clearTimeout(late));
}

const codes = new Map<unknown, string>([
  [constants.NGHTTP2_NO_ERROR, "NO_ERROR"],
  [constants.NGHTTP2_PROTOCOL_ERROR, "PROTOCOL_ERROR"],
  [constants.NGHTTP2_INTERNAL_ERROR, "INTERNAL_ERROR"],
  [constants.NGHTTP2_CANCEL, "CANCEL"],
  [constants.NGHTTP2_REFUSED_STREAM, "REFUSED_STREAM"],
]);

function answerOf(stream: ClientHttp2Stream, method: string): Promise<string> {
  const interim: string[] = [];
  let status = 0;
  let body = "";
  let fields: string[] = [];
  let trailers: string[] = [];
  const linesOf = (headers: object): string[] =>
    Object.entries(headers)
      .filter(([name]) => !name.startsWith(":"))
      .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  stream.setEncoding("latin1");
  stream.on("headers", (headers) => interim.push(`${headers[":status"]}, `));
  stream.on("response", (headers) => {
    status = Number(headers[":status"]);
    fields = linesOf(headers);
  });
  stream.on("trailers", (headers) => {
    trailers = linesOf(headers);
  });
  stream.on("data", (text: string) => {
    body += text;
  });
  return new Promise((resolve) =>
    stream.on("close", () => {
      const code = stream.rstCode ?? 0;
      const isCut = code !== 0 || !stream.readableEnded;
      const end = isCut ? `, reset: ${codes.get(code) ?? code}` : "";
      const after = trailers.length === 0 ? "" : ` (${trailers.join(", ")})`;
      if (status === 0) resolve(`no answer${end}`);
      else
        resolve(
          interim.join("") + describe(`HTTP/2 ${status}`, fields, method === "HEAD" ? "" : body, after + end),
        );
    }),
  );
}
