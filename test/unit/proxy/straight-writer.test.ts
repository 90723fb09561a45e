import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import t, { type Test } from "tap";
import { StraightWriter } from "../../../src/proxy/engine/portable/straight-writer.js";

async function pair(t: Test): Promise<{ near: Socket; far: Socket; writer: StraightWriter }> {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const accepted = once(server, "connection");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  near.on("error", () => {});
  await once(near, "connect");
  const [far] = (await accepted) as [Socket];
  t.teardown(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  const writer = StraightWriter.over(near);
  if (writer === null) throw new Error("this Node tells no descriptor");
  return { near, far, writer };
}

t.test("what the kernel takes has left when the call returns, and may be changed", async (t) => {
  const { near, far, writer } = await pair(t);
  const bytes = Buffer.from("..hello..");
  t.equal(writer.write(bytes, 2, 7), 5);
  bytes.fill("x");
  t.equal(near.writableLength, 0);
  far.resume();
  const [received] = await once(far, "data");
  t.equal(String(received), "hello");
});

t.test(
  "a kernel that is full takes a part or nothing; while the stream has the rest it is not overtaken",
  async (t) => {
    const { near, writer } = await pair(t);
    const bytes = Buffer.alloc(1 << 20);
    let taken = bytes.length;
    for (let turn = 0; taken === bytes.length && turn < 1_000; turn++)
      taken = writer.write(bytes, 0, bytes.length);
    t.ok(taken < bytes.length);
    while (writer.write(bytes, 0, bytes.length) > 0);
    t.equal(writer.failure, null, "there is no room, and nothing has failed");
    near.write("the rest");
    t.ok(near.writableLength > 0);
    t.equal(writer.write(bytes, 0, 1), 0);
  },
);

t.test("after its end and after its destruction a socket's descriptor is not written to", async (t) => {
  const [ended, destroyed] = [await pair(t), await pair(t)];
  ended.near.end();
  t.equal(ended.writer.write(Buffer.from("x"), 0, 1), 0);
  t.equal(ended.writer.failure, null);
  destroyed.near.destroy();
  t.equal(destroyed.writer.write(Buffer.from("x"), 0, 1), 0);
  t.equal(destroyed.writer.failure, null);
});

t.test("why a write fails is kept: the kernel tells it only once", async (t) => {
  const { far, writer } = await pair(t);
  far.resetAndDestroy();
  t.equal(writer.write(Buffer.from("x"), 0, 1), 0);
  t.equal(writer.failure, "ECONNRESET");
});
