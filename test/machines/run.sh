#!/usr/bin/env bash
# Boots the demo's four machines (Debian 13 with systemd, in systemd-nspawn) with the provisioning scripts of
# vagrant/, and walks through what a user does on them. `npm run test:machines`.
#
#   --only-images   build or refresh the images and stop
#
# Everything that is started lives in namespaces of its own: processes, mounts and network go with them, however
# this script ends. The images stay in LB_MACHINES_CACHE (default /var/cache/tandem-machines, about 1.5 GB).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cache=${LB_MACHINES_CACHE:-/var/cache/tandem-machines}
limit_seconds=${LB_MACHINES_LIMIT:-900}

fail() { printf 'test:machines: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "needs root: it boots machines"
command -v apt-get >/dev/null || fail "needs Debian: it installs debootstrap and systemd-nspawn when they are missing"

install_missing() {
  local missing=() pair
  for pair in debootstrap:debootstrap systemd-nspawn:systemd-container ip:iproute2 curl:curl tcpdump:tcpdump jq:jq; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing ${missing[*]} (missing)"
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

run_dir=
inner=
deadline=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  trap - EXIT INT TERM
  [ -z "$deadline" ] || kill "$deadline" 2>/dev/null || true
  # The first process of the inner PID namespace dies with its parent, and all the machines with it.
  if [ -n "$inner" ]; then kill -KILL "$inner" 2>/dev/null || true; wait "$inner" 2>/dev/null || true; fi
  if [ -n "$run_dir" ]; then
    source "$here/cgroups.sh"
    remove_cgroups "$(basename "$run_dir")"
    rm -rf --one-file-system "$run_dir"
  fi
}
trap cleanup EXIT
trap 'echo "test:machines: interrupted, cleaning up" >&2; exit 130' INT TERM

# Runs one of this folder's scripts as the first process of new namespaces. Bounded by the run's limit.
isolated() {
  local script=$1
  shift
  unshare --mount --propagation private --pid --fork --mount-proc --kill-child=KILL "$@" \
    bash "$here/$script" "$checkout" "$cache" "$run_dir" &
  inner=$!
  local status=0
  wait "$inner" || status=$?
  inner=
  return "$status"
}

install_missing
mkdir -p "$cache"
exec {lock}>"$cache/lock"
flock -n "$lock" || fail "another run uses $cache"
run_dir=$(mktemp -d "$cache/run.XXXXXX")
(
  sleep "$limit_seconds" &
  trap 'kill $! 2>/dev/null; exit' TERM
  wait $!
  echo "test:machines: not done after $limit_seconds s" >&2
  kill -TERM $$
) {lock}>&- &
deadline=$!

isolated images.sh
[ "${1:-}" = --only-images ] && exit 0

# The package is built here, and not on a machine: what it needs was there when it was built.
node "$checkout/scripts/deb.mjs" >"$run_dir/deb.log" || { tail -n 20 "$run_dir/deb.log" >&2; exit 1; }
cp "$(tail -n 1 "$run_dir/deb.log")" "$run_dir/tandem-lb.deb"
isolated walkthrough.sh --net
