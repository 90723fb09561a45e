# shellcheck shell=bash
# A machine's systemd manages the control group that nspawn was started in, so each machine needs one of its own.
# On a host with cgroup v2 alone there is one hierarchy; on a hybrid host systemd's own (v1) one counts as well.

cgroup_roots() {
  awk '{
    for (i = 7; i <= NF && $i != "-"; i++);
    type = $(i + 1); options = $(i + 3)
    if (type == "cgroup2" || (type == "cgroup" && options ~ /name=systemd/)) print $5
  }' /proc/self/mountinfo
}

# enter_cgroup RUN NAME: moves the calling shell into its own control group.
enter_cgroup() {
  local root
  for root in $(cgroup_roots); do
    mkdir -p "$root/tandem-$1/$2"
    echo "$BASHPID" >"$root/tandem-$1/$2/cgroup.procs"
  done
}

# remove_cgroups RUN: waits a little for the last of its processes; they have been killed.
remove_cgroups() {
  local root try
  for root in $(cgroup_roots); do
    for ((try = 0; try < 50; try++)); do
      [ -d "$root/tandem-$1" ] || break
      find "$root/tandem-$1" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
  done
}
