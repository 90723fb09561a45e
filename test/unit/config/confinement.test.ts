import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { unitConfinement } from "../../../src/cli/read-unit.js";
import { readConfinement } from "../../../src/config/confinement.js";
import { loadConfig } from "../../../src/config/load.js";
import { sentences } from "../../../src/config/problem.js";

const unit = readFileSync(new URL("../../../packaging/systemd/lb.service", import.meta.url), "utf8");

function warnings(text: string, ...dropIns: string[]): string[] {
  const confinement = readConfinement([unit, ...dropIns]);
  const { warnings, problems } = loadConfig(text, "lb.yaml", { hostname: "lb-box1", cores: 2, confinement });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  return warnings.map(({ where, message, advice }) => `${where}: ${sentences(message, advice)}`);
}

const socketAt = (path: string): string =>
  `proxies: { http: { bind: "10.0.0.9:80", servers: { web01: "10.0.0.1:80" } } }\nstats_socket: ${path}\n`;
const logTo = (target: string): string =>
  `proxies: { http: { bind: "10.0.0.9:80", servers: { web01: "10.0.0.1:80" }, log: { to: "${target}" } } }\n`;

t.test("what the unit lets the service write, nothing is said of", async (t) => {
  for (const path of ["/run/lb/stats.sock", "/var/run/lb/stats.sock", "/run/lb/more/stats.sock"])
    t.same(warnings(socketAt(path)), [], path);
  for (const target of ["stdout", "/dev/log", "192.0.2.9:514", "file:/var/log/lb/http.log"])
    t.same(warnings(logTo(target)), [], target);
  const dropIn = "[Service]\nStateDirectory=haproxy\n";
  t.same(warnings(socketAt("/var/lib/haproxy/stats.sock"), dropIn), []);
  t.same(warnings(socketAt("/srv/a/stats.sock"), "[Service]\nReadWritePaths=-/srv/a \\\n  /srv/b\n"), []);
  t.same(warnings(socketAt("/srv/stats.sock"), "[Service]\nProtectSystem=full\n"), []);
});

t.test("a stats socket or a log elsewhere is warned of, with what to write into the unit", async (t) => {
  t.same(warnings(socketAt("/var/lib/haproxy/stats.sock")), [
    "lb.yaml:2:15: lb.service may not write to /var/lib/haproxy. Choose another path, or run systemctl edit lb and write StateDirectory=haproxy under [Service].",
  ]);
  t.same(warnings(logTo("file:/var/log/http.log")), [
    "lb.yaml:1:81: lb.service may not write to /var/log. Choose another path, or run systemctl edit lb and write ReadWritePaths=/var/log under [Service].",
  ]);
  t.match(warnings(socketAt("/run/lbs/stats.sock")), [/RuntimeDirectory=lbs /]);
  t.match(warnings(socketAt("/tmp/stats.sock")), [
    /has a \/tmp of its own: nobody else finds \/tmp\/stats\.sock/,
  ]);
  t.match(warnings(socketAt("/run/lb/s"), "[Service]\nRuntimeDirectory=\n"), [
    /may not write to \/run\/lb\./,
  ]);
  t.same(warnings(socketAt("/a/s"), "# [Service]\n[Unit]\nReadWritePaths=/a\n").length, 1);
});

t.test("the unit is read as systemd finds it: the first folder's, with the drop-ins of all", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lb-unit-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [own, packaged] = [join(folder, "etc"), join(folder, "usr")];
  t.equal(unitConfinement([own, packaged]), null);
  mkdirSync(join(packaged, "lb.service.d"), { recursive: true });
  mkdirSync(join(own, "lb.service.d"), { recursive: true });
  writeFileSync(join(packaged, "lb.service"), unit);
  writeFileSync(join(packaged, "lb.service.d", "a.conf"), "[Service]\nStateDirectory=a\n");
  writeFileSync(join(own, "lb.service.d", "a.conf"), "[Service]\nStateDirectory=b\n");
  writeFileSync(join(own, "lb.service.d", "notes.txt"), "[Service]\nStateDirectory=c\n");
  t.same(unitConfinement([own, packaged])?.writable, ["/run/lb", "/var/log/lb", "/var/lib/b"]);
  writeFileSync(join(own, "lb.service"), "[Service]\nExecStart=/usr/bin/lb\n");
  t.equal(unitConfinement([own, packaged]), null, "this one is not confined");
});
