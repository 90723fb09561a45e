import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from "node:tls";
import type { ServerTlsConfig } from "../../../config/tls-config.js";
import { type Certificates, certificatesOf } from "../../tls/certificate.js";
import { highWaterMark } from "./receive-room.js";

/** TLS towards one server, over `node:tls`. */
export class TlsInitiator {
  private options: ConnectionOptions = {};
  /** To be resumed by the next connection. */
  private session: Buffer | undefined = undefined;

  constructor(
    private readonly config: ServerTlsConfig,
    private readonly host: string,
    certificates: Certificates,
  ) {
    this.renew(certificates);
  }

  renew(certificates: Certificates): void {
    const { verify, caFile, sni, crt } = this.config;
    const own = crt === undefined ? undefined : certificatesOf([crt], certificates)[0];
    const ca = caFile === undefined ? undefined : certificates.authorities.get(caFile);
    const name = sni ?? (isIP(this.host) === 0 ? this.host : null);
    this.session = undefined;
    this.options = {
      secureContext: createSecureContext({
        minVersion: "TLSv1.2",
        ...(ca !== undefined && { ca }),
        ...(own !== undefined && { cert: own.chain, key: own.key }),
      }),
      rejectUnauthorized: verify === "required",
      ...(name !== null && { servername: name }),
      // HAProxy's rule: a server that is known by its address alone is as good as who signed its certificate.
      ...(name === null && { checkServerIdentity: () => undefined }),
    };
  }

  /** Begins a handshake on a connected `socket`; tells of its end by the events `secureConnect` and `error`. */
  begin(socket: Socket): TLSSocket {
    const options = {
      ...this.options,
      highWaterMark,
      socket,
      ...(this.session !== undefined && { session: this.session }),
    };
    const secured = connect(options);
    secured.on("session", (session) => {
      this.session = session;
    });
    return secured;
  }
}
