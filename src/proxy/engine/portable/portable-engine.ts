import net, { type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { BindTlsConfig, ServerTlsConfig } from "../../../config/tls-config.js";
import type { Certificates } from "../../tls/certificate.js";
import {
  type Acceptor,
  type Connection,
  type ConnectionHandler,
  type ConnectTarget,
  type Engine,
  type Listener,
  pollMs,
  type Room,
  type TlsInitiation,
  type TlsTermination,
} from "../engine.js";
import { Roster } from "../roster.js";
import { TimerWheel } from "../timer-wheel.js";
import { PortableConnection } from "./portable-connection.js";
import { PortableListener } from "./portable-listener.js";
import { receiveBuffer } from "./receive-room.js";
import { ResetWatch } from "./reset-watch.js";
import { StreamConnection } from "./stream-connection.js";
import { TlsInitiator } from "./tls-initiator.js";
import { TlsTerminator } from "./tls-terminator.js";

const tickMs = 50;

/** The engine over `node:net`: runs wherever Node does, and is the one that carries TLS. */
export class PortableEngine implements Engine {
  readonly memory = null;
  readonly name = "portable";
  /** It copies: node:net knows no splice. */
  readonly pipeCounts = { used: 0, free: 0 };
  private readonly wheel = new TimerWheel(tickMs, performance.now());
  private readonly connections = new Roster<PortableConnection>();
  private readonly listeners = new Set<PortableListener>();
  private readonly resetWatch = new ResetWatch(this.connections);
  /** One timer drives the wheel, and only while a deadline lies in it. */
  private ticking: NodeJS.Timeout | null = null;
  private polling: NodeJS.Timeout | null = null;

  now(): number {
    return performance.now();
  }

  listen(descriptor: number, acceptor: Acceptor): Listener {
    const admit = (connection: PortableConnection): void => {
      this.connections.add(connection);
      // Asked now, Node remembers it: the log line of a connection that has ended tells where it came from.
      void connection.remoteAddress;
      connection.handledBy(acceptor.accept(connection));
    };
    const listener = new PortableListener(descriptor, acceptor, (client) => {
      if (client instanceof net.Socket) {
        admit(new PortableConnection(this, client, false));
        return;
      }
      const onread = {
        buffer: receiveBuffer,
        callback: (length: number): boolean => connection.receivedInRoom(length),
      };
      const options = { handle: client, allowHalfOpen: true, readable: true, writable: true, onread };
      const socket: Socket = new net.Socket(options);
      const connection = new PortableConnection(this, socket, true);
      socket.setNoDelay(true);
      admit(connection);
    });
    this.listeners.add(listener);
    return listener;
  }

  connect(target: ConnectTarget, handler: ConnectionHandler): Connection {
    const socket: Socket = net.connect({
      host: target.host,
      port: target.port,
      allowHalfOpen: true,
      noDelay: true,
      onread: { buffer: receiveBuffer, callback: (length) => connection.receivedInRoom(length) },
    });
    const connection = new PortableConnection(this, socket, true);
    connection.readOnAfterFailedWrite();
    this.connections.add(connection);
    connection.handledBy(handler);
    socket.on("connect", () => connection.wasConnected());
    return connection;
  }

  termination(config: BindTlsConfig, certificates: Certificates, ticketKeys: Uint8Array): TlsTermination {
    return new TlsTerminator(config, certificates, ticketKeys);
  }

  initiation(config: ServerTlsConfig, host: string, certificates: Certificates): TlsInitiation {
    return new TlsInitiator(config, host, certificates);
  }

  /** Node has no word for it. */
  splice(): boolean {
    return false;
  }

  /** What a socket has not written yet it refers to: each range is its own. */
  scratch(size: number): Room {
    return { bytes: Buffer.allocUnsafe(size), start: 0 };
  }

  keep(size: number): Room {
    return { bytes: Buffer.allocUnsafe(size), start: 0 };
  }

  giveBack(): void {}

  atTurnEnd(callback: () => void): void {
    setImmediate(callback);
  }

  poll(callback: (() => void) | null): void {
    if (this.polling !== null) clearInterval(this.polling);
    this.polling = callback === null ? null : setInterval(callback, pollMs);
  }

  destroy(): void {
    for (const listener of this.listeners) listener.close();
    this.listeners.clear();
    for (const connection of this.connections.list()) connection.close(true);
    if (this.ticking !== null) clearInterval(this.ticking);
    this.ticking = null;
    this.resetWatch.end();
    this.poll(null);
  }

  /** For connections: (re)arms the deadline of `connection`, `ms` from now. */
  arm(connection: PortableConnection | StreamConnection, ms: number): void {
    this.wheel.arm(connection, performance.now() + ms);
    this.ticking ??= setInterval(this.tick, tickMs);
  }

  disarm(connection: PortableConnection | StreamConnection): void {
    this.wheel.disarm(connection);
  }

  /** For connections: this one is gone. */
  forget(connection: PortableConnection): void {
    this.wheel.remove(connection);
    this.connections.delete(connection);
  }

  /** For connections: one does not read for the moment. */
  paused(): void {
    this.resetWatch.begin();
  }

  /** For streams: this one is gone. */
  forgetStream(stream: StreamConnection): void {
    this.wheel.remove(stream);
  }

  private readonly tick = (): void => {
    this.wheel.advance(performance.now(), (entry) => {
      if (entry instanceof PortableConnection || entry instanceof StreamConnection) entry.deadlinePassed();
    });
    if (this.wheel.size === 0 && this.ticking !== null) {
      clearInterval(this.ticking);
      this.ticking = null;
    }
  };
}
