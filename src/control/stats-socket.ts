import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { SocketLevel, StatsSocketConfig } from "../config/config.js";
import { LbError } from "../errors.js";
import type { Inquiry } from "../process/inquiry.js";
import type { ControlRequest } from "../process/messages.js";
import type { Question } from "../process/reload-answer.js";
import { parseCommandLine } from "./command-line.js";
import { runCommand, type SocketActions } from "./commands.js";
import type { Told } from "./inquirer.js";
import type { NodeView } from "./node-view.js";
import { socketOwner } from "./socket-owner.js";

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

/** What who opens it may do, and whose its file is. */
export type SocketAccess = Pick<StatsSocketConfig, "level" | "mode" | "user" | "group">;

const noHooks: StatsSocketHooks = {
  onRequest: () => {},
  onAsk: async () => "nobody is there to answer this",
  async *onInquire() {
    yield { kind: "end", silent: 0 };
  },
};

const defaultLimits: StatsSocketLimits = { idleTimeoutMs: 10_000, maxLineBytes: 16_384, maxClients: 64 };

/** `sun_path` holds 108 bytes, one of them the final zero. */
const maxPathBytes = 107;

/** HAProxy's stats socket: a Unix socket that answers lines of commands. */
export class StatsSocket {
  private readonly clients = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly path: string,
    private readonly inode: number,
  ) {}

  /**
   * Opens the socket at `path` with mode 0660, if `access` does not say otherwise, and makes its directory if it is missing. A socket file on which
   * nobody answers any more is replaced. `view` is called once a command, `actions` carry out what a command changes;
   * `hooks` pass on what is the main thread's.
   *
   * Throws LbError: LB_STATS_SOCKET_IN_USE if another process answers there, LB_STATS_SOCKET otherwise.
   */
  static async open(
    path: string,
    view: () => NodeView,
    actions: SocketActions,
    limits: StatsSocketLimits = defaultLimits,
    hooks: StatsSocketHooks = noHooks,
    access: SocketAccess = {},
  ): Promise<StatsSocket> {
    // Bound under a name of its own and moved into place, so that nobody ever finds it with another mode.
    const temporary = join(dirname(path), `.lb-${process.pid}-${Date.now().toString(36)}`);
    if (Math.max(Buffer.byteLength(path), Buffer.byteLength(temporary)) > maxPathBytes) {
      throw new LbError(
        "LB_STATS_SOCKET",
        `the path of the stats socket, ${path}, is longer than a socket's may be`,
        `choose a path of less than ${maxPathBytes - 20} bytes`,
      );
    }
    const server = createServer({ allowHalfOpen: true });
    server.maxConnections = limits.maxClients;
    try {
      mkdirSync(dirname(path), { recursive: true });
      await refuseIfInUse(path);
      await listen(server, temporary);
      chmodSync(temporary, access.mode ?? 0o660);
      const { uid, gid } = socketOwner(access);
      if (uid !== null || gid !== null) chownSync(temporary, uid ?? -1, gid ?? -1);
      renameSync(temporary, path);
    } catch (error) {
      server.close();
      throw describeFailure(path, error);
    }
    const opened = new StatsSocket(server, path, lstatSync(path).ino);
    server.on("connection", (socket) => {
      opened.clients.add(socket);
      socket.on("close", () => opened.clients.delete(socket));
      serve(socket, view, actions, limits, hooks, access.level ?? "admin");
    });
    return opened;
  }

  /** Closes the socket and its connections; removes the file if it is still this one. */
  async close(): Promise<void> {
    if (lookUp(this.path)?.ino === this.inode) unlinkSync(this.path);
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const client of this.clients) client.destroy();
    await closed;
  }
}

/** One client: its lines in order, each answer taken by the client before the next command runs. */
function serve(
  socket: Socket,
  view: () => NodeView,
  actions: SocketActions,
  limits: StatsSocketLimits,
  hooks: StatsSocketHooks,
  allowed: SocketLevel,
): void {
  let buffered = "";
  let busy = false;
  let ended = false;
  let prompt = false;
  let level = allowed;

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
      for (const words of parseCommandLine(line)) {
        if (!(await answer(words))) {
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

function lookUp(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Resolves if `path` is free or a socket that nobody listens on. */
async function refuseIfInUse(path: string): Promise<void> {
  const found = lookUp(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new LbError(
      "LB_STATS_SOCKET",
      `${path} exists and is not a socket`,
      "remove it, or choose another path for the stats socket",
    );
  }
  const answers = await new Promise<boolean>((resolve, reject) => {
    const probe = connect(path);
    probe.on("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", (error: NodeJS.ErrnoException) => {
      // EAGAIN: its queue is full, so somebody holds it.
      if (error.code === "EAGAIN") resolve(true);
      else if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      else reject(error);
    });
  });
  if (answers) {
    throw new LbError(
      "LB_STATS_SOCKET_IN_USE",
      `another process answers on the stats socket ${path}`,
      "stop it (is an lb or HAProxy running?), or choose another path with --stats-socket",
    );
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function describeFailure(path: string, error: unknown): LbError {
  if (error instanceof LbError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LbError(
    "LB_STATS_SOCKET",
    `cannot open the stats socket ${path}: ${reason}`,
    "see that its directory exists and may be written, or choose another path with --stats-socket",
    { cause: error },
  );
}
