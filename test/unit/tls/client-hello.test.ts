import net from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import t from "tap";
import { serverNameOf } from "../../../src/proxy/tls/client-hello.js";

/** What Node's client says first. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const hello = new Promise<Buffer>((resolve) => {
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        socket.destroy();
        resolve(bytes);
      });
    });
  });
  const client = connect({ port, host: "127.0.0.1", ...(servername !== undefined && { servername }) });
  client.on("error", () => {});
  try {
    return await hello;
  } finally {
    server.close();
  }
}

const nameIn = (bytes: Uint8Array): string | null | undefined => serverNameOf(bytes, 0, bytes.length);

t.test("the name that a client asks for", async (t) => {
  t.equal(nameIn(await helloOf("www.example.org")), "www.example.org");
  t.equal(nameIn(await helloOf(undefined)), null);
});

t.test("it may come in any pieces, and in several records", async (t) => {
  const hello = await helloOf("a.example");
  for (let end = 0; end < hello.length; end++) t.equal(nameIn(hello.subarray(0, end)), undefined);
  const [first, second] = [hello.subarray(5, 60), hello.subarray(60)];
  const record = (part: Buffer): Buffer =>
    Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part]);
  t.equal(nameIn(Buffer.concat([record(first), record(second)])), "a.example");
  t.equal(nameIn(Buffer.concat([record(first), record(second).subarray(0, 20)])), undefined);
  const behind = Buffer.concat([Buffer.from("xyz"), hello, Buffer.from("more")]);
  t.equal(serverNameOf(behind, 3, behind.length), "a.example");
});

t.test("what is no first message of TLS is left to TLS", async (t) => {
  for (const text of [
    "GET / HTTP/1.1\r\n",
    "\x15\x03\x01\x00\x02\x02\x00",
    "\x16\x03\x01\x00\x00",
    "\x16\x03\x01\x00\x04\x02",
  ])
    t.equal(nameIn(Buffer.from(text, "latin1")), null, JSON.stringify(text));
});

t.test("whatever bytes come, there is an answer, and a hello that was changed does not throw", async () => {
  const hello = await helloOf("a.example");
  const changed = fc.tuple(fc.nat(hello.length - 1), fc.nat(255)).map(([at, value]) => {
    const copy = Uint8Array.from(hello);
    copy[at] = value;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), changed), (bytes) => {
      const name = nameIn(bytes);
      return name === null || name === undefined || name.length <= 65_535;
    }),
    { numRuns: 3000 },
  );
});
