import { constants, createHash } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { BindTlsConfig } from "../../../config/tls-config.js";
import {
  type Certificate,
  type Certificates,
  certificateRefused,
  certificatesOf,
} from "../../tls/certificate.js";
import { CertificateNames } from "../../tls/names.js";
import { isVerified } from "./client-verification.js";
import { highWaterMark } from "./receive-room.js";

/** TLS towards the clients of one listening address, over `node:tls`. */
export class TlsTerminator {
  private contexts: readonly SecureContext[] = [];
  private names = new CertificateNames([]);
  /** PEM that clients' certificates are judged by. */
  private trust: { readonly ca?: string; readonly crl?: string } = {};

  /** `ticketKeys`: 48 bytes that all threads share, so that each resumes what another began. */
  constructor(
    private readonly config: BindTlsConfig,
    certificates: Certificates,
    private readonly ticketKeys: Uint8Array,
  ) {
    this.renew(certificates);
  }

  /** Handshakes that begin from now on use these. */
  renew(certificates: Certificates): void {
    const own = certificatesOf(this.config.crt, certificates);
    this.trust = trustOf(this.config, certificates);
    this.contexts = own.map((certificate) => this.context(certificate));
    this.names = new CertificateNames(own.map(({ names }) => names));
  }

  get goesByName(): boolean {
    return this.contexts.length > 1 || this.config.strictSni === true;
  }

  refuses(serverName: string | null): boolean {
    return this.config.strictSni === true && (serverName === null || !this.names.has(serverName));
  }

  /** Begins a handshake on `socket`, with the certificate for `serverName`; tells of its end by the events `secure` and `_tlsError`. */
  accept(socket: Socket, serverName: string | null): TLSSocket {
    const { alpn, clients } = this.config;
    const options = {
      highWaterMark,
      isServer: true,
      secureContext: this.contexts[serverName === null ? 0 : this.names.placeOf(serverName)],
      ...(alpn !== undefined && { ALPNProtocols: [...alpn] }),
      ...(clients !== undefined && { requestCert: true, rejectUnauthorized: clients.verify === "required" }),
    };
    return new TLSSocket(socket, options);
  }

  /** Once the handshake is done: why the client is not let in; null: it is. */
  refusal(socket: TLSSocket): string | null {
    const { clients } = this.config;
    return clients === undefined || isVerified(socket, clients.verify) ? null : certificateRefused;
  }

  /** A session that began where other certificates are asked for, or none, is not gone on with here. */
  private get sessionContext(): string {
    const { clients } = this.config;
    if (clients === undefined) return "tandem";
    const { ca = "", crl = "" } = this.trust;
    return createHash("sha256")
      .update(JSON.stringify([clients.verify, ca, crl]))
      .digest("hex")
      .slice(0, 32);
  }

  private context({ chain, key }: Certificate): SecureContext {
    const { minVersion, ciphers } = this.config;
    return createSecureContext({
      cert: chain,
      key,
      minVersion: minVersion ?? "TLSv1.2",
      ...(ciphers !== undefined && { ciphers }),
      honorCipherOrder: true,
      ticketKeys: Buffer.from(this.ticketKeys),
      ...this.trust,
      sessionIdContext: this.sessionContext,
      // A client that asks for one handshake after the other costs the server more than itself.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  }
}

function trustOf({ clients }: BindTlsConfig, { authorities }: Certificates): { ca?: string; crl?: string } {
  if (clients === undefined) return {};
  const read = (file: string): string => {
    const text = authorities.get(file);
    // Node would trust everybody whom browsers trust, and take what has been revoked.
    if (text === undefined) throw new Error(`${file} has not been read`);
    return text;
  };
  const { caFile, crlFile } = clients;
  return { ca: read(caFile), ...(crlFile !== undefined && { crl: read(crlFile) }) };
}
