// A client with bad manners: rude-client.mjs ADDRESS REQUESTS SEED [polite]
//
// 50 connections at a time. Half of the requests are asked and read properly, the rest broken off in every way a
// client can; "polite" breaks off none. Prints how many were asked, and what went wrong with the proper ones.
import { connect } from "node:net";

const [address, requestsText, seedText, manners] = process.argv.slice(2);
const requests = Number(requestsText);
const wrong = {};
let asked = 0;

/** A small generator (mulberry32), so that a run can be repeated. */
let state = Number(seedText);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}

function get(path, connection) {
  return `GET ${path} HTTP/1.1\r\nHost: ${address}\r\nConnection: ${connection}\r\n\r\n`;
}

/** Each opens a connection and resolves when it is over. A string says what went wrong. */
const proper = [
  // One request.
  () => ask([get("/", "close")], 1),
  // Three on one connection, one after the other in one packet.
  () => ask([get("/", "keep-alive") + get("/", "keep-alive") + get("/", "close")], 3),
  // A head in two pieces.
  () => ask([get("/", "close").slice(0, 9), get("/", "close").slice(9)], 1),
];
const rude = [
  // Nothing at all.
  () => breakOff([], 0, "end"),
  // Half a head.
  () => breakOff([get("/", "close").slice(0, 20)], 0, "destroy"),
  // Asks, and does not wait.
  () => breakOff([get("/", "close")], 0, "destroy"),
  () => breakOff([get("/big", "close")], 0, "reset"),
  // Takes the first bytes of a large answer.
  () => breakOff([get("/big", "keep-alive")], 1, "destroy"),
  () => breakOff([get("/big", "keep-alive")], 1, "reset"),
  () => breakOff([get("/big", "close")], 1, "end"),
  // Half an upload.
  () =>
    breakOff(
      [`PUT /broken-off HTTP/1.1\r\nHost: ${address}\r\nContent-Length: 100000\r\n\r\n${"x".repeat(5000)}`],
      0,
      "destroy",
    ),
  () =>
    breakOff(
      [
        `PUT /broken-off HTTP/1.1\r\nHost: ${address}\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n${"x".repeat(50)}`,
      ],
      0,
      "reset",
    ),
  // No HTTP.
  () => breakOff(["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"], 1, "destroy"),
];

function open(pieces, socket) {
  pieces.forEach((piece, index) => {
    if (index === 0) socket.write(piece, "latin1");
    else setTimeout(() => socket.writable && socket.write(piece, "latin1"), 5 * index);
  });
}

/** Resolves with null when `answers` answers of status 200 came and the connection ended. */
function ask(pieces, answers) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 80, noDelay: true });
    let bytes = "";
    socket.setEncoding("latin1");
    socket.setTimeout(10_000, () =>
      socket.destroy(Object.assign(new Error(), { code: "no answer within 10 s" })),
    );
    socket.on("connect", () => open(pieces, socket));
    socket.on("data", (chunk) => {
      bytes += chunk;
    });
    let error = null;
    socket.on("error", (cause) => {
      error = cause.code;
    });
    socket.on("close", () => {
      const statuses = [...bytes.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((found) => found[1]);
      const good = statuses.length === answers && statuses.every((status) => status === "200");
      if (good && error === null) resolve(null);
      else resolve(`${error ?? "closed"}, ${answers} asked, answers: ${statuses.join(" ") || "none"}`);
    });
  });
}

/** Ends the connection after so many chunks of an answer; what comes back is of no interest. */
function breakOff(pieces, chunks, how) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 80, noDelay: true });
    const leave = () => {
      if (how === "end") socket.end();
      else if (how === "reset") socket.resetAndDestroy();
      else socket.destroy();
    };
    let left = chunks;
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on("connect", () => {
      open(pieces, socket);
      if (chunks === 0) setTimeout(leave, Math.floor(random() * 5));
    });
    socket.on("data", () => {
      left -= 1;
      if (left === 0) leave();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(null));
  });
}

async function work() {
  while (asked < requests) {
    asked += 1;
    const kinds = manners === "polite" || random() < 0.5 ? proper : rude;
    const problem = await kinds[Math.floor(random() * kinds.length)]();
    if (problem !== null) wrong[problem] = (wrong[problem] ?? 0) + 1;
  }
}

await Promise.all(Array.from({ length: 50 }, work));
console.log(JSON.stringify({ asked, wrong }));
