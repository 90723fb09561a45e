import fc from "fast-check";
import t from "tap";
import { BodyFramer } from "../../../src/proxy/http1/body.js";
import { Framing } from "../../../src/proxy/http1/head.js";
import { chunkOf, lastChunk } from "../../../src/proxy/http2/request-body.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

t.test("data goes on in chunks, and its end is one of nothing", async (t) => {
  t.equal(text(chunkOf(Buffer.from("hello, world! 17"))), "10\r\nhello, world! 17\r\n");
  t.equal(text(lastChunk([])), "0\r\n\r\n");
});

t.test("trailers stand behind it, but for those that rule the message", async (t) => {
  const trailers = [
    "grpc-status",
    "0",
    "content-length",
    "5",
    "host",
    "x",
    ":path",
    "/",
    "a b",
    "c",
    "x",
    "y\r\nz: 1",
  ];
  t.equal(text(lastChunk(trailers)), "0\r\ngrpc-status: 0\r\n\r\n");
});

t.test("whatever comes is a body that HTTP/1.1's reader takes whole", async () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })),
      fc.array(fc.string({ unit: "binary", maxLength: 20 }), { maxLength: 12 }),
      (parts, trailers) => {
        const bytes = Buffer.concat([...parts.map(chunkOf), lastChunk(trailers)]);
        const framer = new BodyFramer();
        framer.reset(Framing.chunked, -1);
        return framer.advance(bytes, 0, bytes.length) === bytes.length && framer.done;
      },
    ),
  );
});
