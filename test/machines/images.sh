#!/usr/bin/env bash
# Builds what the machines boot from, as layers that lie on each other:
#   base          Debian 13 with systemd, once
#   web           base + provision-web.sh packages, refreshed each time
#   lb            base + provision-lb.sh packages, refreshed each time
#   hand          lb + what README.md has for machines by hand, refreshed each time (with LB_MACHINES_CLONE)
#   pair          base + pair-packages.sh: Debian's keepalived and HAProxy, refreshed each time
#   RUN/opt       lb + provision-lb.sh build, anew for each run: this checkout
#   RUN/hand      hand + README.md's own line: a clone of this checkout's commit, and scripts/setup.mjs (with
#                 LB_MACHINES_CLONE=1 alone: it takes as long as RUN/opt, which the machines by hand have otherwise)
set -euo pipefail
checkout=$1 cache=$2 run_dir=$3
source "$(dirname "${BASH_SOURCE[0]}")/doc-blocks.sh"

say() { printf '# %s\n' "$*"; }

# in_layer LAYER LOWER COMMAND…: runs a command in an image and keeps what it writes in the folder LAYER.
in_layer() {
  local layer=$1 lower=$2
  shift 2
  local mount=$run_dir/image
  local trust=()
  # What this machine trusts (a company's own certificate authority, say), the build must trust as well.
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
    trust=(--bind-ro="$NODE_EXTRA_CA_CERTS:/run/host-ca.crt" --setenv=NODE_EXTRA_CA_CERTS=/run/host-ca.crt)
  fi
  # Explicit returns: `set -e` does not hold inside a function whose result is tested.
  mkdir -p "$layer" "$layer.work" "$mount" || return
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer,workdir=$layer.work" "$mount" || return
  local status=0
  systemd-nspawn --quiet --directory="$mount" --as-pid2 --pipe --register=no --keep-unit --link-journal=no \
    --resolv-conf=replace-host --bind-ro="$checkout:/tandem" "${trust[@]}" "$@" </dev/null \
    || status=$?
  umount "$mount" && rm -rf "$layer.work"
  return "$status"
}

mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd # nspawn leaves folders there

if [ ! -d "$cache/base" ]; then
  say "Debian 13 base image (once, about a minute)"
  rm -rf "$cache/base.partial"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,iproute2,procps,ca-certificates \
    trixie "$cache/base.partial" >"$run_dir/debootstrap.log" 2>&1 \
    || { tail -n 20 "$run_dir/debootstrap.log" >&2; exit 1; }
  # Clones share this image: each must make an identity of its own.
  rm -f "$cache/base.partial/etc/machine-id"
  mv "$cache/base.partial" "$cache/base"
fi

# packages ROLE LOWER COMMAND…: a layer whose last installation did not end well (apt cut off half-way, say) is begun anew.
packages() {
  local layer=$cache/$1
  [ -e "$layer.whole" ] || rm -rf --one-file-system "$layer"
  rm -f "$layer.whole"
  in_layer "$layer" "$2" bash "${@:3}" >"$run_dir/$1.log" 2>&1 \
    || { tail -n 20 "$run_dir/$1.log" >&2; exit 1; }
  touch "$layer.whole"
}

say "web servers' packages"
packages web "$cache/base" /tandem/vagrant/provision-web.sh packages
say "balancers' packages"
packages lb "$cache/base" /tandem/vagrant/provision-lb.sh packages
say "packages of a pair with keepalived and HAProxy"
packages pair "$cache/base" /tandem/test/machines/pair-packages.sh
say "Tandem from $checkout"
in_layer "$run_dir/opt" "$cache/lb:$cache/base" bash /tandem/vagrant/provision-lb.sh build >"$run_dir/opt.log" 2>&1 \
  || { tail -n 20 "$run_dir/opt.log" >&2; exit 1; }
[ -n "${LB_MACHINES_CLONE:-}" ] || exit 0
say "README.md's packages, clone and setup"
packages hand "$cache/lb:$cache/base" -c "export DEBIAN_FRONTEND=noninteractive; apt-get update -q && $(doc_line README.md 'apt-get install')"
clone=$(doc_line README.md 'git clone …')
in_layer "$run_dir/hand" "$cache/hand:$cache/lb:$cache/base" bash -c "${clone/…//tandem}" >"$run_dir/hand.log" 2>&1 \
  || { tail -n 20 "$run_dir/hand.log" >&2; exit 1; }
