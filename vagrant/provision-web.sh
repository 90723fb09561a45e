#!/usr/bin/env bash
# Makes a Debian 13 machine one of the demo's web servers: nginx with a page that names its host.
#
#   provision-web.sh            both steps:
#   provision-web.sh packages   Debian packages
#   provision-web.sh configure  page and service; needs no network
#
# Can be run again at any time.
set -euo pipefail

say() { printf 'provision-web: %s\n' "$*"; }
fail() { printf 'provision-web: %s\n' "$*" >&2; exit 1; }

install_packages() {
  if command -v nginx >/dev/null && command -v curl >/dev/null; then
    say "nginx and curl are there"
    return
  fi
  say "installing nginx and curl"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends nginx-light curl
}

configure() {
  local host
  host=$(hostname)
  command -v nginx >/dev/null || fail "nginx is missing: run '$0 packages' first"
  say "page that names $host"
  cat >/var/www/html/index.html <<PAGE
<!doctype html>
<title>$host</title>
<h1>$host</h1>
PAGE
  systemctl enable nginx.service
  # Inside a chroot or an image that is not booted there is nothing to start.
  if [ -d /run/systemd/system ]; then
    systemctl restart nginx.service
    curl -fsS -o /dev/null --retry 5 --retry-connrefused --retry-delay 1 http://127.0.0.1/
    say "nginx answers on port 80"
  fi
}

[ "$(id -u)" -eq 0 ] || fail "must be run as root (sudo bash $0)"
case "${1:-all}" in
  packages) install_packages ;;
  configure) configure ;;
  all) install_packages; configure ;;
  *) fail "unknown step '$1': packages, configure, or nothing for both" ;;
esac
