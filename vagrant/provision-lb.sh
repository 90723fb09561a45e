#!/usr/bin/env bash
# Makes a Debian 13 machine one of the demo's two balancers: Tandem in /opt/lb, its configuration, its unit.
#
#   provision-lb.sh            all three steps:
#   provision-lb.sh packages   Debian packages
#   provision-lb.sh build      npm packages and /opt/lb, from the checkout that this script stands in
#   provision-lb.sh configure  user, configuration, unit; needs no network
#
# Environment: LB_PRIORITY (default: 101 on lb-box1, 100 elsewhere), LB_SUBNET (default 192.168.33., the start of
# this machine's address on the shared network), LB_VIP (default 192.168.33.84/24), LB_PEER_KEY (default: the demo's).
#
# Can be run again at any time: a new checkout is built beside the old one and takes its place only when it is
# whole; an /etc/lb/lb.yaml that is there stays as it is.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=/opt/lb
config=/etc/lb/lb.yaml
subnet=${LB_SUBNET:-192.168.33.}
vip=${LB_VIP:-192.168.33.84/24}
peer_key=${LB_PEER_KEY:-key-of-the-demo-boxes}

say() { printf 'provision-lb: %s\n' "$*"; }
fail() { printf 'provision-lb: %s\n' "$*" >&2; exit 1; }

# The C++ tools are for three npm packages that have native parts; curl, jq, socat and tcpdump are for the walk-through.
packages=(nodejs npm libnode-dev g++ make python3 curl jq nftables socat tcpdump)

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "Debian packages are there"
    return
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends "${missing[@]}"
}

build() {
  local fresh=$prefix.new
  say "building $checkout for $prefix"
  rm -rf "$fresh"
  mkdir -p "$fresh"
  tar -C "$checkout" --exclude=./node_modules --exclude=./dist --exclude=./.git --exclude=./.tap \
    --exclude=.vagrant -cf - . | tar -C "$fresh" --no-same-owner -xf -
  # Node's headers come from libnode-dev, so that nothing is fetched from outside npm.
  (cd "$fresh" && export npm_config_nodedir=/usr npm_config_fund=false npm_config_audit=false \
    && npm ci && npm run build && npm prune --omit=dev)
  rm -rf "$prefix.old"
  if [ -e "$prefix" ]; then mv "$prefix" "$prefix.old"; fi
  mv "$fresh" "$prefix"
  rm -rf "$prefix.old"
  ln -sfn "$prefix/bin/lb.js" /usr/local/bin/lb
  chmod 0755 "$prefix/bin/lb.js"
}

# The interface on the shared network: eth1 on the boxes that the Vagrantfile names, ens6 or enp0s8 on others.
shared_interface() {
  local name
  name=$(ip -4 -o address show | awk -v subnet="$subnet" 'index($4, subnet) == 1 { print $2; exit }')
  [ -n "$name" ] || fail "no interface has an address that starts with '$subnet': give the machine one, or set LB_SUBNET"
  printf '%s' "$name"
}

write_config() {
  if [ -e "$config" ]; then
    say "$config is there and stays as it is (delete it to have it written anew)"
    return
  fi
  local interface priority=${LB_PRIORITY:-}
  interface=$(shared_interface)
  if [ -z "$priority" ]; then
    case "$(hostname)" in lb-box1) priority=101 ;; *) priority=100 ;; esac
  fi
  say "writing $config: interface $interface, priority $priority"
  # The file may come to hold passwords: only root and the daemon read it.
  install -d -m 0755 /etc/lb
  install -m 0640 -o root -g lb /dev/null "$config"
  cat >"$config" <<YAML
# One of the demo's two balancers. Written by vagrant/provision-lb.sh.
vrrp:
  VI_1:
    interface: $interface
    virtual_router_id: 51
    priority: $priority
    virtual_ipaddress: $vip

# The same on both nodes; in place of the demo's: openssl rand -hex 32, and better in a key_file.
peer_link:
  key: $peer_key

proxies:
  http:
    bind: ${vip%/*}:80
    balance: roundrobin
    servers:
      web01: 192.168.33.68:80
      web02: 192.168.33.69:80

admin:
  bind: $interface:80
  stats:
    uri: /stats
    user: admin
    password: supersecret

stats_socket: /var/lib/haproxy/stats.sock
YAML
}

install_unit() {
  install -D -m 0644 "$prefix/packaging/systemd/lb.sysusers.conf" /usr/lib/sysusers.d/lb.conf
  systemd-sysusers /usr/lib/sysusers.d/lb.conf
  install -m 0644 "$prefix/packaging/systemd/lb.service" /etc/systemd/system/lb.service
  # The demo's users know the stats socket under HAProxy's path.
  install -d -m 0755 /etc/systemd/system/lb.service.d
  printf '[Service]\nStateDirectory=haproxy\nStateDirectoryMode=0750\n' \
    >/etc/systemd/system/lb.service.d/stats-socket.conf
}

configure() {
  [ -f "$prefix/bin/lb.js" ] || fail "$prefix is missing: run '$0 packages' and '$0 build' first"
  install_unit
  write_config
  systemctl enable lb.service
  # Inside a chroot or an image that is not booted there is nothing to start.
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl restart lb.service
    say "lb.service is $(systemctl is-active lb.service)"
  fi
}

[ "$(id -u)" -eq 0 ] || fail "must be run as root (sudo bash $0)"
case "${1:-all}" in
  packages) install_packages ;;
  build) build ;;
  configure) configure ;;
  all) install_packages; build; configure ;;
  *) fail "unknown step '$1': packages, build, configure, or nothing for all of them" ;;
esac
