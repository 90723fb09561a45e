import t from "tap";
import { LineWriter, type WriteFunction } from "../../../src/process/line-writer.js";

/** A descriptor whose reader the test plays. */
class Pipe {
  text = "";
  pending: {
    readonly bytes: Uint8Array;
    readonly done: (error: NodeJS.ErrnoException | null, written: number) => void;
  }[] = [];
  readonly write: WriteFunction = (_descriptor, bytes, offset, length, _position, done) => {
    this.pending.push({ bytes: bytes.subarray(offset, offset + length), done });
  };

  /** Takes at most `limit` bytes of the write that waits. */
  take(limit = Number.POSITIVE_INFINITY): void {
    const { bytes, done } = this.pending.splice(0, 1)[0];
    const taken = bytes.subarray(0, limit);
    this.text += Buffer.from(taken).toString();
    done(null, taken.length);
  }

  fail(code: string): void {
    this.pending.splice(0, 1)[0].done(Object.assign(new Error(code), { code }), 0);
  }
}

function open(pipe: Pipe, limit = 1000): LineWriter {
  return new LineWriter(1, limit, (count) => `dropped ${count}\n`, pipe.write);
}

t.test("lines come out whole and in order, one write at a time", async (t) => {
  const pipe = new Pipe();
  const writer = open(pipe);
  writer.write("a\n");
  writer.write("b\n");
  writer.write("c\n");
  t.equal(pipe.pending.length, 1);
  pipe.take(1);
  t.equal(pipe.pending.length, 1);
  pipe.take();
  pipe.take();
  t.equal(pipe.text, "a\nb\nc\n");
  t.equal(pipe.pending.length, 0);
});

t.test("a reader that does not read costs lines beyond the limit, and is told how many", async (t) => {
  const pipe = new Pipe();
  const writer = open(pipe, 6);
  for (const line of ["1\n", "2\n", "3\n", "4\n", "5\n", "6\n"]) writer.write(line);
  t.equal(pipe.pending.length, 1);
  while (pipe.pending.length > 0) pipe.take();
  t.equal(pipe.text, "1\n2\n3\n4\ndropped 2\n");
  writer.write("7\n");
  pipe.take();
  t.equal(pipe.text, "1\n2\n3\n4\ndropped 2\n7\n");
});

t.test("idle waits for the last byte", async (t) => {
  const pipe = new Pipe();
  const writer = open(pipe);
  await writer.idle();
  writer.write("a\n");
  let isIdle = false;
  const idle = writer.idle().then(() => {
    isIdle = true;
  });
  pipe.take(1);
  await Promise.resolve();
  t.equal(isIdle, false);
  pipe.take();
  await idle;
  t.equal(pipe.text, "a\n");
});

t.test("a full non-blocking pipe is tried again", async (t) => {
  const pipe = new Pipe();
  const writer = open(pipe);
  writer.write("a\n");
  pipe.fail("EAGAIN");
  t.equal(pipe.pending.length, 0);
  while (pipe.pending.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  pipe.take();
  t.equal(pipe.text, "a\n");
});

t.test("a closed pipe ends the writing and nothing else", async (t) => {
  const pipe = new Pipe();
  const writer = open(pipe);
  writer.write("a\n");
  pipe.fail("EPIPE");
  writer.write("b\n");
  await writer.idle();
  t.equal(pipe.pending.length, 0);
});

t.test(
  "a full disk loses lines, says so at each write, and what comes when there is room is told how many",
  async (t) => {
    const pipe = new Pipe();
    const news: (string | null)[] = [];
    const writer = new LineWriter(
      1,
      1000,
      (count) => `dropped ${count}\n`,
      pipe.write,
      (error) => news.push(error?.code ?? null),
    );
    writer.write("a\n");
    pipe.take();
    writer.write("one\n");
    writer.write("two\n");
    pipe.take(2);
    pipe.fail("ENOSPC");
    pipe.fail("ENOSPC");
    t.equal(pipe.pending.length, 0, "nothing is tried before there is a line");
    writer.write("three\n");
    pipe.fail("ENOSPC");
    writer.write("four\n");
    while (pipe.pending.length > 0) pipe.take();
    t.equal(pipe.text, "a\non\nfour\ndropped 3\n", "the torn line is ended");
    t.same(news, [null, "ENOSPC", "ENOSPC", "ENOSPC", null, null]);
  },
);
