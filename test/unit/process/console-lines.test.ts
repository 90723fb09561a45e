import { Console } from "node:console";
import { PassThrough } from "node:stream";
import t from "tap";
import { logConsole } from "../../../src/process/console-lines.js";

t.test("what a library prints is a line of the log, and nothing else", async (t) => {
  const output = new PassThrough();
  const printed = new Console(output);
  const lines: string[] = [];
  const note = (level: string) => (fields: object, message: string) =>
    lines.push(`${level} ${JSON.stringify(fields)} ${message}`);
  logConsole({ info: note("info"), warn: note("warn") }, printed);
  printed.warn("no request for seq=%d", 7);
  printed.error(new Error("EINTR"));
  printed.log("hello");
  printed.debug("every packet");
  printed.error("x".repeat(10_000));
  t.equal(lines[0], 'warn {"event":"library"} a library says: no request for seq=7');
  t.match(lines[1], /^warn .* a library says: Error: EINTR\n {4}at /);
  t.equal(lines[2], 'info {"event":"library"} a library says: hello');
  t.equal(lines.length, 4);
  t.ok(lines[3].length < 2100);
  t.equal(output.read(), null);
});
