/**
 * Where Tandem does something else than HAProxy 2.6, and why. A scenario that shows a difference names one of these and
 * says exactly what Tandem does; anything else that differs is a fault. `row`: the first cell of the line in the table "What
 * answers differ" of docs/from-haproxy.md that tells users of it; null: nobody's answer is another one.
 */
export interface Difference {
  readonly why: string;
  readonly row: string | null;
}

const list = {
  "strict-syntax": {
    why: "what parsers read in different ways is how requests are smuggled, so it is refused",
    row: "bare LF, no Host in HTTP/1.1, control bytes in fields, a field over several lines",
  },
  "one-length": {
    why: "two statements about a body's length are refused even where they agree",
    row: "Content-Length twice, or beside Transfer-Encoding",
  },
  "unknown-version": {
    why: "another major version frames its messages otherwise; it is named with 505, or not believed",
    row: "HTTP/2.0 in a first line, a status below 100 or above 599",
  },
  "unknown-coding": {
    why: "RFC 9112 §6.1 has 501 for a transfer coding that is not understood",
    row: "a transfer coding other than chunked",
  },
  "own-version": {
    why: "a proxy speaks its own version on each side (RFC 9112 §2.3), and chunks are nothing for HTTP/1.0",
    row: "a client or a server that speaks HTTP/1.0",
  },
  "origin-form": {
    why: "what a server gets is a path and Host (RFC 9112 §3.2.1), and it need not know the other form",
    row: "an absolute target",
  },
  "hop-by-hop": {
    why: "fields about one connection end there (RFC 9110 §7.6.1)",
    row: "fields named in Connection, Keep-Alive, Proxy-Connection, Proxy-Authorization, TE, an Upgrade that nobody asked for",
  },
  "large-head": { why: "the status says what was too large (RFC 6585 §5)", row: "a head that is too large" },
  "early-answer": {
    why: "the client is told that the connection ends, and need not send the rest; the exchange was whole",
    row: "a server that answers before the request's body is there",
  },
  "retry-at-once": {
    why: "another server is asked at once, not the same one a second later",
    row: "every connection refused",
  },
  "client-late": {
    why: "it is the client that did not go on, and it is told so",
    row: "a client that stops in its body",
  },
  "client-gone": {
    why: "a reset is heard at once, and the server is not kept busy for nobody",
    row: null,
  },
  "nothing-asked": {
    why: "who asked nothing gets no answer; the log has the same line",
    row: "a client that goes without having asked",
  },
  replay: {
    why: "a request that may be sent twice, of which the client has seen nothing, is worth another server's try (RFC 9110 §9.2.2)",
    row: "a server that is killed with an idempotent request before it answered",
  },
  "safe-replay": {
    why: "a request that is not idempotent is never sent twice (RFC 9110 §9.2.2); the client learns that it is not known",
    row: "a POST whose server closes without an answer, with retry-on empty-response",
  },
  "other-server": {
    why: "a retry goes to a server that has not had the request; HAProxy may come back to the first",
    row: "a second retry",
  },
  "backup-at-once": {
    why: "a backup that is there is worth more than a 503",
    row: "the only server that is no backup refuses",
  },
  charset: {
    why: "RFC 7617 §2.1: without it browsers guess how a password is encoded",
    row: "401 of a rule",
  },
  "retry-after": { why: "who is refused learns for how long (RFC 6585 §4)", row: "429 of a rate limit" },
  "header-in-pieces": {
    why: "TCP keeps no borders: a header is whole when its last byte has come",
    row: "a PROXY header of version 1 in pieces",
  },
  "address-range": {
    why: "192.0.2.700 is no address, and who takes it for 192.0.4.188 logs and trusts somebody else",
    row: "a PROXY header with an address that is none, such as 192.0.2.700",
  },
  "refused-header": {
    why: "a connection that is refused before HTTP is one of the frontend's all the same",
    row: null,
  },
  "cut-stream": {
    why: "a response that was cut must not look whole: the code says whose fault it was (RFC 9113 §8.1, §7)",
    row: "HTTP/2: a response whose server broke off in chunks, or reset a connection that was its end",
  },
  queued: { why: "a request that waited for a server has been balanced too, so lbtot counts it", row: null },
  attempts: {
    why: "each attempt that failed is counted at its server, whoever served the request then: a bad server shows",
    row: null,
  },
  "no-server": {
    why: "no server was tried, so none failed: the sums over the servers are the backend's",
    row: null,
  },
  "disabled-agent": {
    why: "who is told not to listen to an agent does not go on doing what it said",
    row: "an agent that is disabled after it has taken its server down",
  },
  "servers-stay": { why: "a connection to a server is every client's, and does not end with one", row: null },
  interim: {
    why: "1xx are counted where they pass, in the sides' rows as in the server's, so that the sums agree",
    row: null,
  },
  unheard: { why: "an answer that no client got is not counted as one", row: null },
  unsent: { why: "bytes that no server got are none of the backend's: its servers' add up to it", row: null },
  stalled: { why: "eresp includes srv_abrt, as the manual says, whatever ended the body", row: null },
  "no-request": {
    why: "a connection on which nothing came opened no stream for HAProxy, but is a request in req_tot",
    row: null,
  },
  "broken-chunk": {
    why: "a body whose framing is broken is what ends it, PR in a request and PD in an answer",
    row: null,
  },
  checks: { why: "HAProxy counts what its checks open among the backend's connections", row: null },
  hash: { why: "another hash function: which server a key has is another one, for good", row: null },
  chance: { why: "it is left to chance", row: null },
  "long-line": { why: "a line of the log is not cut at 1024 bytes", row: null },
  "error-text": { why: "last_chk tells in its own words how many errors there were", row: null },
  "named-algorithm": { why: "show stat has a name for random", row: null },
} as const satisfies Readonly<Record<string, Difference>>;

export type DifferenceName = keyof typeof list;
export const differences: Readonly<Record<DifferenceName, Difference>> = list;
