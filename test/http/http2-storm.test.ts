import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { Http2Peer } from "./http2-peer.js";
import { eventually } from "./peer.js";
import { portableOnly, scenario } from "./scenario.js";
import { freshCertificate } from "./tls-peer.js";

/** Numbers of a sequence that the seed decides (xorshift). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const digest = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

/** Bytes that tell which answer they belong to, and where in it they stand. */
function pattern(length: number, id: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 61) bytes[at] = (id + at) & 255;
  return bytes;
}

type Mode = "length" | "chunks" | "slow" | "trailers" | "cut";
const modes: readonly Mode[] = ["length", "length", "chunks", "slow", "trailers", "cut"];

function answer(response: ServerResponse, body: Buffer, mode: Mode): void {
  if (mode === "length") response.setHeader("content-length", body.length);
  if (mode === "trailers") {
    response.setHeader("trailer", "x-end");
    response.write(body);
    response.addTrailers({ "x-end": "yes" });
    response.end();
  } else if (mode === "cut") {
    response.setHeader("content-length", body.length + 1);
    response.write(body, () => response.destroy());
  } else if (mode === "slow") {
    const half = body.length >> 1;
    response.write(body.subarray(0, half));
    setTimeout(() => response.end(body.subarray(half)), 2);
  } else response.end(body);
}

/** A server of Node's that answers /size/mode/id, with the digest of what it was sent. */
async function startServer(): Promise<{ port: number; close: () => void }> {
  const server = createServer((request, response) => {
    const [, size, mode, id] = (request.url ?? "").split("/");
    const hash = createHash("md5");
    request.on("error", () => {});
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () => {
      response.setHeader("x-sent", hash.digest("hex"));
      answer(response, pattern(Number(size), Number(id)), mode as Mode);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** One request from end to end; returns what was wrong with it, or null. */
async function ask(session: ClientHttp2Session, pick: (below: number) => number): Promise<string | null> {
  const size = [0, 1, 612, 20_000, 70_000][pick(5)];
  const mode = modes[pick(modes.length)];
  const id = pick(1_000_000);
  const sent = pick(3) > 0 ? null : pattern([0, 5, 70_000, 150_000][pick(4)], id);
  const givesUp = pick(25) === 0;
  const what = `${size} ${mode} ${sent?.length}`;
  const length = sent !== null && pick(2) === 0 ? { "content-length": String(sent.length) } : {};
  const path = `/${size}/${mode}/${id}`;
  const fields = { ":path": path, ":method": sent === null ? "GET" : "POST", "x-id": String(id), ...length };
  const stream = session.request(fields, { endStream: sent === null });
  const parts: Buffer[] = [];
  let told = "";
  let hasTrailers = false;
  stream.on("error", () => {});
  stream.on("response", (head) => {
    told = `${head[":status"]} ${head["x-sent"]}`;
  });
  stream.on("trailers", (trailers) => {
    hasTrailers = trailers["x-end"] === "yes";
  });
  stream.on("data", (part: Buffer) => parts.push(part));
  if (pick(6) === 0) {
    stream.pause();
    setTimeout(() => stream.resume(), 5);
  }
  if (sent !== null) {
    const cut = pick(sent.length + 1);
    stream.write(sent.subarray(0, cut));
    setTimeout(() => stream.end(sent.subarray(cut)), pick(3));
  }
  if (givesUp) setTimeout(() => stream.close(8), pick(10));
  await new Promise((resolve) => stream.once("close", resolve));
  if (givesUp || session.closed || session.destroyed) return null;
  if (mode === "cut") return stream.rstCode === 0 ? `${what} looks whole` : null;
  const expected = `200 ${digest(sent ?? Buffer.alloc(0))}`;
  if (told !== expected) return `${what}: ${told} and not ${expected}, code ${stream.rstCode}`;
  if (!Buffer.concat(parts).equals(pattern(size, id))) return `${what}: another body`;
  if (stream.rstCode !== 0) return `${what}: code ${stream.rstCode}`;
  return mode === "trailers" && !hasTrailers ? `${what}: no trailers` : null;
}

scenario(
  "random traffic: bodies both ways, tables and windows of the client's choice, slow and cut ones, streams and connections given up",
  async (s, t) => {
    const server = await startServer();
    s.atEnd(() => server.close());
    const tls = { crt: ["/certs"], alpn: ["h2"] };
    const certificates = {
      byPath: new Map([["/certs", [freshCertificate("site")]]]),
      authorities: new Map(),
    };
    const proxy = s.proxy([], {
      config: {
        listen: [{ address: "127.0.0.1", port: 0, tls }],
        servers: [{ name: "web01", host: "127.0.0.1", port: server.port }],
      },
      tls: { certificates, ticketKeys: randomBytes(48) },
    });
    const wrong: string[] = [];
    let asked = 0;
    const client = async (seed: number): Promise<void> => {
      const pick = random(seed);
      for (let turn = 0; turn < 5; turn++) {
        const initialWindowSize = [65_535, 900, 9_000, 1_000_000][pick(4)];
        const headerTableSize = [4_096, 0, 200][pick(3)];
        const { session } = await Http2Peer.connect(proxy, null, { initialWindowSize, headerTableSize });
        const streams = Array.from({ length: 8 }, async () => {
          for (let i = 0; i < 5 && !session.closed && !session.destroyed; i++) {
            asked++;
            const fault = await ask(session, pick);
            if (fault !== null) wrong.push(`seed ${seed}: ${fault}`);
          }
        });
        // Some leave in the middle of it all.
        if (pick(3) === 0) setTimeout(() => session.destroy(), 20);
        await Promise.all(streams);
        session.close();
      }
    };
    await Promise.all([11, 22, 33, 44].map(client));
    t.same(wrong, []);
    t.ok(asked > 300, `${asked} requests`);
    await eventually(
      () => proxy.instance.clients.size === 0,
      () => "connections are left",
      10_000,
    );
    t.equal(proxy.stats().frontend.sessionsCurrent, 0);
  },
  portableOnly,
);
