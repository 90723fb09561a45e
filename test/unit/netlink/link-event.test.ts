import fc from "fast-check";
import t from "tap";
import { type LinkEvent, parseLinkEvent } from "../../../src/netlink/link-event.js";
import { encodeLinkRequest, parseLinkMessage } from "../../../src/netlink/link-message.js";
import { Malformed, parseMessages } from "../../../src/netlink/rtnetlink-message.js";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

function eventsOf(datagram: string): (LinkEvent | Malformed | null)[] {
  const messages = parseMessages(hex(datagram));
  if (messages instanceof Malformed) throw new Error(messages.problem);
  return messages.map(parseLinkEvent);
}

/** Payload of a link message as Linux 6.18 begins it (veth v0, 02:00:00:00:00:01), cut to name and MAC. */
const link = (flags: string): Uint8Array =>
  hex(`0000 0100 03000000 ${flags} 00000000  0700 0300 763000 00  0a00 0100 020000000001 0000`);

t.test("a link is up when it is switched on and has carrier", async (t) => {
  const up = parseLinkMessage(link("43100100"));
  t.same(up, { index: 3, name: "v0", mac: hex("020000000001"), up: true });
  t.match(parseLinkMessage(link("03100000")), { up: false }, "switched on, the peer is down: no carrier");
  t.match(parseLinkMessage(link("02100000")), { up: false }, "switched off");
  t.match(parseLinkMessage(link("03100100")), { up: false }, "carrier, but dormant: not running");
});

t.test("the MAC is a copy, for the datagram's memory is used again", async (t) => {
  const payload = Buffer.from(link("43100100"));
  const parsed = parseLinkMessage(payload);
  payload.fill(0);
  t.match(parsed, { mac: hex("020000000001") });
});

t.test("a link without an Ethernet address has six zero bytes", async (t) => {
  t.match(parseLinkMessage(hex("0000 feff 05000000 43100100 00000000 0900 0300 74756e3000 000000")), {
    name: "tun0",
    mac: new Uint8Array(6),
  });
});

t.test("an interface that leaves its bridge is not a deleted interface", async (t) => {
  // `ip link set v0 nomaster`: RTM_DELLINK of family AF_BRIDGE, whole.
  t.same(
    eventsOf(`5400000011000000000000000000000007000100030000000310000000000000070003007630000008000a0004000000
              08000400dc05000005001000030000000a000100020000000001000008000500 02000000`),
    [null],
  );
});

t.test("a deleted interface is told as not present and not up", async (t) => {
  t.same(parseLinkEvent({ type: 17, flags: 0, sequence: 0, port: 0, payload: link("43100100") }), {
    kind: "link",
    index: 3,
    name: "v0",
    up: false,
    present: false,
  });
});

t.test("an address that comes and goes makes one event each", async (t) => {
  const address = "0218010003000000 080001000a010064 080002000a010064";
  t.same(
    eventsOf(
      `28000000 1400 0000 00000000 00000000 ${address} 28000000 1500 0000 00000000 00000000 ${address}`,
    ),
    [
      { kind: "address", index: 3, address: "10.1.0.100", prefixLength: 24, added: true },
      { kind: "address", index: 3, address: "10.1.0.100", prefixLength: 24, added: false },
    ],
  );
});

t.test("an interface is asked for by name as `ip link show dev lo` does", async (t) => {
  t.equal(
    Buffer.from(encodeLinkRequest({ name: "lo" })).toString("hex"),
    "00000000000000000000000000000000 0700 0300 6c6f00 00 0800 1d00 08000000".replace(/\s/g, ""),
  );
});

t.test("a name of more than 15 bytes is asked for as an alternative name", async (t) => {
  t.equal(encodeLinkRequest({ name: "enp0s31f6np0n1" })[18], 3);
  t.equal(encodeLinkRequest({ name: "enx0123456789abcdef" })[18], 53);
});

t.test("arbitrary link messages are parsed or malformed, and never an exception", async () => {
  fc.assert(
    fc.property(fc.constantFrom(16, 17, 20, 21, 99), fc.uint8Array({ maxLength: 120 }), (type, bytes) => {
      const payload = Uint8Array.of(0, ...bytes);
      parseLinkEvent({ type, flags: 0, sequence: 0, port: 0, payload });
    }),
  );
});
