# shellcheck shell=bash
# Machines: overlay clones of an image, booted by systemd-nspawn on the bridge `br0` of this network namespace.
# Needs $cache, $checkout, $run_dir and cgroups.sh.
#
# RUN/NAME/supervisor and RUN/NAME/leader hold the process ids of nspawn and of the machine's PID 1 while it is on:
# files, so that a machine started inside a subshell is known outside of it.

# shellcheck disable=SC2154 # $checkout and $run_dir are the caller's
machine_file() { printf '%s/%s/%s' "$run_dir" "$1" "$2"; }
machine_is_on() { [ -e "$(machine_file "$1" leader)" ]; }

# machine_create NAME ADDRESS LAYERS
machine_create() {
  local name=$1 address=$2 layers=$3
  local dir=$run_dir/$name
  mkdir -p "$dir/upper" "$dir/work" "$dir/root"
  mount -t overlay overlay -o "lowerdir=$layers,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
  echo "$name" >"$dir/root/etc/hostname"
  mkdir -p "$dir/root/etc/systemd/network" "$dir/root/etc/systemd/system/multi-user.target.wants" \
    "$dir/root/var/log/journal"
  # Root has no need of it, and the documentation's commands are everybody's.
  printf '#!/bin/sh\nexec "$@"\n' >"$dir/root/usr/local/bin/sudo"
  chmod 0755 "$dir/root/usr/local/bin/sudo"
  printf '[Match]\nName=eth1\n[Network]\nAddress=%s/24\nLinkLocalAddressing=no\n' "$address" \
    >"$dir/root/etc/systemd/network/eth1.network"
  ln -s /usr/lib/systemd/system/systemd-networkd.service \
    "$dir/root/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
}

# machine_start NAME: power on. Returns when nspawn runs, long before the machine is up.
machine_start() {
  local name=$1 cable=ve-$1 pid try
  (
    enter_cgroup "$(basename "$run_dir")" "$name"
    # shellcheck disable=SC2154
    exec systemd-nspawn --quiet --directory="$run_dir/$name/root" --boot --machine="$name" \
      --private-network --network-veth-extra="$cable:eth1" --register=no --keep-unit --link-journal=no \
      --console=read-only --resolv-conf=off --bind-ro="$checkout:/tandem" </dev/null >>"$run_dir/$name/console" 2>&1
  ) &
  pid=$!
  echo "$pid" >"$(machine_file "$name" supervisor)"
  for ((try = 0; try < 100; try++)); do
    if ip link set "$cable" master br0 up 2>/dev/null && pgrep -P "$pid" >"$(machine_file "$name" leader)"; then
      return
    fi
    sleep 0.1
  done
  rm -f "$(machine_file "$name" leader)"
  echo "$name did not start:" && tail -n 20 "$run_dir/$name/console"
  return 1
}

# machine_run NAME COMMAND…: as root on the machine, at most 60 s.
machine_run() {
  local name=$1
  shift
  machine_is_on "$name" || { echo "$name is off"; return 1; }
  timeout 60 nsenter --all --target "$(<"$(machine_file "$name" leader)")" \
    env --chdir=/ -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@" </dev/null
}

# machine_typed NAME SECONDS LINE: a shell's line, as root in root's home; what would go on for ever ends after SECONDS.
# From a file: the line itself stands in no process's arguments, where a `pkill -f` would find it.
machine_typed() {
  printf '%s\n' "$3" >"$run_dir/$1/root/root/typed"
  machine_run "$1" env TERM=xterm bash -c '
    cd /root && timeout --kill-after=2 "$0" bash -o pipefail typed; status=$?
    [ "$status" -eq 124 ] || exit "$status"' "$2"
}

# machine_wait_up NAME: until systemd says `running`; `degraded` is a failure that the caller shows.
machine_wait_up() {
  local try state=
  for ((try = 0; try < 200; try++)); do
    state=$(machine_run "$1" systemctl is-system-running 2>/dev/null || true)
    case "$state" in
      running) return ;;
      degraded) machine_run "$1" systemctl --failed --no-pager; return 1 ;;
    esac
    sleep 0.1
  done
  echo "$1 is '$state' after 20 s"
  return 1
}

machine_gone() {
  local try pid
  pid=$(<"$(machine_file "$1" supervisor)")
  for ((try = 0; try < 300; try++)); do
    if ! kill -0 "$pid" 2>/dev/null; then
      rm "$(machine_file "$1" supervisor)" "$(machine_file "$1" leader)"
      return 0
    fi
    sleep 0.2
  done
  echo "$1 is still there after 60 s" && tail -n 20 "$run_dir/$1/console"
  return 1
}

# machine_halt NAME: an orderly shutdown, at most 60 s.
machine_halt() {
  machine_run "$1" systemctl poweroff --no-block && machine_gone "$1"
}

# machine_cut NAME: the power cord.
machine_cut() {
  kill -KILL "$(<"$(machine_file "$1" leader)")" && machine_gone "$1"
}
