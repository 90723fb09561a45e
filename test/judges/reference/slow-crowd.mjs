/**
 * slow-crowd.mjs PORT COUNT head|body GAP_MS: so many clients that send a byte of their request every so often, spread evenly, and
 * come again when they are cut. A process of its own, so that it takes no time from those who measure. Says `here` when all are connected.
 */
import { connect } from "node:net";

const [port, count, kind, gapMs] = [process.argv[2], process.argv[3], process.argv[4], process.argv[5]];
const begins = {
  head: "GET /slow HTTP/1.1\r\nHost: site\r\nX-Slow: ",
  body: "POST /slow HTTP/1.1\r\nHost: site\r\nContent-Length: 100000\r\n\r\n",
}[kind];
let connected = 0;
const sockets = Array.from({ length: Number(count) }, () => null);

function come(i) {
  const socket = connect(Number(port), "127.0.0.1", () => {
    socket.write(begins);
    connected++;
    if (connected === sockets.length) process.stdout.write("here\n");
  });
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(() => come(i), 100));
  socket.resume();
  sockets[i] = socket;
}
for (let i = 0; i < sockets.length; i++) setTimeout(() => come(i), i / 2);

let next = 0;
const perTick = Math.max(1, Math.round((sockets.length * 10) / Number(gapMs)));
setInterval(() => {
  for (let i = 0; i < perTick; i++) {
    const socket = sockets[next++ % sockets.length];
    if (socket?.writable && !socket.connecting) socket.write("x");
  }
}, 10);
