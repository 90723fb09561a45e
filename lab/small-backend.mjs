// An HTTP server in place of nginx: small-backend.mjs PORT TEXT answers every request with TEXT.
import { createServer } from "node:http";

const [port, text] = process.argv.slice(2);
createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}).listen(Number(port), () => console.log("ready"));
