import t from "tap";
import { readCertificate, type ShownCertificate } from "../../../src/proxy/tls/client-certificate.js";

const shown = (changes: Partial<ShownCertificate>): ShownCertificate => ({
  subject: "C=DE\nO=Org\nCN=ann",
  issuer: "CN=clients-ca",
  serialNumber: "0A1b",
  fingerprint: "AB:CD:01",
  validFrom: "Nov  9 08:29:13 2026 GMT",
  validTo: "Nov 29 08:29:13 2056 GMT",
  raw: Buffer.from("raw"),
  ...changes,
});

t.test("names in one line, and what else there is, as HAProxy writes it", async (t) => {
  const { der, ...texts } = readCertificate(shown({}));
  t.same(texts, {
    subject: "/C=DE/O=Org/CN=ann",
    commonName: "ann",
    issuer: "/CN=clients-ca",
    issuerCommonName: "clients-ca",
    serial: "0A1B",
    sha1: "ABCD01",
    notBefore: "261109082913Z",
    notAfter: "20561129082913Z",
  });
  t.equal(der(), "cmF3");
  t.match(readCertificate(shown({ subject: "O=Org" })), { subject: "/O=Org", commonName: "" });
  t.equal(
    readCertificate(shown({ subject: "CN=outer\nCN=inner" })).commonName,
    "inner",
    "the last one is the most particular",
  );
});

t.test("what cannot stand in a field does not come into one", async (t) => {
  t.match(readCertificate(shown({ subject: "CN=j\u00fcrgen\r\tx" })), {
    subject: "/CN=j?rgen??x",
    commonName: "j?rgen??x",
  });
});
