import { createServer, type Server, type Socket } from "node:net";
import type { SocketLevel } from "../config/config.js";
import type { Inquiry } from "../process/inquiry.js";
import type { ControlRequest } from "../process/messages.js";
import type { Question } from "../process/reload-answer.js";
import { parseCommandLine } from "./command-line.js";
import { runCommand, type SocketActions } from "./commands.js";
import type { Told } from "./inquirer.js";
import type { NodeView } from "./node-view.js";

export interface StatsSocketLimits {
  /** HAProxy's `stats timeout`. */
  readonly idleTimeoutMs: number;
  /** HAProxy's buffer. */
  readonly maxLineBytes: number;
  readonly maxClients: number;
}

/** What the stats socket passes on. */
export interface StatsSocketHooks {
  /** What the main thread is to do. */
  onRequest(request: ControlRequest): void;
  /** What the main thread knows. */
  onAsk(question: Question): Promise<string>;
  /** What the data threads know. */
  onInquire(inquiry: Inquiry): AsyncIterable<Told>;
}

const noHooks: StatsSocketHooks = {
  onRequest: () => {},
  onAsk: async () => "nobody is there to answer this",
  async *onInquire() {
    yield { kind: "end", silent: 0 };
  },
};

const defaultLimits: StatsSocketLimits = { idleTimeoutMs: 10_000, maxLineBytes: 16_384, maxClients: 64 };

/** As the main thread has it; Node calls listen(2) once more. */
const backlog = 128;
/** For who takes an answer slowly, or waits for one that takes long. */
const lastWordsMs = 1000;

/** HAProxy's stats socket: a Unix socket that answers lines of commands. */
export class StatsSocket {
  /** Each with what ends it. */
  private readonly clients = new Map<Socket, () => void>();

  private constructor(private readonly server: Server) {}

  /**
   * Serves on a listening Unix socket, whose descriptor it takes over. `view` is called once a command, `actions` carry out
   * what a command changes; `hooks` pass on what is the main thread's. Rejects when the descriptor is no such socket.
   */
  static async serve(
    descriptor: number,
    view: () => NodeView,
    actions: SocketActions,
    limits: StatsSocketLimits = defaultLimits,
    hooks: StatsSocketHooks = noHooks,
    level: SocketLevel = "admin",
  ): Promise<StatsSocket> {
    const server = createServer({ allowHalfOpen: true });
    server.maxConnections = limits.maxClients;
    const opened = new StatsSocket(server);
    server.on("connection", (socket) => {
      opened.clients.set(socket, serve(socket, view, actions, limits, hooks, level));
      socket.on("close", () => opened.clients.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ fd: descriptor, backlog }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return opened;
  }

  /** Closes this descriptor of the socket: whoever connects from now on waits for another. Its connections go on. */
  withdraw(): void {
    this.server.close();
  }

  /** Closes this descriptor of the socket and ends its connections; one that waits for an answer still gets it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const end of this.clients.values()) end();
    const lastWords = setTimeout(() => {
      for (const client of this.clients.keys()) client.destroy();
    }, lastWordsMs);
    await closed;
    clearTimeout(lastWords);
  }
}

/**
 * One client: its lines in order, each answer taken by the client before the next command runs. Returns what ends it: after
 * the command that runs or is on its way, or else at once.
 */
function serve(
  socket: Socket,
  view: () => NodeView,
  actions: SocketActions,
  limits: StatsSocketLimits,
  hooks: StatsSocketHooks,
  allowed: SocketLevel,
): () => void {
  let buffered = "";
  let busy = false;
  let ended = false;
  let prompt = false;
  let level = allowed;
  let hasAsked = false;
  let isLast = false;

  socket.setEncoding("utf8");
  socket.setTimeout(limits.idleTimeoutMs, () => socket.destroy());
  // A client that goes away is no error of ours; `close` follows.
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    buffered += text;
    void answerLines();
  });
  socket.on("end", () => {
    ended = true;
    // A last line without its newline is a line: `printf 'show info' | socat …`.
    if (buffered !== "" && !buffered.endsWith("\n")) buffered += "\n";
    void answerLines();
  });

  return () => {
    isLast = true;
    // Who has said nothing yet came for an answer, and its line is on the way.
    if (!busy && hasAsked) socket.destroy();
  };

  async function answerLines(): Promise<void> {
    if (busy) return;
    busy = true;
    socket.pause();
    let newline = buffered.indexOf("\n");
    let answered = false;
    while (newline !== -1) {
      if (newline > limits.maxLineBytes) break;
      const line = buffered.slice(0, newline);
      buffered = buffered.slice(newline + 1);
      hasAsked = true;
      for (const words of parseCommandLine(line)) {
        if (!(await answer(words)) || isLast) {
          socket.end(() => socket.destroy());
          return;
        }
      }
      answered = true;
      newline = buffered.indexOf("\n");
    }
    if (buffered.length > limits.maxLineBytes) {
      socket.end(`Line too long: a line may have ${limits.maxLineBytes} bytes.\n\n`, () => socket.destroy());
      return;
    }
    busy = false;
    if (ended || (answered && !prompt)) socket.end(() => socket.destroy());
    else socket.resume();
  }

  /** False: the conversation is over. */
  async function answer(words: readonly string[]): Promise<boolean> {
    const result = runCommand(words, view, actions, level);
    if (result.kind === "quit") return false;
    if (result.kind === "toggle-prompt") prompt = !prompt;
    if (result.kind === "idle-timeout") socket.setTimeout(result.ms);
    if (result.kind === "level") level = result.level;
    if (result.kind === "request") hooks.onRequest(result.request);
    if (result.kind === "ask") {
      // It takes as long as it takes, and the client is not idle meanwhile.
      socket.setTimeout(0);
      const text = await hooks.onAsk(result.question);
      socket.setTimeout(limits.idleTimeoutMs);
      return send(`${result.describe(text)}\n${prompt ? "> " : ""}`);
    }
    if (result.kind === "inquire") {
      for await (const part of result.describe(hooks.onInquire(result.inquiry)))
        if (!(await send(part))) return false;
      return send(`\n${prompt ? "> " : ""}`);
    }
    const body = result.kind === "text" || result.kind === "request" ? result.text : "";
    return send(`${body}\n${prompt ? "> " : ""}`);
  }

  /** Resolves when the client has room for more; false if it is gone. */
  function send(text: string): Promise<boolean> {
    if (socket.destroyed) return Promise.resolve(false);
    if (socket.write(text)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = () => {
        socket.off("drain", settle);
        socket.off("close", settle);
        resolve(!socket.destroyed);
      };
      socket.on("drain", settle);
      socket.on("close", settle);
    });
  }
}
