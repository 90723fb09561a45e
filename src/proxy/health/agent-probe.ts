import { connect } from "node:net";
import type { AgentReport } from "./agent-report.js";
import { agentLine, parseAgentLine } from "./agent-report.js";
import { describeErrno } from "./errno-text.js";

/** Whom to ask, and how. */
export interface AgentTarget {
  readonly host: string;
  readonly port: number;
  /** Sent as soon as the connection stands; empty: nothing. */
  readonly send: string;
  readonly timeoutMs: number;
}

export interface AgentAnswer extends AgentReport {
  readonly durationMs: number;
}

export interface AgentProbe {
  readonly result: Promise<AgentAnswer>;
  /** Ends it; `result` never settles then. */
  cancel(): void;
}

const nothingSaid = { health: null, admin: null, weightPercent: null, maxconn: null } as const;

/** Asks an agent once: connects, sends what is to be sent, takes one line. Never rejects: what goes wrong is a result. */
export function askAgent({ host, port, send, timeoutMs }: AgentTarget): AgentProbe {
  const startedMs = performance.now();
  const socket = connect({ host, port });
  let settle: (answer: AgentAnswer) => void = () => {};
  const result = new Promise<AgentAnswer>((resolve) => {
    settle = resolve;
  });
  let isConnected = false;
  let isOver = false;
  let text = "";
  const end = (report: AgentReport | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
    if (report !== null) settle({ ...report, durationMs: Math.round(performance.now() - startedMs) });
  };
  const timer = setTimeout(
    () => end({ ...nothingSaid, status: isConnected ? "L7TOUT" : "L4TOUT", detail: "" }),
    timeoutMs,
  );
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const status = isConnected || error.syscall === "getaddrinfo" ? "SOCKERR" : "L4CON";
    end({ ...nothingSaid, status, detail: describeErrno(error) });
  });
  socket.on("connect", () => {
    isConnected = true;
    if (send !== "") socket.write(send);
  });
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    const line = agentLine(text);
    if (line !== null) end(parseAgentLine(line));
  });
  socket.on("end", () => {
    const detail = text === "" ? "the agent said nothing" : "Ignoring incomplete line from agent";
    end({ ...nothingSaid, status: "L7RSP", detail });
  });
  return { result, cancel: () => end(null) };
}
