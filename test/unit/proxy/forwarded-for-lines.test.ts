import t from "tap";
import { parseAddressRange } from "../../../src/config/address-range.js";
import { ForwardedForLines } from "../../../src/proxy/forwarded-for-lines.js";

const text = (line: Uint8Array): string => Buffer.from(line).toString("latin1");

t.test("without a word every client is told, by its address", async (t) => {
  const lines = new ForwardedForLines(undefined);
  t.equal(text(lines.line("192.0.2.1")), "X-Forwarded-For: 192.0.2.1\r\n");
  t.equal(lines.line("192.0.2.1"), lines.line("192.0.2.1"), "the same bytes again");
  t.equal(text(lines.line("fd00::1")), "X-Forwarded-For: fd00::1\r\n");
  t.equal(lines.unless, null);
});

t.test("switched off nobody is", async (t) => {
  t.equal(new ForwardedForLines(null).line("192.0.2.1").length, 0);
});

t.test("clients of an excepted network are not, over a mapped address neither", async (t) => {
  const except = ["10.0.0.0/8", "fd00::/8"].map(parseAddressRange).filter((range) => range !== null);
  const lines = new ForwardedForLines({ except, ifNone: true, header: "X-Client" });
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "fd12::3"])
    t.equal(lines.line(address).length, 0, address);
  t.equal(text(lines.line("11.0.0.1")), "X-Client: 11.0.0.1\r\n");
  t.equal(text(lines.unless ?? new Uint8Array(0)), "x-client");
});
