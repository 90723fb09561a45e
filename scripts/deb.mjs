/**
 * `npm run deb`: builds `tandem-lb_VERSION_ARCH.deb` in `dist-deb/`, from this checkout.
 *
 * Everything under /opt/lb, with npm's packages built for this machine's architecture and Node's ABI; the unit, the manual
 * pages and the completions in their places. Nothing is fetched or compiled when it is installed.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { ensure, main, root, SetupError } from "./setup.mjs";

/** What of the checkout a user needs. */
const parts = [
  "bin",
  "dist",
  "docs",
  "examples",
  "packaging",
  "vagrant",
  "package.json",
  "README.md",
  "LICENSE",
];
/** Only for building them again. */
const buildLeftovers = new Set([
  "obj",
  "obj.target",
  ".deps",
  "src",
  "deps",
  "test",
  "tests",
  "docs",
  "example",
  "examples",
]);

await main(() => {
  ensure({ npm: true, build: true, commands: ["dpkg-deb"] });
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const architecture = run("dpkg", ["--print-architecture"]).trim();
  const out = join(root, "dist-deb");
  const tree = join(out, "tree");
  rmSync(out, { recursive: true, force: true });
  const home = join(tree, "opt/lb");
  mkdirSync(home, { recursive: true });
  for (const part of parts) cpSync(join(root, part), join(home, part), { recursive: true });
  copyPackages(home);
  place(tree);
  control(tree, version, architecture);
  const file = join(out, `tandem-lb_${version}_${architecture}.deb`);
  run("dpkg-deb", ["--root-owner-group", "-Zxz", "--build", tree, file]);
  rmSync(tree, { recursive: true });
  console.log(file);
  return 0;
});

/** The packages that run, as `npm ls` counts them, with the binaries that `npm ci` has built here. */
function copyPackages(home) {
  const listed = run("npm", ["ls", "--omit=dev", "--all", "--parseable"], { cwd: root })
    .trim()
    .split("\n")
    .slice(1);
  if (listed.length === 0) throw new SetupError("npm ls knows of no packages: run npm ci");
  for (const folder of listed) {
    const target = join(home, folder.slice(root.length + 1));
    if (existsSync(target)) continue;
    cpSync(folder, target, { recursive: true, filter: (path) => isNeeded(path, folder) });
  }
}

function isNeeded(path, folder) {
  const inside = path.slice(folder.length + 1);
  // Packages within a package are listed by themselves.
  if (inside === "node_modules") return false;
  if (/\.(o|a|d|mk|Makefile|map|gyp|gypi|md|ts)$/.test(inside) && !inside.endsWith("LICENSE.md"))
    return false;
  return !(inside.startsWith("build/") && buildLeftovers.has(basename(inside)));
}

function place(tree) {
  const put = (from, to) => cpSync(join(root, from), join(tree, to));
  const unit = readFileSync(join(root, "packaging/systemd/lb.service"), "utf8");
  mkdirSync(join(tree, "usr/lib/systemd/system"), { recursive: true });
  writeFileSync(join(tree, "usr/lib/systemd/system/lb.service"), unit);
  put("packaging/systemd/lb.sysusers.conf", "usr/lib/sysusers.d/lb.conf");
  for (const page of readdirSync(join(root, "packaging/man"))) {
    const target = join(tree, `usr/share/man/man${page.split(".").at(-1)}`);
    mkdirSync(target, { recursive: true });
    writeFileSync(
      join(target, `${page}.gz`),
      run("gzip", ["-9nc", join(root, "packaging/man", page)], { encoding: "buffer" }),
    );
  }
  put("packaging/completion/lb.bash", "usr/share/bash-completion/completions/lb");
  put("packaging/completion/_lb", "usr/share/zsh/vendor-completions/_lb");
  mkdirSync(join(tree, "usr/bin"), { recursive: true });
  symlinkSync("/opt/lb/bin/lb.js", join(tree, "usr/bin/lb"));
  mkdirSync(join(tree, "etc/lb"), { recursive: true });
}

function control(tree, version, architecture) {
  const folder = join(tree, "DEBIAN");
  mkdirSync(folder);
  const size = run("du", ["-sk", tree]).split("\t")[0];
  const major = Number(process.versions.node.split(".")[0]);
  const write = (name, text, mode) => writeFileSync(join(folder, name), text, { mode });
  write(
    "control",
    `Package: tandem-lb
Version: ${version}
Architecture: ${architecture}
Maintainer: Tandem <root@localhost>
Installed-Size: ${size}
Depends: nodejs (>= ${major}), nodejs (<< ${major + 1}~), systemd | opensysusers
Recommends: nftables
Suggests: socat
Section: net
Priority: optional
Description: VRRP failover and HTTP load balancing for a pair of machines
 Makes two machines one dependable HTTP address: one process on each speaks VRRP
 with its partner, holds or releases the virtual address, and balances HTTP and
 TCP over the servers. It takes the place of keepalived and HAProxy on a pair.
`,
  );
  // The service is neither enabled nor started: without a configuration it would take the demo's address.
  write(
    "postinst",
    `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemd-sysusers /usr/lib/sysusers.d/lb.conf
  chgrp lb /etc/lb
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # No restart where that fails: what runs goes on.
    if systemctl -q is-active lb.service && ! /usr/bin/lb upgrade; then
      echo "lb.service goes on with the version before; see above, and then: lb upgrade, or systemctl restart lb" >&2
    fi
  fi
fi
`,
    0o755,
  );
  write(
    "prerm",
    `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now lb.service || true; fi
`,
    0o755,
  );
  write(
    "postrm",
    `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
`,
    0o755,
  );
}

function run(command, parameters, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error !== undefined || status !== 0)
    throw new SetupError(`${command} ${parameters.join(" ")}: ${error?.message ?? String(stderr).trim()}`);
  return stdout;
}
