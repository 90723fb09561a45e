import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { nonceBytes, type Role } from "./keys.js";
import { encodeMessage, type PeerMessage, parseMessage } from "./message.js";
import { handleSession, type RefusalReason, type SessionInput, startSession } from "./session.js";

/** How a connection ended. `byPeer`: the other side's kernel sent FIN or RST. */
export interface Ending {
  readonly byPeer: boolean;
  /** errno name, where the kernel gave one. */
  readonly code: string | null;
  /** Set when this side refused to go on. */
  readonly refusal: RefusalReason | null;
  readonly sentence: string;
}

export interface LinkEvents {
  onOpen(connection: LinkConnection): void;
  onMessage(connection: LinkConnection, message: PeerMessage): void;
  /** Once, and nothing after it. Not called after `close`. */
  onEnd(connection: LinkConnection, ending: Ending): void;
}

const handshakeLimitMs = 2000;
/** The partner says something every second. */
const silenceLimitMs = 3500;
/** What may wait for a partner that reads slowly: many times what there is to say. */
const longestQueueBytes = 65_536;

/** One TCP connection with the session on it: bounded in time, memory and what it believes. */
export class LinkConnection {
  readonly role: Role;
  readonly openedMs = performance.now();
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  #session: ReturnType<typeof startSession>;
  #timer: NodeJS.Timeout;
  #over = false;

  /** `limitMs`: in which a dialed connection must stand and be authentic. */
  constructor(socket: Socket, role: Role, key: Uint8Array, events: LinkEvents, limitMs = handshakeLimitMs) {
    this.#socket = socket;
    this.role = role;
    this.#events = events;
    this.#session = startSession(role, key, randomBytes(nonceBytes));
    this.#timer = setTimeout(() => this.#refuse("handshake-time-out", "it did not answer in time"), limitMs);
    socket.setNoDelay(true);
    socket.on("connect", () => this.#input({ kind: "connected" }));
    socket.on("data", (bytes: Buffer) => this.#input({ kind: "bytes", bytes }));
    socket.on("end", () => this.#end(true, null, null, "it closed the connection"));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const code = error.code ?? null;
      const byPeer = code === "ECONNRESET" || code === "EPIPE";
      this.#end(byPeer, code, null, byPeer ? "it reset the connection" : `${code ?? error.message}`);
    });
    socket.on("close", () => this.#end(false, null, null, "the connection is closed"));
  }

  get isOpen(): boolean {
    return !this.#over && this.#session.phase === "open";
  }

  send(message: PeerMessage): void {
    if (!this.isOpen) return;
    this.#input({ kind: "send", body: encodeMessage(message) });
    if (this.#socket.writableLength > longestQueueBytes) {
      this.#refuse("send-queue", "it reads nothing of what it is sent");
    }
  }

  /** For what is worth nothing a moment later: it is left out while anything else waits for the partner. */
  sendIfIdle(message: PeerMessage): void {
    if (this.#socket.writableLength === 0) this.send(message);
  }

  /** Ends it with what is queued, and tells nobody. */
  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroySoon();
  }

  #input(input: SessionInput): void {
    if (this.#over) return;
    const step = handleSession(this.#session, input);
    this.#session = step.state;
    for (const effect of step.effects) {
      switch (effect.kind) {
        case "write":
          this.#socket.write(effect.bytes);
          break;
        case "open":
          this.#armSilence();
          this.#events.onOpen(this);
          break;
        case "message":
          this.#onMessage(effect.body);
          break;
        case "refuse":
          this.#refuse(effect.reason, effect.sentence);
          break;
      }
      if (this.#over) return;
    }
  }

  #onMessage(body: Uint8Array): void {
    this.#armSilence();
    const message = parseMessage(body);
    if (message === null) this.#refuse("message", "it sends what is no message");
    else if (message !== "unknown") this.#events.onMessage(this, message);
  }

  #armSilence(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#end(false, null, null, `it was silent for ${silenceLimitMs} ms`);
    }, silenceLimitMs);
  }

  #refuse(reason: RefusalReason, sentence: string): void {
    this.#end(false, null, reason, sentence);
  }

  #end(byPeer: boolean, code: string | null, refusal: RefusalReason | null, sentence: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#events.onEnd(this, { byPeer, code, refusal, sentence });
  }
}
