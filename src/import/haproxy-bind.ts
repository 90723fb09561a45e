/** The words of HAProxy's `bind` behind its addresses, as those of a `bind:` here. Pure. */
export interface BindWords {
  /** Beside `address`; empty: an address alone says it. */
  readonly words: ReadonlyMap<string, unknown>;
  /** Words that change nothing here. */
  readonly left: readonly string[];
  /** A word without which the clients would not be understood; null: none. */
  readonly missing: string | null;
}

const needlessFlags = [
  "transparent",
  "defer-accept",
  "tfo",
  "v4v6",
  "v6only",
  "no-sslv3",
  "no-tlsv10",
  "no-tlsv11",
  "no-alpn",
];
const needlessWords = ["name", "process", "thread", "id", "backlog", "maxconn", "nice", "tcp-ut"];
/** HTTP that is not spoken here: old configurations name it. */
const unspoken = /^(?:spdy\/.*|h2-.*|h2c|h3|http\/(?:0\.9|1\.0))$/;
/** HAProxy's words for TLS that there are, by ours. */
const tlsWords: Readonly<Record<string, string>> = {
  crt: "crt",
  alpn: "alpn",
  "ssl-min-ver": "min_version",
  ciphers: "ciphers",
  verify: "verify",
  "ca-file": "ca_file",
  "crl-file": "crl_file",
};

export function readBindWords(parameters: readonly string[]): BindWords {
  const words = new Map<string, unknown>();
  const tls = new Map<string, unknown>();
  const left: string[] = [];
  let missing: string | null = null;
  let isTls = false;
  for (let i = 0; i < parameters.length; i++) {
    const word = parameters[i];
    if (word === "accept-proxy") words.set("accept_proxy", true);
    else if (word === "ssl") isTls = true;
    else if (word === "strict-sni") tls.set("strict_sni", true);
    else if (Object.hasOwn(tlsWords, word)) {
      const value = parameters[++i] ?? "";
      const present = tls.get(tlsWords[word]);
      if (word === "crt") tls.set("crt", [...(Array.isArray(present) ? present : []), value]);
      else if (word === "alpn") {
        const offered = value.split(",");
        const kept = offered.filter((protocol) => !unspoken.test(protocol));
        for (const protocol of offered) if (!kept.includes(protocol)) left.push(`alpn ${protocol}`);
        if (kept.length > 0) tls.set("alpn", kept);
      } else tls.set(tlsWords[word], value);
    } else if (needlessFlags.includes(word)) continue;
    else if (needlessWords.includes(word)) {
      left.push(word);
      i++;
    } else missing ??= word;
  }
  if (isTls) words.set("tls", tls);
  return { words, left, missing };
}

/** `*:80`, `:80`, `:::80`, `10.0.0.1:80`, `ipv4@…`; null: no address of a proxy. */
export function listenAddress(text: string): string | null {
  const plain = text.replace(/^(ipv4|ipv6)@/, "");
  if (/^[a-z]+@|^\//.test(plain)) return null;
  const match = /^(.*):(\d+(?:-\d+)?)$/.exec(plain);
  if (match === null) return null;
  const [, host, ports] = match;
  if (host === "" || host === "*" || host === "0.0.0.0") return `*:${ports}`;
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${ports}` : `${host}:${ports}`;
}
