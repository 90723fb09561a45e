import { describeEndpoint, isWildcard, parseListenRange } from "./address.js";
import type { BindShape, BindTlsShape } from "./bind-schema.js";
import type { ListenAddress } from "./config.js";
import { type Context, each } from "./context.js";
import { quote } from "./problem.js";
import type { Path } from "./source.js";
import type { BindTlsConfig, ClientVerification } from "./tls-config.js";

/** What requests can be read from. */
const spokenProtocols: readonly string[] = ["h2", "http/1.1"];

/** An address that a proxy listens on, to see that no two want the same. */
export interface Taken extends ListenAddress {
  readonly owner: string;
}

/** Reads `bind:` of the proxy `name` at `path`: an address, a mapping with one, or a list of both. */
export function readBind(
  path: Path,
  name: string,
  value: BindShape | undefined,
  mode: "http" | "tcp",
  taken: Taken[],
  context: Context,
): ListenAddress[] {
  const listen: ListenAddress[] = [];
  const entries: [Path, Exclude<BindShape, readonly unknown[]>][] =
    value === undefined
      ? []
      : Array.isArray(value)
        ? value.map((entry, i) => [[...path, String(i)], entry])
        : [[path, value]];
  if (entries.length === 0) {
    context.missing(
      path,
      `${name} has no bind`,
      "add where the clients come in, such as bind: 192.168.33.84:80",
    );
  }
  for (const [at, entry] of entries) {
    const [addressPath, address] =
      typeof entry === "string" ? [at, entry] : [[...at, "address"], entry.address];
    const words = typeof entry === "string" ? {} : readWords(at, entry, mode, context);
    if (address === undefined)
      context.missing(addressPath, "this bind has no address", "add one, such as address: 192.168.33.84:80");
    for (const [place, text] of each(addressPath, address))
      listen.push(...readAddress(place, text, name, words, taken, context));
  }
  return listen;
}

/** What else a bind says of its clients. */
type BindWords = Omit<ListenAddress, "address" | "port">;

function readWords(
  path: Path,
  entry: Exclude<BindShape, string | readonly unknown[]>,
  mode: "http" | "tcp",
  context: Context,
): BindWords {
  return {
    ...(entry.accept_proxy === true && { acceptProxy: true as const }),
    ...(entry.tls !== undefined && { tls: readTls([...path, "tls"], entry.tls, mode, context) }),
  };
}

function readTls(path: Path, shape: BindTlsShape, mode: "http" | "tcp", context: Context): BindTlsConfig {
  const crt = each([...path, "crt"], shape.crt);
  if (crt.length === 0)
    context.missing([...path, "crt"], "tls has no crt", "add a PEM file, such as crt: /etc/lb/site.pem");
  for (const [at, file] of crt) {
    if (!file.startsWith("/"))
      context.problem(at, `${quote(file)} is no absolute path`, "write where it is from / on");
  }
  const alpn = each([...path, "alpn"], shape.alpn);
  for (const [at, protocol] of alpn) {
    if (!/^[!-~]{1,255}$/.test(protocol))
      context.problem(at, `${quote(protocol)} is no protocol's name`, "write, for example, h2");
    else if (mode === "http" && !spokenProtocols.includes(protocol))
      context.problem(
        at,
        `${protocol} is not spoken here`,
        `write ${spokenProtocols.join(" or ")}, or leave it out`,
      );
  }
  return {
    crt: crt.map(([, file]) => file),
    ...(alpn.length > 0 && { alpn: alpn.map(([, protocol]) => protocol) }),
    ...(shape.min_version === "TLSv1.3" && { minVersion: shape.min_version }),
    ...(shape.ciphers !== undefined && { ciphers: shape.ciphers }),
    ...readClients(path, shape, context),
    ...(shape.strict_sni === true && { strictSni: true as const }),
  };
}

function readClients(path: Path, shape: BindTlsShape, context: Context): Pick<BindTlsConfig, "clients"> {
  const { verify = "none", ca_file: caFile, crl_file: crlFile } = shape;
  for (const word of ["ca_file", "crl_file"] as const) {
    const file = shape[word];
    if (file === undefined) continue;
    if (!file.startsWith("/"))
      context.problem([...path, word], `${quote(file)} is no absolute path`, "write where it is from / on");
    if (verify === "none")
      context.warning(
        [...path, word],
        `${word} says nothing without verify`,
        "add verify: required or verify: optional",
        "key",
      );
  }
  if (verify === "none") return {};
  if (caFile === undefined) {
    context.missing(
      [...path, "ca_file"],
      `verify: ${verify} has no ca_file`,
      "add who signs the clients' certificates, such as ca_file: /etc/lb/clients-ca.pem",
    );
    return {};
  }
  return { clients: { verify, caFile, ...(crlFile !== undefined && { crlFile }) } };
}

function writeClients({ verify, caFile, crlFile }: ClientVerification): object {
  return { verify, ca_file: caFile, ...(crlFile !== undefined && { crl_file: crlFile }) };
}

function readAddress(
  path: Path,
  text: string,
  name: string,
  words: BindWords,
  taken: Taken[],
  context: Context,
): ListenAddress[] {
  const result = parseListenRange(text);
  if (!result.ok) {
    context.problem(path, result.message, result.advice);
    return [];
  }
  const clash = taken.find((other) => result.value.some((address) => overlaps(other, address)));
  if (clash !== undefined) {
    context.problem(
      path,
      `${text} is already taken by ${clash.owner}'s ${describeEndpoint(clash.address, clash.port)}`,
      "choose another port, or keep one of them",
    );
    return [];
  }
  const listen = result.value.map((address) => ({ ...address, ...words }));
  taken.push(...listen.map((address) => ({ ...address, owner: name })));
  return listen;
}

/** Whether the kernel would refuse the second of two listening addresses. */
export function overlaps(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port) return false;
  if (a.address.toLowerCase() === b.address.toLowerCase()) return true;
  const isSameFamily = a.address.includes(":") === b.address.includes(":");
  return isSameFamily && (isWildcard(a.address) || isWildcard(b.address));
}

/** Writes `bind:` as the file has it: an address that says nothing else in the short form. */
export function writeBind(listen: readonly ListenAddress[]): (string | object)[] {
  return listen.map(({ address, port, acceptProxy, tls }) => {
    const text = describeEndpoint(address, port);
    const words = {
      ...(acceptProxy === true && { accept_proxy: true }),
      ...(tls !== undefined && { tls: writeTls(tls) }),
    };
    return Object.keys(words).length === 0 ? text : { address: text, ...words };
  });
}

function writeTls({ crt, alpn, minVersion, ciphers, clients, strictSni }: BindTlsConfig): object {
  return {
    crt,
    ...(alpn !== undefined && { alpn }),
    ...(minVersion !== undefined && { min_version: minVersion }),
    ...(ciphers !== undefined && { ciphers }),
    ...(clients !== undefined && writeClients(clients)),
    ...(strictSni === true && { strict_sni: true }),
  };
}
