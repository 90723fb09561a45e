import { formatIpLiteral, normalizeIpLiteral, parseIpLiteral } from "../netlink/ip-literal.js";
import type { Flow } from "./rules.js";

/** include/net/tcp_states.h, as /proc/net/tcp has them. */
const timeWait = "06";
const close = "07";
const listen = "0A";

/**
 * The TCP connections to one of `addresses` of which this node still has something to say, from the text of
 * /proc/net/tcp or tcp6 (proc(5)): addresses are 32-bit words in the byte order of the machine, which is little-endian on
 * all that Tandem runs on.
 *
 * Listening sockets are none, and neither is what waits in TIME_WAIT: both sides have all there was to say. A busy node has
 * tens of thousands of those, and nft would take seconds for them.
 */
export function parseFlows(text: string, addresses: readonly string[]): Flow[] {
  const wanted = new Map(addresses.map((address) => [hexOf(address), normalizeIpLiteral(address)]));
  const flows: Flow[] = [];
  for (const [, local, localPort, remote, remotePort, state] of text.matchAll(socketLine)) {
    if (state === timeWait || state === close || state === listen) continue;
    const localAddress = wanted.get(local);
    if (localAddress === undefined) continue;
    flows.push({
      remoteAddress: formatIpLiteral(bytesOf(remote)),
      remotePort: Number.parseInt(remotePort, 16),
      localAddress,
      localPort: Number.parseInt(localPort, 16),
    });
  }
  return flows;
}

/** `  0: 5421A8C0:0050 0A21A8C0:9C40 01 …` is 192.168.33.84, port 80, to 192.168.33.10, port 40000, established. */
const socketLine =
  /^ *\d+: ((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4}) ((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4}) ([0-9A-F]{2}) /gm;

function bytesOf(hex: string): Uint8Array {
  const words = hex.match(/.{8}/g) ?? [];
  return Uint8Array.from(words.flatMap((word) => [...Buffer.from(word, "hex")].reverse()));
}

function hexOf(address: string): string {
  const bytes = parseIpLiteral(address) ?? new Uint8Array(0);
  let hex = "";
  for (let at = 0; at < bytes.length; at += 4) {
    hex += Buffer.from(bytes.slice(at, at + 4).reverse()).toString("hex");
  }
  return hex.toUpperCase();
}
