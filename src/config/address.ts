import type { AdminConfig, ListenAddress } from "./config.js";
import { type Parsed, parsed, quote, refused } from "./problem.js";

/** Dotted quad, four decimal numbers without leading zeros. */
export function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 §2.2, without a zone. */
export function isIPv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [half, part] of halves.entries()) {
    if (part === "") continue;
    const words = part.split(":");
    for (const [i, word] of words.entries()) {
      const isLast = half === halves.length - 1 && i === words.length - 1;
      if (isLast && isIPv4(word)) groups += 2;
      else if (/^[0-9a-fA-F]{1,4}$/.test(word)) groups += 1;
      else return false;
    }
  }
  // "::" stands for at least one group of zeros.
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

export function isIP(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

/** Every address of its family. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Written so that it can be read back: `192.168.33.84:80`, `[::1]:80`. */
export function describeEndpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What this node listens on: `192.168.33.84:80`, `[fd00::1]:80`, `:80` and `*:80` (every IPv4 address). */
export function parseListen(text: string): Parsed<ListenAddress> {
  const endpoint = parseEndpoint(text, "192.168.33.84:80");
  if (!endpoint.ok) return endpoint;
  const { host, port } = endpoint.value;
  if (host === "" || host === "*") return parsed({ address: "0.0.0.0", port });
  if (isIP(host)) return parsed({ address: host, port });
  return refused(
    `${quote(host)} is not an IP address`,
    "listen on an address such as 192.168.33.84:80, or on :80 for every address",
  );
}

/** The most ports that one range may name: each is a socket in each thread. */
const mostPorts = 1024;

/** Like `parseListen`, or a range of ports as HAProxy has it: `*:8000-8009`. */
export function parseListenRange(text: string): Parsed<readonly ListenAddress[]> {
  const range = /^(.*:)(\d{1,5})-(\d{1,5})$/s.exec(text);
  if (range === null) {
    const one = parseListen(text);
    return one.ok ? parsed([one.value]) : one;
  }
  const [, host, first, last] = range;
  const count = Number(last) - Number(first) + 1;
  if (count < 1 || count > mostPorts) {
    return refused(
      `${first}-${last} is no range of at most ${mostPorts} ports`,
      "write the lower port first, such as *:8000-8009",
    );
  }
  const listen: ListenAddress[] = [];
  for (const port of [Number(first), Number(last)]) {
    const end = parseListen(`${host}${port}`);
    if (!end.ok) return end;
    if (listen.length === 0) {
      for (let i = 0; i < count; i++) listen.push({ ...end.value, port: port + i });
    }
  }
  return parsed(listen);
}

/** Where a server is reached: `192.168.33.68:80`, `[fd00::2]:80`, `web01.example:8080`. */
export function parseServerAddress(text: string): Parsed<{ readonly host: string; readonly port: number }> {
  const endpoint = parseEndpoint(text, "192.168.33.68:80");
  if (!endpoint.ok) return endpoint;
  const { host, port } = endpoint.value;
  if (host === "" || isWildcard(host)) {
    return refused(`${quote(text)} names no host`, "write the server's address, such as 192.168.33.68:80");
  }
  if (isIP(host)) return parsed({ host, port });
  // A name whose last label is a number would be a mistyped address (RFC 1123 §2.1).
  if (/^[\d.]+$/.test(host)) {
    return refused(
      `${host} is not an IPv4 address`,
      "write four numbers from 0 to 255, such as 192.168.33.68",
    );
  }
  if (
    host.length <= 253 &&
    host.split(".").every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label))
  ) {
    return parsed({ host, port });
  }
  return refused(`${quote(host)} is neither an address nor a host name`, "write, for example, web01:8080");
}

/** Where the admin server listens: an address, or an interface whose own first IPv4 address is meant (`eth1:80`). */
export function parseAdminListen(text: string): Parsed<AdminConfig["listen"]> {
  const endpoint = parseEndpoint(text, "eth1:80");
  if (!endpoint.ok) return endpoint;
  const { host, port } = endpoint.value;
  if (host === "" || host === "*") return parsed({ kind: "address", address: "0.0.0.0", port });
  if (isIP(host)) return parsed({ kind: "address", address: host, port });
  if (/^[\d.]+$/.test(host)) {
    return refused(
      `${host} is not an IPv4 address`,
      "write four numbers from 0 to 255, or an interface's name",
    );
  }
  const name = parseInterface(host);
  return name.ok ? parsed({ kind: "interface", interface: name.value, port }) : name;
}

/** A network interface's name: up to 15 characters (IFNAMSIZ − 1), no space and no slash. */
export function parseInterface(text: string): Parsed<string> {
  if (/^[^\s/:\0]{1,15}$/.test(text) && text !== "." && text !== "..") return parsed(text);
  return refused(
    `${quote(text)} is not a name that an interface can have`,
    "write a name that `ip link` shows, at most 15 characters",
  );
}

function parseEndpoint(
  text: string,
  example: string,
): Parsed<{ readonly host: string; readonly port: number }> {
  const match = /^(?:\[([^\]]*)\]|([^[\]]*)):(\d{1,9})$/.exec(text);
  if (match === null) {
    return refused(`${quote(text)} has no port`, `write address:port, such as ${example}`);
  }
  const bracketed = match[1];
  const host = bracketed ?? match[2];
  const port = Number(match[3]);
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    return refused(
      `[${bracketed}] is not an IPv6 address`,
      "brackets hold an IPv6 address, such as [fd00::1]:80",
    );
  }
  if (bracketed === undefined && host.includes(":")) {
    return refused(`${quote(text)} is ambiguous`, `put the IPv6 address in brackets, such as [fd00::1]:80`);
  }
  if (port < 1 || port > 65535) return refused(`port ${match[3]} is out of range`, "choose 1 to 65535");
  return parsed({ host, port });
}
