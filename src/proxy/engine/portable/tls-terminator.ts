import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { BindTlsConfig } from "../../../config/tls-config.js";
import { type Certificate, type Certificates, certificatesOf } from "../../tls/certificate.js";
import { CertificateNames } from "../../tls/names.js";

/** TLS towards the clients of one listening address, over `node:tls`. */
export class TlsTerminator {
  private contexts: readonly SecureContext[] = [];
  private names = new CertificateNames([]);

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
    this.contexts = own.map((certificate) => this.context(certificate));
    this.names = new CertificateNames(own.map(({ names }) => names));
  }

  get goesByName(): boolean {
    return this.contexts.length > 1;
  }

  /** Begins a handshake on `socket`, with the certificate for `serverName`; tells of its end by the events `secure` and `_tlsError`. */
  accept(socket: Socket, serverName: string | null): TLSSocket {
    const { alpn } = this.config;
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: this.contexts[serverName === null ? 0 : this.names.placeOf(serverName)],
      ...(alpn !== undefined && { ALPNProtocols: [...alpn] }),
    });
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
      sessionIdContext: "tandem",
      // A client that asks for one handshake after the other costs the server more than itself.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  }
}
