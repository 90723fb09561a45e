// A client that never stops asking: probe-client.mjs ADDRESS EVERY_MS TIMEOUT_MS [long]
//
// Two streams of GET / at one every EVERY_MS: "new", each request on a connection of its own, as curl does; and
// "kept", one request after the other on one connection, as a browser does. With the word long a third one: "long",
// an upgraded connection that stays open, on which a line is sent and its echo awaited, as WebSockets do. Prints for every request one JSON
// array: [stream, startMs, endMs, good, text], times by CLOCK_MONOTONIC, text = the page or what went wrong.
import { connect } from "node:net";

const [address, everyText, timeoutText, longText] = process.argv.slice(2);
const authority = address.includes(":") ? `[${address}]` : address;
const everyMs = Number(everyText);
const timeoutMs = Number(timeoutText);
/** A bound on what can pile up while nobody answers. */
const maxOpen = Math.ceil(timeoutMs / everyMs) + 10;

const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
const results = [];
let open = 0;

function report(stream, startMs, good, text) {
  results.push(JSON.stringify([stream, startMs, nowMs(), good, text]));
}

/** Reads one answer with a Content-Length; gives its body, or null while it is incomplete. */
function readAnswer(bytes) {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const head = bytes.slice(0, headEnd);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const body = bytes.slice(headEnd + 4);
  if (body.length < length) return null;
  return { status: Number(head.slice(9, 12)), body, close: /\r\nconnection: *close/i.test(head) };
}

function request(connection) {
  return `GET / HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: tandem-probe\r\nConnection: ${connection}\r\n\r\n`;
}

function askOnNewConnection() {
  if (open >= maxOpen) return;
  open += 1;
  const startMs = nowMs();
  const socket = connect({ host: address, port: 80, noDelay: true });
  let bytes = "";
  let over = false;
  const end = (good, text) => {
    if (over) return;
    over = true;
    open -= 1;
    clearTimeout(timer);
    socket.destroy();
    report("new", startMs, good, text);
  };
  const timer = setTimeout(() => end(false, "timeout"), timeoutMs);
  socket.setEncoding("latin1");
  socket.on("connect", () => socket.write(request("close")));
  socket.on("data", (chunk) => {
    bytes += chunk;
    const answer = readAnswer(bytes);
    if (answer !== null) end(answer.status === 200, answer.status === 200 ? answer.body : `${answer.status}`);
  });
  socket.on("error", (error) => end(false, error.code));
  socket.on("close", () => end(false, "closed without an answer"));
}

let kept = null;

function askOnKeptConnection() {
  if (kept?.busy) return;
  kept ??= openKept();
  const stream = kept;
  stream.busy = true;
  stream.startMs = nowMs();
  stream.bytes = "";
  stream.timer = setTimeout(() => stream.fail("timeout"), timeoutMs);
  stream.socket.write(request("keep-alive"));
}

function openKept() {
  const socket = connect({ host: address, port: 80, noDelay: true });
  const stream = { socket, busy: false, startMs: 0, bytes: "", timer: undefined, fail: () => {} };
  const forget = () => {
    clearTimeout(stream.timer);
    socket.destroy();
    if (kept === stream) kept = null;
  };
  stream.fail = (text) => {
    if (kept === stream && stream.busy) report("kept", stream.startMs, false, text);
    stream.busy = false;
    forget();
  };
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    stream.bytes += chunk;
    const answer = readAnswer(stream.bytes);
    if (answer === null || !stream.busy) return;
    clearTimeout(stream.timer);
    stream.busy = false;
    const good = answer.status === 200;
    report("kept", stream.startMs, good, good ? answer.body : `${answer.status}`);
    // The server said that this was the last one.
    if (answer.close) forget();
  });
  socket.on("error", (error) => stream.fail(error.code));
  socket.on("close", () => stream.fail("closed without an answer"));
  return stream;
}

let long = null;

function askOnLongConnection() {
  if (long?.busy) return;
  long ??= openLong();
  const stream = long;
  stream.busy = true;
  stream.startMs = nowMs();
  stream.timer = setTimeout(() => stream.fail("timeout"), timeoutMs);
  if (stream.upgraded) stream.socket.write(`${stream.startMs}\n`);
}

function openLong() {
  const socket = connect({ host: address, port: 80, noDelay: true });
  const stream = { socket, busy: false, upgraded: false, startMs: 0, timer: undefined, fail: () => {} };
  let bytes = "";
  stream.fail = (text) => {
    clearTimeout(stream.timer);
    socket.destroy();
    if (long !== stream) return;
    report("long", stream.busy ? stream.startMs : nowMs(), false, text);
    long = null;
  };
  socket.setEncoding("latin1");
  socket.write(`GET /echo HTTP/1.1\r\nHost: ${authority}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
  socket.on("data", (chunk) => {
    bytes += chunk;
    if (!stream.upgraded) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!bytes.startsWith("HTTP/1.1 101")) return stream.fail(bytes.slice(9, 12));
      stream.upgraded = true;
      bytes = bytes.slice(end + 4);
      socket.write(`${stream.startMs}\n`);
    }
    if (!bytes.endsWith("\n") || !stream.busy) return;
    const good = bytes === `${stream.startMs}\n`;
    bytes = "";
    if (!good) return stream.fail("another echo");
    clearTimeout(stream.timer);
    stream.busy = false;
    report("long", stream.startMs, true, "echo");
  });
  socket.on("error", (error) => stream.fail(error.code));
  socket.on("close", () => stream.fail("closed"));
  return stream;
}

setInterval(askOnNewConnection, everyMs);
if (longText === "long") setInterval(askOnLongConnection, everyMs);
setTimeout(() => setInterval(askOnKeptConnection, everyMs), everyMs / 2);
setInterval(() => {
  if (results.length > 0) process.stdout.write(`${results.splice(0).join("\n")}\n`);
}, 25);
