const two = (value: number): string => String.fromCharCode(value >> 8, value & 0xff);

/** A TLS client's first message (RFC 8446 §4.1.2) that names a server, or none; a character for each byte. */
export function clientHello(serverName: string | null): string {
  const list = serverName === null ? "" : `\0${two(serverName.length)}${serverName}`;
  const extensions = serverName === null ? "" : `\0\0${two(list.length + 2)}${two(list.length)}${list}`;
  const versions = `\0\x2b${two(3)}\x02\x03\x04`;
  const all = `${versions}${extensions}`;
  const hello = `\x03\x03${"r".repeat(32)}\0${two(2)}\x13\x01\x01\0${two(all.length)}${all}`;
  const message = `\x01\0${two(hello.length)}${hello}`;
  return `\x16\x03\x01${two(message.length)}${message}`;
}
