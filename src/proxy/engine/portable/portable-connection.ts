import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { HeldBytes } from "../../held-bytes.js";
import type { Endpoint, Endpoints } from "../../proxy-protocol/endpoints.js";
import {
  type AgreedTls,
  type ClientCertificate,
  printable,
  readCertificate,
} from "../../tls/client-certificate.js";
import {
  type Connection,
  type ConnectionHandler,
  type DeadlineKind,
  headroomBytes,
  type StreamHost,
  type Streams,
  type TlsInitiation,
  type TlsTermination,
} from "../engine.js";
import type { Timed } from "../timer-wheel.js";
import { Http2Streams } from "./http2-streams.js";
import { keepable, receiveRoom } from "./receive-room.js";
import { StraightWriter } from "./straight-writer.js";
import type { StreamConnection } from "./stream-connection.js";
import { TlsInitiator } from "./tls-initiator.js";
import { TlsTerminator } from "./tls-terminator.js";

/** What a connection needs of its engine. */
export interface ConnectionOwner {
  arm(connection: PortableConnection | StreamConnection, ms: number): void;
  disarm(connection: PortableConnection | StreamConnection): void;
  forget(connection: PortableConnection): void;
  /** One does not read for the moment. */
  paused(): void;
  forgetStream(stream: StreamConnection): void;
}

const nothing = new Uint8Array(0);
/** A paused connection that watches for a reset reads no further when it holds so much. */
const mostHeldBytes = 16_384;
/** A client that was told what it did wrong has so long to go away by itself. */
const lingerMs = 2_000;

/** One TCP connection over a `net.Socket`, with the socket's events turned into the handler's calls. */
export class PortableConnection implements Connection, Timed {
  dueMs = Infinity;
  wheelTick = -1;
  wheelPrevious: Timed | null = null;
  wheelNext: Timed | null = null;
  rosterPlace = -1;

  readonly owner: ConnectionOwner;
  /** What is said over: the TCP socket, or TLS over it. */
  private socket: Socket;
  private readonly tcp: Socket;
  private streams: Http2Streams | null = null;
  private handler: ConnectionHandler | null = null;
  private kind: DeadlineKind = "client";
  private errorCode: string | null = null;
  /** Gone, or given up by its owner: no event reaches the handler any more. */
  private over = false;
  private corked = false;
  /** `send` returned false, and `drained` is owed. */
  private backedUp = false;
  private paused = false;
  /** It was so already when the engine last looked. */
  private staysPaused = false;
  /** Came while it was paused and watched for a reset. */
  private held: HeldBytes | null = null;
  /** What is received lies in the room of all: the socket reads exactly when it is told to. */
  private readsIntoRoom: boolean;
  /** Past the stream; null: not connected yet, or under TLS. */
  private straight: StraightWriter | null = null;
  /** Under TLS: a write that finds nothing in front of it is encrypted when the call returns, and needs no copy. */
  private encryptsAtOnce = false;
  /** Node tells of a FIN also while the socket is paused; it waits here, for it stands behind bytes that wait too. */
  private endWaits = false;
  private closeWaits = false;
  private address: string | null = null;
  /** undefined: nobody has asked for it yet. */
  private certificate: ClientCertificate | null | undefined = undefined;
  private agreed: AgreedTls | null = null;
  /** What a PROXY header said. */
  private claimed: Endpoints | null = null;
  /** A write failed; what the other side sent before it went is still read. */
  private writeError: NodeJS.ErrnoException | null = null;

  /** `readsIntoRoom`: the socket receives into the room of all, and tells `receivedInRoom` of it. */
  constructor(owner: ConnectionOwner, socket: Socket, readsIntoRoom: boolean) {
    this.owner = owner;
    this.socket = socket;
    this.tcp = socket;
    this.readsIntoRoom = readsIntoRoom;
    if (!socket.connecting) this.straight = StraightWriter.over(socket);
    this.listenTo(socket);
  }

