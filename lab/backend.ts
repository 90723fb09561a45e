import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "./clock.js";
import type { HostProcess } from "./host-process.js";
import type { Host, Network } from "./network.js";
import { projectRoot } from "./project-root.js";

export interface Backend {
  readonly process: HostProcess;
  /** Documents served at `/`; a PUT writes here. */
  readonly folder: string;
  readonly accessLog: string;
}

/** The page of a web server, by which a client knows who answered. */
export function pageOf(host: Host): string {
  return `hello from ${host.name}\n`;
}

/** nginx on port 80: serves a folder, and takes uploads with PUT. `more`: further words of that server. */
export async function startNginx(network: Network, host: Host, more = ""): Promise<Backend> {
  const home = join(network.scratch, host.name);
  const folder = join(home, "www");
  const accessLog = join(home, "access.log");
  const pidFile = join(home, "nginx.pid");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), pageOf(host));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    join(home, "nginx.conf"),
    `daemon off;
# One process: whoever stops it has stopped all of it. As root: a user namespace has no other account.
master_process off;
user root;
pid ${pidFile};
error_log ${join(home, "error.log")} warn;
events { worker_connections 4096; }
http {
  access_log ${accessLog};
  default_type text/plain;
  sendfile on;
  client_max_body_size 0;
  keepalive_requests 100000;
${temporary.map((kind) => `  ${kind}_temp_path ${join(home, kind)};`).join("\n")}
  server {
    listen 80 backlog=4096;
    root ${folder};
    dav_methods PUT DELETE;
    create_full_put_path on;
    # The same documents without a known length: nginx frames them in chunks.
    location /chunked/ {
      alias ${folder}/;
      ssi on;
      ssi_types *;
    }
    ${more}
  }
}
`,
  );
  const child = host.spawn("nginx", "nginx", "-c", join(home, "nginx.conf"), "-e", join(home, "error.log"));
  await waitFor(`nginx on ${host.name}`, 30_000, () => {
    if (child.exit !== null) throw new Error(`nginx on ${host.name} exited:\n${child.tail()}`);
    // nginx writes it after it has opened its sockets.
    return existsSync(pidFile) && readFileSync(pidFile, "utf8").trim() !== "";
  });
  return { process: child, folder, accessLog };
}

/** A small HTTP server in place of nginx, for a machine that has none. */
export async function startSmallBackend(network: Network, host: Host): Promise<Backend> {
  const folder = join(network.scratch, host.name, "www");
  mkdirSync(folder, { recursive: true });
  const script = join(projectRoot, "lab", "small-backend.mjs");
  const child = host.spawn("http server", process.execPath, script, "80", pageOf(host));
  await child.waitForLine((text) => text === "ready", 30_000);
  return { process: child, folder, accessLog: "" };
}
