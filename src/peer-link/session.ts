import {
  concatenate,
  encodeFrame,
  FrameType,
  longestFrame,
  longestHandshakeFrame,
  readFrame,
} from "./frame.js";
import {
  macBytes,
  messageMac,
  nonceBytes,
  proof,
  type Role,
  type SessionKeys,
  same,
  sessionKeys,
} from "./keys.js";

/*
 * One connection of the peer link, from its first byte on:
 *
 *     dialer                                                  listener
 *       │ ── hello: magic, version, its nonce ────────────────▶ │
 *       │ ◀─ challenge: its nonce, its proof over both nonces ─ │   the dialer now knows who listens
 *       │ ── proof: over both nonces ─────────────────────────▶ │   the listener now knows who dialed
 *       │ ◀═ data: sequence, body, MAC ═══════════════════════▶ │
 *
 * Both nonces are in every proof and in the keys of the messages, so nothing of one connection is good for another one;
 * the sequence counts from 0 in each direction without a gap, so nothing of a connection is good for it twice.
 */

export const protocolVersion = 1;
const magic = Uint8Array.of(0x54, 0x50, 0x4c, protocolVersion);
const sequenceBytes = 8;

/** Why a connection was refused: the stable codes under which that is counted. */
export type RefusalReason =
  /** It does not speak this protocol, or another version of it. */
  | "not-a-peer"
  | "frame-length"
  | "unexpected-frame"
  /** It does not have our key. */
  | "wrong-key"
  /** Our own nonce came back: somebody reflects what we send. */
  | "reflected"
  /** A message that was altered, or that is not from this connection. */
  | "mac"
  /** A message twice, out of order, or one is missing. */
  | "sequence"
  /** Authentic, but not a message that is known here. */
  | "message"
  /** The handshake took too long. */
  | "handshake-time-out"
  /** The partner reads nothing. */
  | "send-queue"
  /** Too many strangers at the same time. */
  | "too-many";

export interface SessionState {
  readonly role: Role;
  readonly phase: "hello" | "challenge" | "proof" | "open" | "closed";
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly theirNonce: Uint8Array | null;
  readonly keys: SessionKeys | null;
  readonly sent: bigint;
  readonly received: bigint;
  /** What has come of a frame that is not whole yet. */
  readonly pending: Uint8Array;
}

