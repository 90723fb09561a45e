// An HTTP server in place of nginx: small-backend.mjs PORT TEXT answers every request with TEXT, and an upgrade by
// echoing what comes, as a WebSocket server does. GET /long takes its time: a numbered line every 50 ms, 300 of them.
import { createServer } from "node:http";

const [port, text] = process.argv.slice(2);
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  if (request.url === "/long") {
    let line = 0;
    const timer = setInterval(() => {
      response.write(`${++line}\n`);
      if (line < 300) return;
      clearInterval(timer);
      response.end();
    }, 50);
    response.on("close", () => clearInterval(timer));
    return;
  }
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
});
server.on("upgrade", (request, socket, head) => {
  const protocol = request.headers.upgrade ?? "echo";
  socket.setNoDelay(true);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  socket.write(head);
  socket.on("error", () => {});
  socket.pipe(socket);
});
server.listen({ port: Number(port), backlog: 4096 }, () => console.log("ready"));
