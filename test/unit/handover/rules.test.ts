import t from "tap";
import { forwardingRules, learningRules, quietNow, quietRules } from "../../../src/handover/rules.js";

const move = {
  family: 4,
  table: "tandem_51_1",
  addresses: ["192.168.33.84"],
  lifetimeMs: 17_000,
  leaver: { address: "192.168.33.81", mac: "02:00:00:00:00:01" },
  interface: "eth1",
} as const;
const flow = (remotePort: number) => ({
  remoteAddress: "192.168.33.10",
  remotePort,
  localAddress: "192.168.33.84",
  localPort: 80,
});

t.test("while it learns, the taker's table drops and redirects nothing", async (t) => {
  const lines = learningRules(move);
  t.notOk(lines.some((line) => /\b(drop|dup)\b/.test(line)));
  const rules = lines.filter((line) => line.includes(" flows ") && line.startsWith("add rule"));
  t.match(rules[0], /syn update @own .* accept$/);
  t.match(rules[1], /@own accept$/);
  t.match(rules[2], /ether saddr 02:00:00:00:00:01 accept$/);
});

t.test("its own flows are known before the first packet is sent on, in one rule", async (t) => {
  const lines = forwardingRules(move, [flow(1), flow(2)]);
  t.same(lines, [
    "add element ip tandem_51_1 own { 192.168.33.10 . 1 . 192.168.33.84 . 80, 192.168.33.10 . 2 . 192.168.33.84 . 80 }",
    'add rule ip tandem_51_1 flows dup to 192.168.33.81 device "eth1" drop',
  ]);
});

t.test("no flow is forgotten before the addresses are", async (t) => {
  const text = learningRules(move).join("\n");
  const [, ofFlows] = /set ip tandem_51_1 own .*; timeout (\d+)s/.exec(text) ?? [];
  const [, ofAddress] = /virtual \{ 192\.168\.33\.84 timeout (\d+)s/.exec(text) ?? [];
  t.ok(Number(ofFlows) > Number(ofAddress));
});

t.test("many flows come in lines that nft can read", async (t) => {
  const many = Array.from({ length: 1000 }, (_, port) => flow(port + 1));
  const lines = forwardingRules(move, many);
  t.equal(lines.length, 6);
  t.ok(lines.every((line) => line.length < 16_000));
});

t.test("the leaver never asks in the address's name, and answers for it until it has gone", async (t) => {
  const lines = quietRules(move, "192.168.33.80");
  t.ok(lines.some((line) => line.endsWith("arp saddr ip set 192.168.33.80")));
  t.notOk(lines.some((line) => line.startsWith("add element")));
  t.same(quietNow(move), ["add element arp tandem_51_1 virtual { 192.168.33.84 timeout 17s }"]);
});

t.test("IPv6 needs no table at the leaver: nobody asks lo for neighbours", async (t) => {
  const six = { ...move, family: 6, addresses: ["2001:db8::54"] } as const;
  t.same([...quietRules(six, "fe80::1"), ...quietNow(six)], []);
  t.ok(learningRules(six).every((line) => line.includes(" ip6 tandem_51_1") || line.includes("ip6 ")));
});