export type SessionInput =
  | { readonly kind: "connected" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Sends a message; nothing happens before the session is open. */
  | { readonly kind: "send"; readonly body: Uint8Array };

export type SessionEffect =
  | { readonly kind: "write"; readonly bytes: Uint8Array }
  /** Both sides have proved that they hold the key. */
  | { readonly kind: "open" }
  | { readonly kind: "message"; readonly body: Uint8Array }
  /** Close it at once; `sentence` says what was wrong, without a full stop. */
  | { readonly kind: "refuse"; readonly reason: RefusalReason; readonly sentence: string };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

/** `nonce`: 32 fresh random bytes. */
export function startSession(role: Role, key: Uint8Array, nonce: Uint8Array): SessionState {
  return {
    role,
    phase: role === "dialer" ? "challenge" : "hello",
    key,
    nonce,
    theirNonce: null,
    keys: null,
    sent: 0n,
    received: 0n,
    pending: new Uint8Array(0),
  };
}

/** Pure. After `refuse` nothing more comes of it. */
export function handleSession(state: SessionState, input: SessionInput): SessionStep {
  if (state.phase === "closed") return { state, effects: [] };
  switch (input.kind) {
    case "connected":
      return state.role === "dialer"
        ? write(state, FrameType.hello, concatenate(magic, state.nonce))
        : { state, effects: [] };
    case "send":
      return send(state, input.body);
    case "bytes":
      return receive(state, input.bytes);
  }
}

function receive(state: SessionState, bytes: Uint8Array): SessionStep {
  const effects: SessionEffect[] = [];
  let now: SessionState = { ...state, pending: concatenate(state.pending, bytes) };
  while (now.phase !== "closed") {
    const longest = now.phase === "open" ? longestFrame : longestHandshakeFrame;
    const read = readFrame(now.pending, longest);
    if (!read.ok) {
      const refused =
        now.phase === "open" || now.theirNonce !== null
          ? refuse(now, "frame-length", `a frame announces ${read.length} bytes`)
          : refuse(now, "not-a-peer", "what it sends is not this protocol");
      return { state: refused.state, effects: [...effects, ...refused.effects] };
    }
    now = { ...now, pending: read.rest };
    if (read.frame === null) break;
    const step = onFrame(now, read.frame.type, read.frame.payload);
    now = step.state;
    effects.push(...step.effects);
  }
  return { state: now, effects };
}

function onFrame(state: SessionState, type: number, payload: Uint8Array): SessionStep {
  switch (state.phase) {
    case "hello":
      return onHello(state, type, payload);
    case "challenge":
      return onChallenge(state, type, payload);
    case "proof":
      return onProof(state, type, payload);
    default:
      return onData(state, type, payload);
  }
}

function onHello(state: SessionState, type: number, payload: Uint8Array): SessionStep {
  const theirNonce = payload.subarray(magic.length);
  if (type !== FrameType.hello || theirNonce.length !== nonceBytes) {
    return refuse(state, "not-a-peer", "what it sends is not this protocol");
  }
  if (!same(payload.subarray(0, magic.length), magic)) {
    return refuse(state, "not-a-peer", `it does not speak version ${protocolVersion} of this protocol`);
  }
  if (same(theirNonce, state.nonce)) return reflected(state);
  const answer = concatenate(state.nonce, proof(state.key, "listener", theirNonce, state.nonce));
  return write({ ...state, phase: "proof", theirNonce }, FrameType.challenge, answer);
}

function onChallenge(state: SessionState, type: number, payload: Uint8Array): SessionStep {
  if (type !== FrameType.challenge || payload.length !== nonceBytes + macBytes) {
    return refuse(state, "not-a-peer", "what it sends is not this protocol");
  }
  const theirNonce = payload.slice(0, nonceBytes);
  if (same(theirNonce, state.nonce)) return reflected(state);
  if (!same(payload.subarray(nonceBytes), proof(state.key, "listener", state.nonce, theirNonce))) {
    return wrongKey(state);
  }
  const mine = proof(state.key, "dialer", state.nonce, theirNonce);
  return open({ ...state, theirNonce }, [{ kind: "write", bytes: encodeFrame(FrameType.proof, mine) }]);
}

function onProof(state: SessionState, type: number, payload: Uint8Array): SessionStep {
  const { theirNonce } = state;
  if (type !== FrameType.proof || theirNonce === null) {
    return refuse(state, "unexpected-frame", `a frame of type ${type} came in place of a proof`);
  }
  if (!same(payload, proof(state.key, "dialer", theirNonce, state.nonce))) return wrongKey(state);
  return open(state, []);
}

function open(state: SessionState, before: readonly SessionEffect[]): SessionStep {
  const { role, key, nonce, theirNonce } = state;
  if (theirNonce === null) return { state, effects: before };
  const [dialer, listener] = role === "dialer" ? [nonce, theirNonce] : [theirNonce, nonce];
  const keys = sessionKeys(key, role, dialer, listener);
  return { state: { ...state, phase: "open", keys }, effects: [...before, { kind: "open" }] };
}

function onData(state: SessionState, type: number, payload: Uint8Array): SessionStep {
  if (type !== FrameType.data || state.keys === null || payload.length < sequenceBytes + macBytes) {
    return refuse(state, "unexpected-frame", `a frame of type ${type} with ${payload.length} bytes came`);
  }
  const sequence = payload.subarray(0, sequenceBytes);
  const body = payload.slice(sequenceBytes, payload.length - macBytes);
  const mac = payload.subarray(payload.length - macBytes);
  if (!same(mac, messageMac(state.keys.theirs, sequence, body))) {
    return refuse(state, "mac", "a message was altered, or is of another connection");
  }
  if (!same(sequence, encodeSequence(state.received))) {
    return refuse(state, "sequence", `a message came out of order, number ${state.received} was due`);
  }
  return {
    state: { ...state, received: state.received + 1n },
    effects: [{ kind: "message", body }],
  };
}

function send(state: SessionState, body: Uint8Array): SessionStep {
  if (state.phase !== "open" || state.keys === null) return { state, effects: [] };
  const sequence = encodeSequence(state.sent);
  const payload = concatenate(sequence, body, messageMac(state.keys.mine, sequence, body));
  return write({ ...state, sent: state.sent + 1n }, FrameType.data, payload);
}

function encodeSequence(sequence: bigint): Uint8Array {
  const bytes = new Uint8Array(sequenceBytes);
  new DataView(bytes.buffer).setBigUint64(0, sequence);
  return bytes;
}

function write(state: SessionState, type: number, payload: Uint8Array): SessionStep {
  return { state, effects: [{ kind: "write", bytes: encodeFrame(type, payload) }] };
}

function refuse(state: SessionState, reason: RefusalReason, sentence: string): SessionStep {
  return { state: { ...state, phase: "closed" }, effects: [{ kind: "refuse", reason, sentence }] };
}

function reflected(state: SessionState): SessionStep {
  return refuse(state, "reflected", "it sends our own nonce back");
}

function wrongKey(state: SessionState): SessionStep {
  return refuse(state, "wrong-key", "it does not have our key: set the same one on both nodes");
}
