/**
 * The Huffman code of HPACK (RFC 7541 §5.2, appendix B), which is canonical: the lengths say it all. Pure.
 *
 * Reading goes by half bytes through a table of states: a state is a place in the code's tree. No code is shorter than
 * five bits, so that half a byte ends at most one.
 */

/** Bits of each symbol's code, the bytes in their order and then EOS: a digit of base 36 each. */
const lengths =
  "dnsssssssoussusssssssusssssssss" +
  "s6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6" +
  "f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnno" +
  "mlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrr" +
  "koklmllnmmppooqnqrqqrrrrrsrrrrrq" +
  "u";

const symbols = 257;
const eos = 256;
/** Longest padding behind the last symbol, in bits (§5.2). */
const mostPadding = 7;

const codeBits = new Uint8Array(symbols);
const codes = new Uint32Array(symbols);

/** Where half a byte leads: `next[state << 4 | half]`; −1: to no symbol. */
const next: Int16Array = new Int16Array(256 << 4);
/** The symbol that it ends; −1: none. */
const emitted: Int16Array = new Int16Array(256 << 4).fill(-1);
/** A string may end in this state: since the last symbol at most seven bits came, all of them 1. */
const mayEnd = new Uint8Array(256);

build();

function build(): void {
  for (let symbol = 0; symbol < symbols; symbol++)
    codeBits[symbol] = Number.parseInt(lengths[symbol] ?? "", 36);
  // Canonical: shorter codes first, those of one length in the order of their symbols.
  const order = Array.from({ length: symbols }, (_, symbol) => symbol);
  order.sort((a, b) => codeBits[a] - codeBits[b] || a - b);
  let code = 0;
  let bits = 0;
  for (const symbol of order) {
    code = code * 2 ** (codeBits[symbol] - bits);
    bits = codeBits[symbol];
    codes[symbol] = code++;
  }
  buildStates();
}

/** The tree's inner nodes are the states: node 0 is the root, a leaf is −1 − its symbol. */
function buildStates(): void {
  const tree: [number, number][] = [[0, 0]];
  const ones = [0];
  for (let symbol = 0; symbol < symbols; symbol++) {
    let node = 0;
    for (let bit = codeBits[symbol] - 1; bit >= 0; bit--) {
      const branch = ((codes[symbol] >>> bit) & 1) as 0 | 1;
      if (bit === 0) tree[node][branch] = -1 - symbol;
      else if (tree[node][branch] === 0) {
        tree.push([0, 0]);
        ones.push(branch === 1 && ones[node] >= 0 ? ones[node] + 1 : -1);
        tree[node][branch] = tree.length - 1;
        node = tree.length - 1;
      } else node = tree[node][branch];
    }
  }
  for (let state = 0; state < tree.length; state++) {
    mayEnd[state] = ones[state] >= 0 && ones[state] <= mostPadding ? 1 : 0;
    for (let half = 0; half < 16; half++) {
      let node = state;
      for (let bit = 3; bit >= 0 && node >= 0; bit--) {
        node = tree[node][((half >> bit) & 1) as 0 | 1];
        if (node >= 0) continue;
        const symbol = -1 - node;
        // EOS inside of a string is an error (§5.2).
        node = symbol === eos ? -1 : 0;
        if (symbol !== eos) emitted[(state << 4) | half] = symbol;
      }
      next[(state << 4) | half] = node;
    }
  }
}

/** Most bytes that `length` encoded ones can become. */
export const decodedBound = (length: number): number => Math.ceil((length * 8) / 5);

/** Decodes `bytes[start, end)` into `out` at `at`; returns the offset after it, or −1: it is not of this code. */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  let state = 0;
  let to = at;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    const high = (state << 4) | (byte >> 4);
    if (emitted[high] >= 0) out[to++] = emitted[high];
    if (next[high] < 0) return -1;
    const low = (next[high] << 4) | (byte & 15);
    if (emitted[low] >= 0) out[to++] = emitted[low];
    if (next[low] < 0) return -1;
    state = next[low];
  }
  return mayEnd[state] === 1 ? to : -1;
}

/** How many bytes `bytes[start, end)` are in this code. */
export function huffmanLength(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let i = start; i < end; i++) bits += codeBits[bytes[i]];
  return (bits + 7) >> 3;
}

/** Encodes `bytes[start, end)` into `out` at `at`; returns the offset after it. */
export function encodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  let to = at;
  /** Bits that are not written yet, at most seven between two symbols. */
  let held = 0;
  let count = 0;
  for (let i = start; i < end; i++) {
    let bits = codeBits[bytes[i]];
    const code = codes[bytes[i]];
    while (bits > 0) {
      const taken = Math.min(bits, 8 - count);
      bits -= taken;
      held = (held << taken) | ((code >>> bits) & ((1 << taken) - 1));
      count += taken;
      if (count < 8) continue;
      out[to++] = held;
      held = 0;
      count = 0;
    }
  }
  if (count > 0) out[to++] = (held << (8 - count)) | ((1 << (8 - count)) - 1);
  return to;
}
