import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readPeerKey } from "../../../src/process/peer-key.js";

t.test("the key of a file is its text without the newline at its end", async (t) => {
  const path = join(t.testdir({}), "peer.key");
  writeFileSync(path, "correct horse battery\n");
  t.equal(readPeerKey({ key: { kind: "file", path }, port: 1 }), "correct horse battery");
  t.equal(readPeerKey({ key: { kind: "text", text: "as it is " }, port: 1 }), "as it is ");
});

t.test("a file that is missing or holds too little is an error that does not tell the key", async (t) => {
  const path = join(t.testdir({}), "peer.key");
  const read = () => readPeerKey({ key: { kind: "file", path }, port: 1 });
  t.throws(read, { code: "LB_PEER_KEY", message: /ENOENT/ });
  writeFileSync(path, "tiny\n");
  t.throws(read, { code: "LB_PEER_KEY", message: /has 4 characters/ });
});
