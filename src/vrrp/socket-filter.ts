/**
 * Classic BPF programs for raw sockets (Documentation/networking/filter.rst), as `struct sock_filter` bytes: code (2)
 * jump if true (1) jump if false (1) constant (4), in the byte order of the machine. The returned number is how many
 * bytes of the packet the socket gets; 0: none.
 */
interface Instruction {
  readonly code: number;
  /** Instructions to skip if the comparison holds, and if it does not. */
  readonly jumpTrue?: number;
  readonly jumpFalse?: number;
  readonly constant: number;
}

const loadByte = 0x30;
const loadByteIndirect = 0x50;
/** X = 4 × the low four bits of a byte: the length of an IPv4 header. */
const loadHeaderLength = 0xb1;
const jumpIfEqual = 0x15;
const give = 0x06;

/** SKF_NET_OFF: offsets from there count from the IP header, wherever the socket's data begins. */
const networkHeader = 0xfff0_0000;
const everything = 0xffff;

/** So many bytes are left of a message whose hop limit is wrong: fewer than any message has, enough for its VRID. */
export const wrongHopLimitBytes = 4;

const ipv6HopLimit = 7;
const ipv6Destination = 24;

/**
 * IPv6: a multicast message keeps all of its bytes if its hop limit is 255 and `wrongHopLimitBytes` otherwise, so that
 * the drop can be counted. Between unicast peers the hop limit is not looked at.
 */
export const hopLimitFilter = assemble([
  { code: loadByte, constant: networkHeader + ipv6Destination },
  { code: jumpIfEqual, constant: 0xff, jumpTrue: 0, jumpFalse: 2 },
  { code: loadByte, constant: networkHeader + ipv6HopLimit },
  { code: jumpIfEqual, constant: 255, jumpTrue: 0, jumpFalse: 1 },
  { code: give, constant: everything },
  { code: give, constant: wrongHopLimitBytes },
]);

/** IPv4, protocol 51: of the authentication headers, those in front of a VRRP message, and not all of a host's IPsec. */
export const vrrpBehindAuthenticationHeaderFilter = assemble([
  { code: loadHeaderLength, constant: 0 },
  { code: loadByteIndirect, constant: 0 },
  { code: jumpIfEqual, constant: 112, jumpTrue: 0, jumpFalse: 1 },
  { code: give, constant: everything },
  { code: give, constant: 0 },
]);

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const codes = new Uint16Array(bytes.buffer);
  const constants = new Uint32Array(bytes.buffer);
  program.forEach(({ code, jumpTrue = 0, jumpFalse = 0, constant }, index) => {
    codes[index * 4] = code;
    bytes[index * 8 + 2] = jumpTrue;
    bytes[index * 8 + 3] = jumpFalse;
    constants[index * 2 + 1] = constant;
  });
  return bytes;
}
