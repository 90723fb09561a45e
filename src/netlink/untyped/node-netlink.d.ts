/** node-netlink 0.0.4: requests over an AF_NETLINK socket. Only what `route-socket.ts` uses. */
declare module "node-netlink" {
  interface Packet {
    readonly header: {
      readonly nlmsg_type: bigint;
      readonly nlmsg_flags: bigint;
      readonly nlmsg_seq: bigint;
      readonly nlmsg_pid: bigint;
    };
    readonly payload: Buffer;
  }

  interface Emitter {
    removeAllListeners(event: "message"): void;
  }

  interface NetlinkSocket {
    readonly nl_pid: bigint;
    /**
     * Sends a request and gathers its answer. `errorCode` is the errno, 0 for success.
     * Throws when NLM_F_ACK is not set; rejects after `timeout` ms (default 10,000).
     */
    tryTalk(
      message: { header: { nlmsg_type: bigint; nlmsg_flags: bigint }; payload: Buffer },
      options?: { timeout?: number },
    ): Promise<{ errorCode: number; packets: Packet[] }>;
    /** Returns the emitter itself, as `on` of Node's does: node-netlink listens on it for the answers of `tryTalk`. */
    on(event: "message", listener: () => void): Emitter;
    /** Waits for the poll that is under way, up to 100 ms. */
    close(): Promise<void>;
  }

  const netlink: {
    /** `family` is the netlink protocol: 0 is NETLINK_ROUTE. */
    open(options: { family: bigint; pid?: bigint; groups?: bigint }): Promise<NetlinkSocket>;
  };

  export type { NetlinkSocket, Packet };
  export default netlink;
}
