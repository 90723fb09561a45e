import { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { parseJson } from "../json.js";

/** A message is one line; a counter takes some twenty bytes, so this is room for tens of thousands of servers. */
const longestLine = 64 << 20;

export interface ChannelEvents {
  onMessage(message: unknown): void;
  /** The other process has closed it or is gone. Once, and nothing after it. */
  onEnd(): void;
}

/** One end of a socket pair between two processes, on which each sends lines of JSON. */
export class Channel {
  private readonly socket: Socket;
  private isOver = false;

  /** Takes the descriptor over. */
  constructor(descriptor: number, events: ChannelEvents) {
    this.socket = new Socket({ fd: descriptor, readable: true, writable: true });
    const decoder = new StringDecoder("utf8");
    let rest = "";
    const end = (): void => {
      if (this.isOver) return;
      this.isOver = true;
      this.socket.destroy();
      events.onEnd();
    };
    this.socket.on("data", (bytes: Buffer) => {
      rest += decoder.write(bytes);
      for (let newline = rest.indexOf("\n"); newline >= 0 && !this.isOver; newline = rest.indexOf("\n")) {
        const line = rest.slice(0, newline);
        rest = rest.slice(newline + 1);
        const message = parseJson(line);
        if (message === undefined) end();
        else events.onMessage(message);
      }
      if (rest.length > longestLine) end();
    });
    this.socket.on("error", end);
    this.socket.on("end", end);
    this.socket.on("close", end);
  }

  send(message: object): void {
    if (!this.isOver) this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends it with what is queued. */
  close(): void {
    this.isOver = true;
    this.socket.destroySoon();
  }
}
