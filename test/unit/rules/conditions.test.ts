import fc from "fast-check";
import t from "tap";
import { addressBytes, isInRange, parseAddressRange } from "../../../src/config/address-range.js";
import type { Condition } from "../../../src/config/rule-config.js";
import { holds } from "../../../src/proxy/rules/condition.js";
import { normalPath } from "../../../src/proxy/rules/normal-path.js";
import { factsOf } from "./request.js";

const range = (text: string) => {
  const parsed = parseAddressRange(text);
  if (parsed === null) throw new Error(`${text} is no range`);
  return parsed;
};
const isIn = (address: string, text: string) =>
  isInRange(addressBytes(address) ?? new Uint8Array(), range(text));

t.test("an address is in a network by its first bits, IPv4 in IPv6's form as well", async (t) => {
  for (const [address, text] of [
    ["10.1.2.3", "10.0.0.0/8"],
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.0.0.0/8"],
    ["192.168.33.127", "192.168.33.0/25"],
    ["fd00:1::2", "fd00::/8"],
    ["2001:db8:0:1::1", "2001:db8::/63"],
    ["1.2.3.4", "0.0.0.0/0"],
    ["fe80::1", "::/0"],
  ] as const)
    t.ok(isIn(address, text), `${address} in ${text}`);
  for (const [address, text] of [
    ["11.1.2.3", "10.0.0.0/8"],
    ["10.1.2.4", "10.1.2.3"],
    ["192.168.33.128", "192.168.33.0/25"],
    ["2001:db8:0:2::1", "2001:db8::/63"],
    ["fd00::1", "0.0.0.0/0"],
  ] as const)
    t.notOk(isIn(address, text), `${address} not in ${text}`);
  for (const text of ["10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/8/8", "10.0.0.0/", "web01", ""])
    t.equal(parseAddressRange(text), null, text);
});

t.test("an IPv4 range holds exactly the addresses that share its bits", async () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const quad = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 32 }), (a, b, bits) => {
      const same = bits === 0 || a >>> (32 - bits) === b >>> (32 - bits);
      return isIn(quad(a), `${quad(b)}/${bits}`) === same;
    }),
  );
});

t.test("paths that a web server takes for the same are the same to a condition", async (t) => {
  for (const path of [
    "/admin",
    "//admin",
    "/./admin",
    "/x/../admin",
    "/%61dmin",
    "/x/%2e%2e/admin",
    "/../admin",
  ])
    t.equal(normalPath(path), "/admin", path);
  t.equal(normalPath("/a%2fb"), "/a%2Fb", "a slash that is written as %2f is none");
  t.equal(normalPath("/a/"), "/a/");
  t.equal(normalPath("/a/b/.."), "/a/");
  t.equal(normalPath("/.hidden"), "/.hidden");
  t.equal(normalPath("*"), "/*");
});

t.test("a normal path is its own normal path, and has no dot segments and no double slash", async () => {
  const piece = fc.constantFrom("a", "..", ".", "", "%2e", "%2E%2e", "b.c", "%2f", "%41", "~");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = normalPath(`/${pieces.join("/")}`);
      return normalPath(path) === path && !/\/\/|\/\.\.?(\/|$)/.test(path) && path.startsWith("/");
    }),
  );
});

t.test("every word of a condition has to hold, and of its values one", async (t) => {
  const facts = () =>
    factsOf("POST /api/v1/items?x=1 HTTP/1.1\nHost: WWW.Example.org:8080\nX-Key: b\nAccept: */*", "10.1.2.3");
  const does = (condition: Condition) => t.ok(holds(condition, facts()), JSON.stringify(condition));
  const doesNot = (condition: Condition) => t.notOk(holds(condition, facts()), JSON.stringify(condition));
  does({ hosts: ["www.example.org"] });
  does({ hosts: ["a.b", "*.example.org"] });
  doesNot({ hosts: ["example.org"] });
  doesNot({ hosts: ["*.www.example.org"] });
  does({ methods: ["GET", "POST"] });
  doesNot({ methods: ["post"] });
  does({ paths: ["/api/v1/items"] });
  doesNot({ paths: ["/api/v1/items?x=1"] });
  does({ pathBegins: ["/x", "/api/"] });
  does({ pathEnds: ["items"] });
  doesNot({ pathEnds: ["x=1"] });
  does({ sources: [range("10.0.0.0/8")] });
  doesNot({ sources: [range("192.168.0.0/16")] });
  does({ fields: [{ name: "x-key", values: ["a", "b"] }] });
  does({ fields: [{ name: "accept", values: null }] });
  doesNot({ fields: [{ name: "x-key", values: ["a"] }] });
  doesNot({ fields: [{ name: "cookie", values: null }] });
  does({ methods: ["POST"], pathBegins: ["/api/"], sources: [range("10.1.2.3")] });
  doesNot({ methods: ["GET"], pathBegins: ["/api/"] });
});

t.test("the authority of an absolute target counts instead of Host", async (t) => {
  const facts = factsOf("GET http://a.example:80/x HTTP/1.1\nHost: a.example:80");
  t.ok(holds({ hosts: ["a.example"], paths: ["/x"] }, facts));
});
