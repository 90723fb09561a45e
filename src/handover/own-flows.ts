import { formatIpLiteral, normalizeIpLiteral } from "../netlink/ip-literal.js";
import type { Flow } from "./rules.js";

const listening = 0x0a;

/**
 * The TCP connections to one of `addresses`, from the text of /proc/net/tcp or tcp6 (proc(5)): addresses are 32-bit words
 * in the byte order of the machine, which is little-endian on all that Tandem runs on. Listening sockets are none.
 */
export function parseFlows(text: string, addresses: readonly string[]): Flow[] {
  const wanted = new Set(addresses.map(normalizeIpLiteral));
  const flows: Flow[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [, local, remote, state] = line.trim().split(/\s+/);
    if (state === undefined || Number.parseInt(state, 16) === listening) continue;
    const ours = parseEnd(local);
    const theirs = parseEnd(remote);
    if (ours === null || theirs === null || !wanted.has(ours.address)) continue;
    flows.push({
      remoteAddress: theirs.address,
      remotePort: theirs.port,
      localAddress: ours.address,
      localPort: ours.port,
    });
  }
  return flows;
}

/** `5421A8C0:0050` is 192.168.33.84, port 80. */
function parseEnd(text: string): { readonly address: string; readonly port: number } | null {
  const [, hex, port] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex === undefined) return null;
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16)),
  );
  return { address: formatIpLiteral(Uint8Array.from(bytes)), port: Number.parseInt(port, 16) };
}
