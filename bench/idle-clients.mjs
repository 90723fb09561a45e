// Clients that ask once, check their answer, and then keep the connection: idle-clients.mjs PORT COUNT PATH BODY_BYTES
//
// Prints `idle` when all of them have their answer, then waits to be killed. Any fault ends it with exit code 1.
import { connect } from "node:net";

const [port, count, path, bodyBytes] = [process.argv[2], process.argv[3], process.argv[4], process.argv[5]];
const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
/** So many may wait for their answer at once. */
const inFlight = 50;

let started = 0;
let answered = 0;
const sockets = [];

function fail(why) {
  console.log(`client failed: ${why}`);
  process.exit(1);
}

function startOne() {
  if (started === Number(count)) return;
  started += 1;
  let answer = "";
  const socket = connect(Number(port), "127.0.0.1", () => socket.write(request));
  sockets.push(socket);
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    answer += chunk;
    const headEnd = answer.indexOf("\r\n\r\n");
    if (headEnd < 0 || answer.length < headEnd + 4 + Number(bodyBytes)) return;
    if (!answer.startsWith("HTTP/1.1 200 ") || answer.length > headEnd + 4 + Number(bodyBytes))
      fail(`wrong answer: ${answer.slice(0, 200)}`);
    answer = "";
    answered += 1;
    if (answered === Number(count)) console.log("idle");
    else startOne();
  });
  socket.on("error", (error) => fail(error.code));
  socket.on("close", () => fail("closed by the proxy"));
}

for (let i = 0; i < inFlight; i += 1) startOne();
