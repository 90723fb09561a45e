import fc from "fast-check";
import t from "tap";
import { encodeFrame, FrameType, longestFrame } from "../../../src/peer-link/frame.js";
import { messageMac, proof, sessionKeys, stretchKey } from "../../../src/peer-link/keys.js";
import {
  handleSession,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  startSession,
} from "../../../src/peer-link/session.js";

const key = stretchKey("correct horse battery staple");
const dialerNonce = new Uint8Array(32).fill(1);
const listenerNonce = new Uint8Array(32).fill(2);

/** One end of a connection, with what it wrote and what came of it. */
class End {
  state: SessionState;
  readonly written: Uint8Array[] = [];
  readonly events: string[] = [];

  constructor(state: SessionState) {
    this.state = state;
  }

  input(input: SessionInput): this {
    const step = handleSession(this.state, input);
    this.state = step.state;
    for (const effect of step.effects) this.#take(effect);
    return this;
  }

  receive(bytes: Uint8Array): this {
    return this.input({ kind: "bytes", bytes });
  }

  say(text: string): Uint8Array {
    this.input({ kind: "send", body: Buffer.from(text) });
    return this.written.at(-1) ?? new Uint8Array(0);
  }

  #take(effect: SessionEffect): void {
    if (effect.kind === "write") this.written.push(effect.bytes);
    else if (effect.kind === "message") this.events.push(`message ${Buffer.from(effect.body)}`);
    else this.events.push(effect.kind === "refuse" ? `refuse ${effect.reason}` : effect.kind);
  }
}

function pair(theirKey = key, nonces: readonly [Uint8Array, Uint8Array] = [dialerNonce, listenerNonce]) {
  const dialer = new End(startSession("dialer", key, nonces[0]));
  const listener = new End(startSession("listener", theirKey, nonces[1]));
  dialer.input({ kind: "connected" });
  listener.input({ kind: "connected" });
  return { dialer, listener };
}

/** The whole handshake. */
function openPair() {
  const { dialer, listener } = pair();
  listener.receive(dialer.written[0]);
  dialer.receive(listener.written[0]);
  listener.receive(dialer.written[1]);
  return { dialer, listener };
}

t.test("both prove the key, then messages pass both ways, in whatever pieces they come", async (t) => {
  const { dialer, listener } = openPair();
  for (const byte of dialer.say("hello")) listener.receive(Uint8Array.of(byte));
  dialer.receive(listener.say("well"));
  const two = [dialer.say("a"), dialer.say("b")];
  listener.receive(Buffer.concat(two));
  t.same(dialer.events, ["open", "message well"]);
  t.same(listener.events, ["open", "message hello", "message a", "message b"]);
});

t.test("the handshake has these bytes", async (t) => {
  const { dialer, listener } = openPair();
  t.equal(hex(dialer.written[0]), `0025 01 54504c01 ${"01".repeat(32)}`.replaceAll(" ", ""));
  const theirs = hex(proof(key, "listener", dialerNonce, listenerNonce));
  t.equal(hex(listener.written[0]), `004102${"02".repeat(32)}${theirs}`);
  t.equal(hex(dialer.written[1]), `002103${hex(proof(key, "dialer", dialerNonce, listenerNonce))}`);
  const said = dialer.say("x");
  const { mine } = sessionKeys(key, "dialer", dialerNonce, listenerNonce);
  const sequence = new Uint8Array(8);
  t.equal(hex(said), `002a04${"00".repeat(8)}78${hex(messageMac(mine, sequence, Buffer.from("x")))}`);
});

t.test("a key that differs is found out by whoever comes first, on either side", async (t) => {
  const { dialer, listener } = pair(stretchKey("another secret"));
  listener.receive(dialer.written[0]);
  dialer.receive(listener.written[0]);
  t.same(dialer.events, ["refuse wrong-key"]);
  t.equal(dialer.written.length, 1, "nothing is proved to who has not the key");
  const forged = proof(stretchKey("another guess"), "dialer", dialerNonce, listenerNonce);
  listener.receive(encodeFrame(FrameType.proof, forged));
  t.same(listener.events, ["refuse wrong-key"]);
});

t.test("what a listener has proved is no proof of a dialer, nor the other way round", async (t) => {
  const { dialer, listener } = pair();
  listener.receive(dialer.written[0]);
  listener.receive(encodeFrame(FrameType.proof, listener.written[0].subarray(3 + 32)));
  t.same(listener.events, ["refuse wrong-key"]);
});

t.test("our own nonce sent back is refused", async (t) => {
  const { dialer } = pair();
  dialer.receive(encodeFrame(FrameType.challenge, Buffer.concat([dialerNonce, new Uint8Array(32)])));
  t.same(dialer.events, ["refuse reflected"]);
});

t.test("a message that comes twice, out of order or from another connection is refused", async (t) => {
  const twice = openPair();
  const said = twice.dialer.say("once");
  twice.listener.receive(said).receive(said);
  t.same(twice.listener.events, ["open", "message once", "refuse sequence"]);

  const order = openPair();
  const [, second] = [order.dialer.say("1"), order.dialer.say("2")];
  order.listener.receive(second);
  t.same(order.listener.events, ["open", "refuse sequence"]);

  const other = pair(key, [new Uint8Array(32).fill(3), listenerNonce]);
  other.listener.receive(other.dialer.written[0]);
  other.dialer.receive(other.listener.written[0]);
  other.listener.receive(other.dialer.written[1]).receive(openPair().dialer.say("old"));
  t.same(other.listener.events, ["open", "refuse mac"]);

  const mirror = openPair();
  mirror.dialer.receive(mirror.dialer.say("mine"));
  t.same(mirror.dialer.events, ["open", "refuse mac"], "its own message, sent back");
});

t.test("any changed bit of a message is noticed", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const { dialer, listener } = openPair();
        const bytes = Uint8Array.from(dialer.say("take over"));
        // Behind the length, whose changes only make the frame longer or shorter.
        bytes[2 + (at % (bytes.length - 2))] ^= 1 << bit;
        listener.receive(bytes);
        return listener.events.length === 2 && listener.events[1].startsWith("refuse");
      }),
    ),
  );
});

t.test(
  "whatever a stranger sends, nothing is written but a challenge, and nothing is believed",
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 6 }), (pieces) => {
          const { listener } = pair();
          for (const piece of pieces) listener.receive(piece);
          return (
            listener.written.length <= 1 &&
            !listener.events.some((event) => event === "open" || event.startsWith("message")) &&
            listener.state.pending.length <= 128 + 80
          );
        }),
        { numRuns: 500 },
      ),
    );
  },
);

t.test("a frame longer than what may come is refused before it is waited for", async (t) => {
  const { listener } = pair();
  listener.receive(Uint8Array.of(0x40, 0x00, 1));
  t.same(listener.events, ["refuse not-a-peer"]);
  const open = openPair();
  open.listener.receive(Uint8Array.of((longestFrame + 1) >> 8, (longestFrame + 1) & 255));
  t.same(open.listener.events, ["open", "refuse frame-length"]);
});

t.test("a browser at the door is no peer", async (t) => {
  const { listener } = pair();
  listener.receive(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  t.same(listener.events, ["refuse not-a-peer"]);
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
