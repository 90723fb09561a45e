/** The part of raw-socket 1.8 that the speaker uses; the package has no types of its own. */
declare module "raw-socket" {
  /** The native half. Both calls are synchronous, and throw an Error whose message is strerror's. */
  export interface SocketWrap {
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      sent: (bytes: number) => void,
    ): void;
    recv(buffer: Buffer, received: (buffer: Buffer, bytes: number, source: string) => void): void;
  }

  export interface Socket {
    readonly wrap: SocketWrap;
    on(event: "message", listener: (datagram: Buffer, source: string) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "close", listener: () => void): this;
    /** A Buffer needs its length beside it, a number must not have one. */
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
    close(): this;
  }

  const raw: {
    createSocket(options: { protocol: number; addressFamily: number }): Socket;
    readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
  };
  export default raw;
}