  handledBy(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  /**
   * Reads on when a write fails: a server that answers an upload early (413, 401) and closes resets the connection under
   * our writes, and its answer lies in the kernel by then. Node would destroy the socket with it, so it does not learn
   * of the error; the read that follows fails or ends, and that closes the connection.
   */
  readOnAfterFailedWrite(): void {
    const { socket } = this;
    type Done = (error?: Error | null) => void;
    // A stream has one write at a time.
    let told: Done = () => {};
    const keepError: Done = (error) => {
      if (error) this.writeError = error;
      told();
    };
    const write = socket._write.bind(socket);
    socket._write = (chunk, encoding, done) => {
      told = done;
      write(chunk, encoding, keepError);
    };
    const writeMany = socket._writev?.bind(socket);
    if (writeMany === undefined) return;
    socket._writev = (chunks, done) => {
      told = done;
      writeMany(chunks, keepError);
    };
  }

  get remoteAddress(): string {
    if (this.address === null) {
      const address = this.socket.remoteAddress ?? "";
      if (address === "") return "";
      this.address = unmapped(address);
    }
    return this.address;
  }

  get remotePort(): number {
    return this.claimed?.source.port ?? this.socket.remotePort ?? 0;
  }

  local(): Endpoint {
    if (this.claimed !== null) return this.claimed.destination;
    return { address: unmapped(this.socket.localAddress ?? ""), port: this.socket.localPort ?? 0 };
  }

  secure(
    tls: TlsTermination | TlsInitiation,
    serverName: string | null,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { tcp } = this;
    tcp.off("data", this.onData);
    tcp.off("end", this.onEnd);
    tcp.off("drain", this.onDrain);
    tcp.off("close", this.onClose);
    // Its handle reads for TLS from now on; what has been read waits in it.
    this.readsIntoRoom = false;
    this.straight = null;
    this.encryptsAtOnce = true;
    tcp.pause();
    if (end > start) tcp.unshift(Buffer.from(bytes.subarray(start, end)));
    if (tls instanceof TlsTerminator) {
      const secured = tls.accept(tcp, serverName);
      this.socket = secured;
      this.socket.on("_tlsError", this.onTlsError);
      this.socket.once("secure", () => {
        const refusal = tls.refusal(secured);
        if (refusal === null) this.wasConnected();
        else secured.destroy(Object.assign(new Error("the client's certificate"), { code: refusal }));
      });
    } else if (tls instanceof TlsInitiator) {
      this.socket = tls.begin(tcp);
      this.readOnAfterFailedWrite();
      this.socket.once("secureConnect", () => this.wasConnected());
    } else {
      throw new Error("this TLS is another engine's");
    }
    this.listenTo(this.socket);
  }

  get protocol(): string | null {
    const { socket } = this;
    return (socket instanceof TLSSocket && socket.alpnProtocol) || null;
  }

  get isResumed(): boolean {
    return this.socket instanceof TLSSocket && this.socket.isSessionReused();
  }

  get clientCertificate(): ClientCertificate | null {
    if (this.certificate === undefined) {
      const shown = this.socket instanceof TLSSocket ? this.socket.getPeerX509Certificate() : undefined;
      this.certificate = shown === undefined ? null : readCertificate(shown);
    }
    return this.certificate;
  }

  get agreedTls(): AgreedTls | null {
    const { socket } = this;
    if (this.agreed === null && socket instanceof TLSSocket) {
      // What Node's types leave out; false: the client has named no server.
      const serverName: unknown = Reflect.get(socket, "servername");
      this.agreed = {
        serverName: typeof serverName === "string" ? printable(serverName) : "",
        version: socket.getProtocol() ?? "",
        cipher: socket.getCipher().name,
        alpn: socket.alpnProtocol || "",
      };
    }
    return this.agreed;
  }

  multiplex(host: StreamHost): Streams {
    const { socket } = this;
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.off("drain", this.onDrain);
    socket.off("close", this.onClose);
    // No half of it is of use alone.
    socket.allowHalfOpen = false;
    const streams = new Http2Streams(socket, this, host, () => this.deadline("linger", lingerMs));
    socket.on("data", (chunk) => streams.received(chunk));
    socket.on("close", () => {
      streams.destroy();
      this.onClose();
    });
    this.streams = streams;
    return streams;
  }

  claim(ends: Endpoints): void {
    this.claimed = ends;
    this.address = ends.source.address;
  }

  send(bytes: Uint8Array, start: number, end: number, more: boolean): boolean {
    if (this.over || this.writeError !== null || end <= start) return true;
    const { socket, straight } = this;
    let from = start;
    if (straight !== null && !more && !this.corked) {
      from += straight.write(bytes, start, end);
      if (from === end) return true;
      // The stream fails with the next write, and the first one had the reason.
      this.errorCode ??= straight.failure;
    }
    if (more && !this.corked) {
      this.corked = true;
      socket.cork();
    }
    const mayBorrow = this.encryptsAtOnce && !this.corked && socket.writableLength === 0;
    const belowHighWater = socket.write(mayBorrow ? bytes.subarray(from, end) : keepable(bytes, from, end));
    if (!more && this.corked) {
      this.corked = false;
      socket.uncork();
    }
    // Node calls every range above its high-water mark too much, also when the kernel took it whole.
    if (belowHighWater || socket.writableLength === 0) return true;
    this.backedUp = true;
    return false;
  }

  pause(): void {
    if (this.over) return;
    if (!this.paused) {
      this.staysPaused = false;
      this.owner.paused();
    }
    this.paused = true;
    this.socket.pause();
  }

  /** From time to time while somebody is paused; false: not this one. */
  lookAtPause(): boolean {
    if (!this.paused || !this.readsIntoRoom || this.over) return false;
    if (this.staysPaused && this.heldBytes < mostHeldBytes) this.socket.resume();
    this.staysPaused = true;
    return true;
  }

  resume(): void {
    if (this.over || !this.paused) return;
    this.paused = false;
    if (this.held !== null) {
      process.nextTick(this.tellHeld);
      return;
    }
    this.socket.resume();
    if (this.endWaits) process.nextTick(this.tellEnd);
  }

  deadline(kind: DeadlineKind, ms: number): void {
    if (this.over) return;
    this.kind = kind;
    this.owner.arm(this, ms);
  }

  clearDeadline(): void {
    this.owner.disarm(this);
  }

  shutdown(): void {
    if (this.over) return;
    if (this.corked) {
      this.corked = false;
      this.socket.uncork();
    }
    this.socket.end();
  }

  closeWhenSent(): void {
    if (this.over) return;
    this.over = true;
    this.owner.forget(this);
    this.socket.destroySoon();
  }

  close(reset: boolean): void {
    if (this.over) return;
    this.over = true;
    this.owner.forget(this);
    this.streams?.destroy();
    // A socket that is still connecting has no peer to reset.
    const { tcp } = this;
    if (!reset || tcp.connecting) this.socket.destroy();
    else if (this.socket === tcp) tcp.resetAndDestroy();
    // In the turn of one of TLS's events Node would crash; with the TCP socket the other one closes by itself.
    else setImmediate(() => tcp.resetAndDestroy());
  }

  wasConnected(): void {
    if (this.socket === this.tcp) this.straight = StraightWriter.over(this.tcp);
    if (!this.over) this.handler?.connected(this);
  }

  deadlinePassed(): void {
    if (!this.over) this.handler?.expired(this, this.kind);
  }

  /** What came lies where all of them receive. False: read no further. */
  receivedInRoom(length: number): boolean {
    if (this.over) return true;
    if (this.paused || this.held !== null) {
      this.held ??= new HeldBytes();
      this.held.append(receiveRoom, headroomBytes, headroomBytes + length);
      return this.heldBytes < mostHeldBytes;
    }
    this.handler?.received(this, receiveRoom, headroomBytes, headroomBytes + length);
    return true;
  }

  private readonly tellHeld = (): void => {
    if (this.over || this.paused || this.held === null) return;
    const bytes = this.held.take();
    this.held = null;
    this.handler?.received(this, bytes, 0, bytes.length);
    if (this.over || this.paused) return;
    this.socket.resume();
    this.tellEnd();
  };

  private get heldBytes(): number {
    return this.held === null ? 0 : this.held.length;
  }

  private readonly onData = (chunk: Buffer): void => {
    if (!this.over) this.handler?.received(this, chunk, 0, chunk.length);
  };

  /**
   * libuv tells of a reset as of a FIN when bytes came with it (`uv__stream_io`, POLLHUP after a partial read), and a
   * body that was cut would look whole. A write of nothing tells them apart: it fails on a connection that was reset.
   */
  private readonly onEnd = (): void => {
    if (this.over) return;
    this.endWaits = true;
    if (this.socket.writableLength > 0) {
      // What waits to be sent fails in this very turn if it was a reset.
      setImmediate(this.tellEnd);
      return;
    }
    if (this.socket.writable) {
      // Others wait behind it though its length is nothing.
      this.encryptsAtOnce = false;
      this.socket.write(nothing);
    }
    this.tellEnd();
  };

  private readonly tellEnd = (): void => {
    if (this.over || this.paused || this.held !== null || !this.endWaits) return;
    if (this.socket.errored !== null) return;
    this.endWaits = false;
    if (this.writeError !== null) {
      this.errorCode ??= this.writeError.code ?? "EIO";
      this.socket.destroy();
      return;
    }
    this.handler?.ended(this);
    if (this.closeWaits) this.onClose();
  };

  private readonly onDrain = (): void => {
    if (this.over || !this.backedUp) return;
    this.backedUp = false;
    this.handler?.drained(this);
  };

  private listenTo(socket: Socket): void {
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.on("drain", this.onDrain);
    socket.on("error", this.onError);
    socket.on("close", this.onClose);
  }

  /** Node tells so of what went wrong in TLS as long as nobody else than this connection knows the socket. */
  private readonly onTlsError = (error: NodeJS.ErrnoException): void => {
    this.onError(error);
    this.socket.destroy();
  };

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    this.errorCode ??= error.code ?? "EIO";
  };

  private readonly onClose = (): void => {
    // Under TLS, where its own socket may be gone first.
    if (this.socket !== this.tcp) this.tcp.destroy();
    if (this.over) return;
    if (this.endWaits && this.errorCode === null) {
      this.closeWaits = true;
      return;
    }
    this.over = true;
    this.owner.forget(this);
    this.handler?.closed(this, this.errorCode);
  };
}

const unmapped = (address: string): string => (address.startsWith("::ffff:") ? address.slice(7) : address);
