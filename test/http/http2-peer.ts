import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type Settings,
} from "node:http2";
import net from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { within } from "./peer.js";
import type { AnyClient, RunningProxy } from "./scenario.js";

/** What came of one request. */
export interface Http2Answer {
  /** 0: no head came. */
  readonly status: number;
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | string[] | undefined>> | null;
  readonly interim: readonly number[];
  /** Name of the code that the stream was reset with; null: it ended by itself. */
  readonly reset: string | null;
}

export interface Http2Request {
  readonly [field: string]: string | string[];
}

const codes = new Map(
  Object.entries(constants).flatMap(([name, value]) =>
    /^NGHTTP2_(NO_ERROR|.*_ERROR|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM)$/.test(name) &&
    typeof value === "number"
      ? [[value, name.replace("NGHTTP2_", "")] as const]
      : [],
  ),
);

/** A client that speaks HTTP/2 inside of TLS. */
export class Http2Peer implements AnyClient {
  /** Codes and last streams of the GOAWAY frames that came. */
  readonly goaways: { readonly code: number; readonly lastStream: number }[] = [];
  isClosed = false;

  private constructor(
    readonly session: ClientHttp2Session,
    readonly tls: TLSSocket,
  ) {
    session.on("error", () => {});
    session.on("goaway", (code, lastStream) => this.goaways.push({ code, lastStream }));
    session.on("close", () => {
      this.isClosed = true;
    });
  }

  /** `first` goes out in front of the handshake. */
  static async connect(
    proxy: RunningProxy,
    first: Uint8Array | null = null,
    settings: Settings = {},
  ): Promise<Http2Peer> {
    const tcp = net.connect({ port: proxy.port, host: "127.0.0.1" });
    if (first !== null) tcp.write(first);
    const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] });
    const secured = new Promise<void>((resolve, reject) => {
      tls.once("secureConnect", () => resolve());
      tls.once("error", reject);
    });
    await within(secured, 20_000, () => "the proxy does not shake hands");
    if (tls.alpnProtocol !== "h2") throw new Error(`ALPN gave ${tls.alpnProtocol}`);
    const session = connectHttp2("https://site", {
      ...{ createConnection: () => tls, maxSessionMemory: 1_000, settings },
    });
    const peer = new Http2Peer(session, tls);
    proxy.add(peer);
    const settled = new Promise<void>((resolve) => session.once("remoteSettings", () => resolve()));
    await within(settled, 20_000, () => "the proxy sends no SETTINGS");
    return peer;
  }

  open(request: Http2Request, endStream = true): ClientHttp2Stream {
    const stream = this.session.request(
      { ":authority": "site", ":scheme": "https", ":method": "GET", ...request },
      { endStream },
    );
    stream.on("error", () => {});
    return stream;
  }

  /** Asks, with a body if there is one, and waits for the end. */
  async ask(request: Http2Request, body: Uint8Array | string | null = null): Promise<Http2Answer> {
    const stream = this.open(request, body === null);
    const answer = answerOf(stream);
    if (body !== null) stream.end(body);
    return await answer;
  }

  get(path: string, fields: Http2Request = {}): Promise<Http2Answer> {
    return this.ask({ ":path": path, ...fields });
  }

  reset(): void {
    this.session.destroy();
    this.tls.destroy();
  }

  destroy(): void {
    this.reset();
  }
}

/** Everything that comes on a stream up to its end. */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const chunks: Buffer[] = [];
  const interim: number[] = [];
  let status = 0;
  let fields: Http2Answer["fields"] = {};
  let trailers: Http2Answer["trailers"] = null;
  stream.on("headers", (headers) => interim.push(Number(headers[":status"])));
  stream.on("response", (headers) => {
    const { ":status": code, ...others } = headers;
    status = Number(code);
    fields = others;
  });
  stream.on("trailers", (headers) => {
    trailers = { ...headers };
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<Http2Answer>((resolve) =>
    stream.on("close", () => {
      const code = stream.rstCode ?? 0;
      const reset = code === 0 && stream.readableEnded ? null : (codes.get(code) ?? String(code));
      resolve({ status, fields, body: Buffer.concat(chunks), trailers, interim, reset });
    }),
  );
  return within(closed, 20_000, () => "the stream does not end");
}
