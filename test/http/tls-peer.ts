import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { type CertificateWords, makeCertificate } from "../../lab/certificate.js";
import type { Certificate } from "../../src/proxy/tls/certificate.js";
import { Peer, within } from "./peer.js";
import type { RunningProxy } from "./scenario.js";

/** A certificate in memory, made anew. */
export function freshCertificate(name: string, words: CertificateWords = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "lb-crt-"));
  try {
    const { certificate, key } = makeCertificate(folder, name, words);
    const [chain, keyText] = [certificate, key].map((file) => readFileSync(file, "utf8"));
    return { file: certificate, chain, key: keyText, names: [name, ...(words.names ?? [])] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A client inside of TLS. */
export class TlsPeer extends Peer {
  constructor(
    readonly tcp: net.Socket,
    readonly tls: TLSSocket,
    name: string,
  ) {
    super(tls, name);
  }

  /** Without TLS's own end; RST where something has come that nobody read. */
  override reset(): void {
    this.tls.destroy();
  }
}

/** Connects to the proxy and shakes hands; `first` goes out in front of the handshake. */
export async function tlsClient(
  proxy: RunningProxy,
  options: ConnectionOptions = {},
  first: Uint8Array | null = null,
): Promise<TlsPeer> {
  const tcp = net.connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  if (first !== null) tcp.write(first);
  const tls = connect({ socket: tcp, rejectUnauthorized: false, ...options });
  const peer = new TlsPeer(tcp, tls, `TLS client ${proxy.clients.length + 1}`);
  proxy.add(peer);
  const secured = new Promise<void>((resolve, reject) => {
    tls.once("secureConnect", () => resolve());
    tls.once("error", reject);
    tls.once("close", () => reject(new Error("closed during the handshake")));
  });
  await within(secured, 20_000, () => "the proxy does not shake hands");
  return peer;
}
