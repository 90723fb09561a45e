import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../../src/config/load.js";
import { PeerSecret, readPeerKey } from "../../../src/process/peer-key.js";

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

t.test(
  "a file that says something else is another secret, and one that was only touched is not",
  async (t) => {
    const path = join(t.testdir({}), "peer.key");
    writeFileSync(path, "correct horse battery\n");
    const { config } = loadConfig(
      `vrrp: { VI_1: { interface: eth1, virtual_router_id: 51, virtual_ipaddress: 192.168.33.84/24 } }\npeer_link: { key_file: ${path} }\n`,
      "lb.yaml",
      { hostname: "box", cores: 1 },
    );
    if (config === null) throw new Error("the configuration does not load");
    const first = PeerSecret.none.readAgain(config);
    t.equal(first.readAgain(config), first);
    writeFileSync(path, "correct horse battery");
    t.equal(first.readAgain(config), first);
    writeFileSync(path, "correct horse battery staple\n");
    const second = first.readAgain(config);
    t.not(second, first);
    const keyOf = (secret: PeerSecret): string =>
      Buffer.from(secret.settings(config)?.key ?? []).toString("hex");
    t.match(keyOf(first), /^[0-9a-f]{64}$/);
    t.not(keyOf(second), keyOf(first));
    t.equal(second.readAgain({ ...config, peerLink: null }), PeerSecret.none);
  },
);
