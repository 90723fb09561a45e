import { connect, type Socket } from "node:net";
import { describeEndpoint } from "../../config/address.js";
import type { HttpCheckConfig, ServerConfig } from "../../config/server-config.js";
import { TlsInitiator } from "../engine/portable/tls-initiator.js";
import { encodeProxyHeader, type ProxyVersion } from "../proxy-protocol/encode.js";
import { type Certificates, noCertificates } from "../tls/certificate.js";
import type { CheckResult } from "./check-status.js";
import { describeErrno } from "./errno-text.js";
import { checkRequest, judgeAnswer, mostAnswerBytes, type Verdict } from "./http-check.js";

export interface Probe {
  readonly result: Promise<CheckResult>;
  /** Ends it; `result` never settles then. */
  cancel(): void;
}

/**
 * Checks a server once: opens a connection, shakes hands where the check is over TLS, and with `http` asks and judges the
 * answer. Never rejects: what goes wrong is a result. The connection is reset afterwards, so that checks leave no TIME-WAIT
 * behind, as HAProxy's.
 */
export function probeServer(
  server: ServerConfig,
  http: HttpCheckConfig | null,
  certificates: Certificates = noCertificates,
): Probe {
  const { check } = server;
  if (check === undefined) throw new Error(`${server.name} has no check`);
  const startedMs = performance.now();
  const socket = connect({ host: server.host, port: check.port });
  let settle: (result: CheckResult) => void = () => {};
  const result = new Promise<CheckResult>((resolve) => {
    settle = resolve;
  });
  let layer: 4 | 6 | 7 = 4;
  let isOver = false;
  const end = (verdict: Verdict | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    // In the turn of one of TLS's events a reset would crash Node.
    if (socket.connecting) socket.destroy();
    else if (layer === 4 || check.overTls !== true) socket.resetAndDestroy();
    else setImmediate(() => socket.resetAndDestroy());
    if (verdict !== null) settle({ ...verdict, durationMs: Math.round(performance.now() - startedMs) });
  };
  const timer = setTimeout(() => end({ status: `L${layer}TOUT`, code: null, detail: "" }), check.timeoutMs);
  const failed = (error: NodeJS.ErrnoException): void => {
    // Before the connection stands, it is the network's or the server's fault; later it is nobody's that can be named.
    const isLate = layer === 7 || error.syscall === "getaddrinfo";
    const status = isLate ? "SOCKERR" : layer === 6 ? "L6RSP" : "L4CON";
    end({ status, code: null, detail: describeErrno(error) });
  };
  const secured = (over: Socket): void => {
    const passed = layer === 6 ? "L6OK" : "L4OK";
    layer = 7;
    if (http === null) end({ status: passed, code: null, detail: "" });
    else ask(over, http, describeEndpoint(server.host, check.port), end);
  };
  socket.on("error", failed);
  socket.on("connect", () => {
    if (check.sendProxy === true) socket.write(checkHeader(socket, server.sendProxy ?? 1));
    if (check.overTls !== true) {
      secured(socket);
      return;
    }
    layer = 6;
    const tls = new TlsInitiator(server.tls ?? { verify: "none" }, server.host, certificates).begin(socket);
    tls.on("error", failed);
    tls.on("secureConnect", () => secured(tls));
    tls.on("close", () =>
      end({ status: "L6RSP", code: null, detail: "Connection closed during SSL handshake" }),
    );
  });
  return { result, cancel: () => end(null) };
}

/** As HAProxy's checks have it: version 1 names the check's own connection, version 2 says LOCAL. */
function checkHeader(socket: Socket, version: ProxyVersion): Uint8Array {
  const end = (address = "", port = 0) => ({ address: address.replace(/^::ffff:/, ""), port });
  const source = end(socket.localAddress, socket.localPort);
  const destination = end(socket.remoteAddress, socket.remotePort);
  return encodeProxyHeader(version, version === 1 ? { source, destination } : null);
}

function ask(
  socket: Socket,
  http: HttpCheckConfig,
  authority: string,
  end: (verdict: Verdict) => void,
): void {
  let answer = Buffer.alloc(0);
  const judge = (ended: boolean): void => {
    const verdict = judgeAnswer(answer, ended, http);
    if (verdict !== null) end(verdict);
  };
  socket.on("data", (bytes) => {
    answer = Buffer.concat([answer, bytes]).subarray(0, mostAnswerBytes);
    judge(false);
  });
  socket.on("end", () => judge(true));
  socket.write(checkRequest(http, authority));
}
