import t from "tap";
import { freePort } from "../../../lab/free-port.js";
import { openListeningSocket } from "../../../src/netlink/listening-socket.js";
import { DescriptorLedger } from "../../../src/proxy/engine/direct/descriptor-ledger.js";
import { DirectEngine } from "../../../src/proxy/engine/direct/direct-engine.js";
import { HostNames, type LookUpAnswer } from "../../../src/proxy/engine/direct/host-names.js";
import { Kernel } from "../../../src/proxy/engine/direct/kernel.js";
import { eventLayout } from "../../../src/proxy/engine/direct/layout.js";
import { memoryBytes, Slabs } from "../../../src/proxy/engine/direct/slabs.js";
import { encodeSocketAddress } from "../../../src/proxy/engine/direct/socket-address.js";
import { type ConnectionHandler, nobody } from "../../../src/proxy/engine/engine.js";

t.test("epoll_event is packed on x86-64 and padded on arm64", async (t) => {
  t.same(eventLayout("x64"), { words: 3, dataWord: 1 });
  t.same(eventLayout("arm64"), { words: 4, dataWord: 2 });
});

t.test("a range outside of the engine's memory never reaches the kernel", async (t) => {
  const ledger = new DescriptorLedger();
  const kernel = new Kernel(65_536, ledger);
  for (const [offset, length] of [
    [-1, 1],
    [65_536, 1],
    [65_000, 537],
    [0, -1],
    [Number.NaN, 1],
  ]) {
    t.throws(() => kernel.send(-1, offset, length, false), RangeError);
    t.throws(() => kernel.receive(-1, offset, length), RangeError);
  }
  t.equal(kernel.send(-1, 65_000, 536, false), -9, "EBADF of the kernel itself");
  t.equal(ledger.list().length, 1, "the epoll is in the ledger");
  kernel.destroy();
  t.same(ledger.list(), []);
});

t.test("the ledger holds what is open, in memory that another thread reads", async (t) => {
  const writer = new DescriptorLedger();
  const reader = new DescriptorLedger(writer.buffer);
  for (const descriptor of [0, 31, 32, 4_711, 1_048_575, 1_048_576]) writer.add(descriptor);
  writer.remove(32);
  t.same(reader.list(), [0, 31, 4_711, 1_048_575], "those beyond a million are not kept");
});

t.test("blocks do not overlap, come back, and the heap takes over when none is left", async (t) => {
  const memory = new Uint8Array(memoryBytes);
  const slabs = new Slabs(memory);
  const large = Array.from({ length: 300 }, () => slabs.take(60_000));
  const inMemory = large.filter(({ bytes }) => bytes === memory);
  t.equal(inMemory.length, 256);
  const starts = inMemory.map(({ start }) => start).sort((a, b) => a - b);
  t.ok(starts.every((start, i) => i === 0 || start - starts[i - 1] >= 60_000));
  t.ok(starts[255] + 60_000 <= memory.length);
  t.ok(large.every(({ bytes, start }) => bytes.length - start >= 60_000));
  for (const block of large) slabs.giveBack(block);
  t.equal(slabs.used, 0);
  t.equal(slabs.take(60_000).bytes, memory);
  t.not(slabs.take(1_000_000).bytes, memory, "what is larger than a block lies on the heap");
});

t.test("socket addresses are the kernel's structures", async (t) => {
  t.same(encodeSocketAddress("192.0.2.1", 8080), Uint8Array.from([2, 0, 31, 144, 192, 0, 2, 1, ...zeros(8)]));
  t.same(
    encodeSocketAddress("2001:db8::1", 80),
    Uint8Array.from([10, 0, 0, 80, ...zeros(4), 0x20, 1, 0xd, 0xb8, ...zeros(11), 1, ...zeros(4)]),
  );
  t.equal(encodeSocketAddress("web01.example", 80), null);
});

t.test("a host name is asked for once, answers all who wait, and its last good answer is held", async (t) => {
  let nowMs = 0;
  const questions: LookUpAnswer[] = [];
  const names = new HostNames(
    (_host, answer) => questions.push(answer),
    () => nowMs,
  );
  const target = { host: "web.example", port: 80 };
  const heard: number[] = [];
  for (let i = 0; i < 3; i++)
    t.equal(
      names.addresses(target, (found) => heard.push(found.length)),
      null,
    );
  t.equal(questions.length, 1);
  questions[0](["192.0.2.1", "2001:db8::1"], null);
  t.same(heard, [2, 2, 2]);
  t.equal(names.addresses(target, () => t.fail())?.length, 2);
  t.equal(questions.length, 1, "the answer is fresh");
  nowMs = 60_000;
  t.equal(
    names.addresses(target, () => t.fail())?.length,
    2,
    "an old answer serves while a new one is asked for",
  );
  t.equal(questions.length, 2);
  questions[1]([], "EAI_AGAIN");
  t.equal(names.addresses(target, () => t.fail())?.length, 2, "a failure takes nothing away");
});

t.test("IPv6: accepts, connects and knows the other side's address", async (t) => {
  const engine = new DirectEngine({ lookUp: (_host, answer) => answer([], "ENOTFOUND") });
  const turns = setInterval(() => engine.turn(0), 1);
  t.teardown(() => {
    clearInterval(turns);
    engine.destroy();
    engine.close();
  });
  const port = await freePort();
  const from: string[] = [];
  engine.listen(openListeningSocket({ address: "::1", port }), {
    admits: () => true,
    accept: (connection) => {
      from.push(connection.remoteAddress);
      return echo;
    },
    failed: () => t.fail(),
  });
  const text = await new Promise<string>((resolve, reject) => {
    const connection = engine.connect(
      { host: "::1", port },
      {
        ...nobody,
        connected: () => connection.send(Buffer.from("hello"), 0, 5, false),
        received: (_connection, bytes, start, end) =>
          resolve(Buffer.from(bytes.subarray(start, end)).toString()),
        closed: (_connection, errorCode) => reject(new Error(String(errorCode))),
      },
    );
  });
  t.equal(text, "hello");
  t.same(from, ["::1"]);
});

t.test("a name without an address, and a port where nobody listens, are told as refusals", async (t) => {
  const engine = new DirectEngine({
    lookUp: (_host, answer) => setTimeout(() => answer([], "ENOTFOUND"), 1),
  });
  const turns = setInterval(() => engine.turn(0), 1);
  t.teardown(() => {
    clearInterval(turns);
    engine.destroy();
    engine.close();
  });
  const refusal = (host: string, port: number): Promise<string | null> =>
    new Promise((resolve) =>
      engine.connect({ host, port }, { ...nobody, closed: (_connection, errorCode) => resolve(errorCode) }),
    );
  t.equal(await refusal("nowhere.example", 80), "ENOTFOUND");
  t.equal(await refusal("127.0.0.1", await freePort()), "ECONNREFUSED");
  t.same(engine.lent, { blocks: 0, pipes: 0, connections: 0 });
});

const echo: ConnectionHandler = {
  ...nobody,
  received: (connection, bytes, start, end) => {
    connection.send(bytes, start, end, false);
  },
};

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
