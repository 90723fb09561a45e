import net, { type Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { closeDescriptor, duplicateDescriptor } from "../../../netlink/listening-socket.js";
import type { Acceptor, Listener } from "../engine.js";
import { type SocketHandle, takeHandles } from "./accepted-handles.js";

/** As the main thread asked for; the kernel allows `net.core.somaxconn`. */
const backlog = 4096;
/** How often it is asked whether one more may come, when nobody says so. */
const askAgainMs = 50;

/**
 * A `net.Server` that can leave clients in the kernel's backlog. Node has no word for that: the server is closed, and another
 * one is opened on a duplicate of its descriptor when clients may come again.
 */
export class PortableListener implements Listener {
  private server: net.Server | null = null;
  /** The descriptor while no server has it. */
  private spare = -1;
  private asking: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private descriptor: number,
    private readonly acceptor: Acceptor,
    /** Hears of each client: its handle, or the socket that Node has made of it. */
    private readonly accepted: (client: SocketHandle | Socket) => void,
  ) {
    if (acceptor.admits()) this.open();
    else this.rest(descriptor);
  }

  admitAgain(): void {
    if (this.closed || this.server !== null || !this.acceptor.admits()) return;
    this.stopAsking();
    this.descriptor = this.spare;
    this.spare = -1;
    this.open();
  }

  pause(): void {
    if (!this.closed && this.server !== null) this.wait(this.server);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stopAsking();
    this.server?.close();
    if (this.spare >= 0) closeDescriptor(this.spare);
  }

  private open(): void {
    // Half-open is the core's decision: a client may send its request, then FIN, and still wait for the answer.
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    const accept = (client: SocketHandle | Socket): void => {
      this.accepted(client);
      if (this.server === server && !this.closed && !this.acceptor.admits()) this.wait(server);
    };
    this.server = server;
    server.on("error", (error) => {
      // A descriptor that cannot listen is a mistake of ours: the thread ends and says so.
      if (!server.listening) throw error;
    });
    // Node calls listen(2) once more and would cut the backlog to 511.
    server.listen({ fd: this.descriptor, backlog });
    const takes = takeHandles(server, (status, handle) => {
      if (handle !== undefined) accept(handle);
      else this.acceptor.failed(getSystemErrorName(status));
    });
    if (!takes) server.on("connection", accept);
  }

  private wait(server: net.Server): void {
    const spare = duplicateDescriptor(this.descriptor);
    this.server = null;
    server.close();
    this.rest(spare);
  }

  /** Nobody listens on `descriptor` until clients may come. */
  private rest(descriptor: number): void {
    this.spare = descriptor;
    this.asking = setInterval(() => this.admitAgain(), askAgainMs);
  }

  private stopAsking(): void {
    if (this.asking !== null) clearInterval(this.asking);
    this.asking = null;
  }
}
