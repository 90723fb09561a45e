import { createHash } from "node:crypto";
import fc from "fast-check";
import { delay, type Peer } from "./peer.js";
import { head, type RunningProxy, type ScriptedServer, scenario } from "./scenario.js";

const clients = 12;
const runMs = 4_000;
/** A busy machine gets so long for enough of it to say something. */
const longestRunMs = 60_000;

/** One request of a client, and how it misbehaves. */
interface Plan {
  readonly uploadBytes: number;
  readonly uploadChunked: boolean;
  readonly downloadBytes: number;
  readonly downloadChunked: boolean;
  /** Sizes of the pieces in which bytes leave, used in turn. */
  readonly pieces: readonly number[];
  /** The client leaves after this share of its request, or while it waits. */
  readonly abort: "never" | "in-upload" | "in-download";
  readonly serverCloses: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  uploadBytes: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(200_000)),
  uploadChunked: fc.boolean(),
  downloadBytes: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(400_000)),
  downloadChunked: fc.boolean(),
  pieces: fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 }),
  abort: fc.oneof(
    { weight: 8, arbitrary: fc.constant("never" as const) },
    fc.constantFrom("in-upload" as const, "in-download" as const),
  ),
  serverCloses: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
});

/** A body that is like no other: its bytes follow from its name. */
function bodyOf(name: string, bytes: number): Buffer {
  const pattern = createHash("sha512").update(name).digest();
  return Buffer.alloc(bytes, pattern);
}

const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Large bodies do not come in very small pieces, for the sake of the time that this takes. */
const pieceSize = (bytes: Buffer, pieces: readonly number[], i: number): number =>
  Math.max(pieces[i % pieces.length], bytes.length >> 5);

/** The body in the framing that the plan says, and the field that says so. */
function framed(body: Buffer, chunked: boolean, pieces: readonly number[]): { field: string; bytes: Buffer } {
  if (!chunked) return { field: `Content-Length: ${body.length}`, bytes: body };
  const out: Buffer[] = [];
  for (let at = 0, i = 0; at < body.length; i++) {
    const part = body.subarray(at, at + pieceSize(body, pieces, i));
    out.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
    at += part.length;
  }
  out.push(Buffer.from("0\r\n\r\n"));
  return { field: "Transfer-Encoding: chunked", bytes: Buffer.concat(out) };
}

/** Sends in the plan's pieces, with a turn of the loop between some; false when the other side is gone. */
async function sendInPieces(peer: Peer, bytes: Buffer, pieces: readonly number[]): Promise<boolean> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    if (!peer.isOpen) return false;
    const part = bytes.subarray(at, at + pieceSize(bytes, pieces, i));
    peer.send(part);
    at += part.length;
    if (i % 3 === 0) await delay(0);
  }
  return true;
}

async function receiveBody(peer: Peer, fields: { field(name: string): string | undefined }): Promise<Buffer> {
  const length = fields.field("content-length");
  if (length !== undefined) return await peer.receive(Number(length));
  const parts: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt(await peer.receiveLine(), 16);
    if (size === 0) break;
    parts.push(Buffer.from(await peer.receive(size)));
    await peer.expect("\r\n");
  }
  await peer.expect("\r\n");
  return Buffer.concat(parts);
}

/** Answers each request with a body that follows from the request's name, and with the hash of what it got. */
function answering(plans: ReadonlyMap<string, Plan>): (web: Peer) => Promise<void> {
  return async (web) => {
    try {
      for (;;) {
        const request = await web.receiveHead();
        const name = request.line.split(" ")[1];
        const planned = plans.get(name);
        if (planned === undefined) throw new Error(`nobody asked for ${name}`);
        const upload = await receiveBody(web, request);
        const { field, bytes } = framed(
          bodyOf(`answer to ${name}`, planned.downloadBytes),
          planned.downloadChunked,
          planned.pieces,
        );
        const close = planned.serverCloses ? ["Connection: close"] : [];
        const start = head(
          "HTTP/1.1 200 OK",
          `X-Name: ${name}`,
          `X-Upload: ${hashOf(upload)}`,
          field,
          ...close,
        );
        web.send(start);
        if (!(await sendInPieces(web, bytes, planned.pieces))) return;
        if (planned.serverCloses) {
          web.fin();
          return;
        }
      }
    } catch (error) {
      // The proxy has ended the connection: nothing to answer any more.
      if (web.isOpen) throw error;
    }
  };
}

/** One client's requests, one after the other; says what it saw that was not meant for it. */
async function live(
  proxy: RunningProxy,
  id: number,
  plans: Map<string, Plan>,
  isEnough: () => boolean,
): Promise<number> {
  let client = await proxy.client();
  let exchanges = 0;
  for (const [i, planned] of fc.sample(plan, { numRuns: 2_000, seed: id }).entries()) {
    if (isEnough()) break;
    const name = `/${id}/${i}`;
    plans.set(name, planned);
    const upload = bodyOf(`upload of ${name}`, planned.uploadBytes);
    const { field, bytes } = framed(upload, planned.uploadChunked, planned.pieces);
    client.send(head(`PUT ${name} HTTP/1.1`, "Host: site", field));
    if (planned.abort === "in-upload" && bytes.length > 1) {
      await sendInPieces(client, bytes.subarray(0, bytes.length >> 1), planned.pieces);
      client.reset();
      client = await proxy.client();
      continue;
    }
    if (!(await sendInPieces(client, bytes, planned.pieces))) throw new Error(`${name}: cut in its upload`);
    const response = await client.receiveHead();
    if (response.line !== "HTTP/1.1 200 OK") throw new Error(`${name}: ${response.line}`);
    if (response.field("x-name") !== name)
      throw new Error(`${name}: got the answer of ${response.field("x-name")}`);
    if (response.field("x-upload") !== hashOf(upload))
      throw new Error(`${name}: its upload is not what arrived`);
    if (planned.abort === "in-download" && planned.downloadBytes > 1) {
      client.reset();
      client = await proxy.client();
      continue;
    }
    const body = await receiveBody(client, response);
    if (!body.equals(bodyOf(`answer to ${name}`, planned.downloadBytes)))
      throw new Error(`${name}: wrong bytes`);
    exchanges++;
  }
  return exchanges;
}

scenario("no client ever gets a byte that was not meant for it, whatever the others do", async (s, t) => {
  const servers: ScriptedServer[] = [await s.server(), await s.server(), await s.server()];
  const plans = new Map<string, Plan>();
  for (const server of servers) server.serve(answering(plans));
  const proxy = s.proxy(servers);
  const since = performance.now();
  const isEnough = (): boolean => {
    const { requestsTotal, reuses } = proxy.stats().backend;
    const ms = performance.now() - since;
    return ms > longestRunMs || (ms > runMs && requestsTotal > 400 && reuses > 50);
  };
  const counts = await Promise.all(
    Array.from({ length: clients }, (_, id) => live(proxy, id, plans, isEnough)),
  );
  const exchanges = counts.reduce((sum, count) => sum + count, 0);
  t.comment(`${exchanges} exchanges of ${plans.size} requests`);
  t.ok(exchanges > 100);
  t.match(proxy.stats().frontend, { responses5xx: 0, responses4xx: 0 });
  t.ok(proxy.stats().backend.reuses > 50, "connections are shared");
});
