#!/usr/bin/env bash
# Builds what the machines boot from, as layers that lie on each other:
#   base          Debian 13 with systemd, once
#   web           base + provision-web.sh packages, refreshed each time
#   lb            base + provision-lb.sh packages, refreshed each time
#   pair          base + pair-packages.sh: Debian's keepalived and HAProxy, refreshed each time
#   RUN/opt       lb + provision-lb.sh build, anew for each run: this checkout
set -euo pipefail
checkout=$1 cache=$2 run_dir=$3

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

# packages ROLE SCRIPT…: a layer whose last installation did not end well (apt cut off half-way, say) is begun anew.
packages() {
  local layer=$cache/$1
  [ -e "$layer.whole" ] || rm -rf --one-file-system "$layer"
  rm -f "$layer.whole"
  in_layer "$layer" "$cache/base" bash "${@:2}" >"$run_dir/$1.log" 2>&1 \
    || { tail -n 20 "$run_dir/$1.log" >&2; exit 1; }
  touch "$layer.whole"
}

say "web servers' packages"
packages web /tandem/vagrant/provision-web.sh packages
say "balancers' packages"
packages lb /tandem/vagrant/provision-lb.sh packages
say "packages of a pair with keepalived and HAProxy"
packages pair /tandem/test/machines/pair-packages.sh
say "Tandem from $checkout"
in_layer "$run_dir/opt" "$cache/lb:$cache/base" bash /tandem/vagrant/provision-lb.sh build >"$run_dir/opt.log" 2>&1 \
  || { tail -n 20 "$run_dir/opt.log" >&2; exit 1; }
