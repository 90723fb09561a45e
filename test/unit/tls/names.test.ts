import fc from "fast-check";
import t from "tap";
import { CertificateNames } from "../../../src/proxy/tls/names.js";
import { parsePem } from "../../../src/proxy/tls/parse-pem.js";

t.test("the very name goes before a wildcard, and an earlier certificate before a later one", async (t) => {
  const names = new CertificateNames([
    ["default.example"],
    ["*.example.org", "example.org"],
    ["www.example.org", "*.example.org"],
    ["*.org"],
  ]);
  for (const [asked, place] of [
    ["default.example", 0],
    ["www.example.org", 2],
    ["WWW.Example.ORG.", 2],
    ["other.example.org", 1],
    ["example.org", 1],
    ["else.org", 3],
    // A wildcard is one label.
    ["a.b.example.org", 0],
    ["org", 0],
    ["", 0],
    [".", 0],
    ["*.example.org", 1],
  ] as const)
    t.equal(names.placeOf(asked), place, asked);
});

t.test("a name that no certificate has is known as such", async (t) => {
  const names = new CertificateNames([["a.example"], ["*.b.example"]]);
  for (const [asked, has] of [
    ["A.example.", true],
    ["x.b.example", true],
    ["b.example", false],
    ["c.example", false],
    ["", false],
  ] as const)
    t.equal(names.has(asked), has, asked);
});

t.test("whatever is asked, there is a certificate for it", async () => {
  const name = fc.oneof(
    fc.domain(),
    fc.domain().map((domain) => `*.${domain}`),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(name), { minLength: 1 }),
      fc.oneof(fc.domain(), fc.string()),
      (all, asked) => {
        const place = new CertificateNames(all).placeOf(asked);
        return place >= 0 && place < all.length;
      },
    ),
  );
});

t.test("PEM: the certificates in their order and the first key, whatever stands between them", async (t) => {
  const block = (label: string, text: string): string =>
    `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
  const text = [
    "Bag Attributes\n",
    block("CERTIFICATE", "one"),
    block("EC PARAMETERS", "curve"),
    block("EC PRIVATE KEY", "key"),
    block("CERTIFICATE", "two"),
    block("PRIVATE KEY", "another"),
    block("DH PARAMETERS", "group"),
    block("X509 CRL", "list"),
    "-----BEGIN CERTIFICATE-----\nwithout an end",
  ].join("\r\n");
  t.same(parsePem(text), {
    certificates: [block("CERTIFICATE", "one"), block("CERTIFICATE", "two")],
    key: block("EC PRIVATE KEY", "key"),
    revocations: [block("X509 CRL", "list")],
  });
  t.same(parsePem("no PEM"), { certificates: [], key: null, revocations: [] });
  t.equal(parsePem(block("ENCRYPTED PRIVATE KEY", "x")).key, block("ENCRYPTED PRIVATE KEY", "x"));
});
