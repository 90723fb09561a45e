import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Program } from "./programs.js";

export const backendPorts = [18081, 18082] as const;
/** Where the upload location asks for its answer once it has the whole body. */
const receivedPort = 18083;

/**
 * One nginx that plays two servers: files out of its cache of open files, and `/upload`, which answers when the last
 * byte of the body has come.
 *
 * @returns the program, listening.
 */
export async function startBackends(folder: string, cores: string): Promise<Program> {
  const documents = join(folder, "www");
  mkdirSync(documents);
  for (const [name, bytes] of [
    ["612", 612],
    ["64k", 65_536],
    ["1m", 1_048_576],
  ] as const) {
    writeFileSync(join(documents, name), Buffer.alloc(bytes, "a"));
  }
  const file = join(folder, "backends.conf");
  writeFileSync(
    file,
    `daemon off; master_process off; user root; worker_processes 1;
pid ${folder}/backends.pid; error_log ${folder}/backends.err;
events { worker_connections 20000; }
http {
  access_log off; sendfile on; tcp_nopush on;
  keepalive_timeout 600; keepalive_requests 100000000;
  open_file_cache max=100 inactive=600s; open_file_cache_valid 600s;
  client_max_body_size 0; client_body_buffer_size 1100k; client_body_temp_path ${folder}/backends-body;
  upstream received { server 127.0.0.1:${receivedPort}; keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${receivedPort}; location / { return 200 "aaaaaaaa"; } }
  server {
    ${backendPorts.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(" ")}
    root ${documents};
    location /upload {
      proxy_pass http://received/; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length "";
    }
  }
}
`,
  );
  const program = new Program("backends", cores, folder, "nginx", [
    "-c",
    file,
    "-e",
    `${folder}/backends.err`,
  ]);
  for (const port of backendPorts) await program.listening(port);
  return program;
}
