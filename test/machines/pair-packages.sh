#!/usr/bin/env bash
# Debian's packages of a machine that has keepalived and HAProxy, and what Tandem's package depends on.
set -euo pipefail
packages=(keepalived haproxy psmisc nodejs nftables curl socat)
dpkg-query -W -f '${db:Status-Abbrev}\n' "${packages[@]}" 2>/dev/null | grep -c '^ii' | grep -qx ${#packages[@]} && exit
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${packages[@]}"
