import t from "tap";
import { readSubject } from "../../../src/proxy/tls/client-certificate.js";

t.test("a subject in one line, and the name in it", async (t) => {
  t.same(readSubject("C=DE\nO=Org\nCN=ann"), { subject: "/C=DE/O=Org/CN=ann", commonName: "ann" });
  t.same(readSubject("O=Org"), { subject: "/O=Org", commonName: "" });
  t.equal(readSubject("CN=outer\nCN=inner").commonName, "inner", "the last one is the most particular");
});

t.test("what cannot stand in a field does not come into one", async (t) => {
  t.same(readSubject("CN=j\u00fcrgen\r\tx"), { subject: "/CN=j?rgen??x", commonName: "j?rgen??x" });
});
