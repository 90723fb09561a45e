# shellcheck shell=bash
# docs/from-keepalived.md, by its own commands: Debian's keepalived and HAProxy with the files of examples/import become
# Tandem node by node, while a client goes on asking. Sourced by walkthrough.sh when no Tandem holds the address any more.

# shellcheck disable=SC2154 # $checkout, $cache and $run_dir are walkthrough.sh's
# by_the_doc MACHINE N: each command in turn, in root's home; the first that fails ends it.
by_the_doc() { machine_run "$1" bash -ec "cd /root; $(doc_block docs/from-keepalived.md "$2")"; }

old_pair() {
  local n home
  for n in 1 2; do
    machine_create "old-box$n" "192.168.33.8$((n + 1))" "$cache/pair:$cache/base"
    home=$run_dir/old-box$n/root
    cp "$run_dir/tandem-lb.deb" "$home/root/tandem-lb_0.1.0_amd64.deb"
    cp "$checkout/examples/import/lb-box$n/keepalived.conf" "$home/etc/keepalived/keepalived.conf"
    cp "$checkout/examples/import/lb-box$n/haproxy.cfg" "$home/etc/haproxy/haproxy.cfg"
    # HAProxy binds the address before keepalived brings it: whoever has such a pair has set this.
    echo net.ipv4.ip_nonlocal_bind=1 >"$home/etc/sysctl.d/90-virtual-address.conf"
  done
  boot old-box1 old-box2
}
pair_is_active() { # MACHINE
  machine_run "$1" systemctl is-active keepalived haproxy
}
imported() { # MACHINE: block 1; what lb check warns of is the default password alone
  local said
  said=$(by_the_doc "$1" 1 2>&1) || { echo "$said"; return 1; }
  echo "$said" | tail -n 3
  grep -qx 'ok: /etc/lb/lb.yaml' <<<"$said" && unit_is "$1" ActiveState inactive
}
hears() { machine_run "$1" lb status | tee /dev/stderr | grep -F "heard         $2"; }
linked() { machine_run "$1" lb status | tee /dev/stderr | grep -E 'peer link .*: up for'; }
at_most_failed() { # N SINCE
  client_gap "$run_dir/client" "$2"
  [ "$(client_gap "$run_dir/client" "$2" | awk '{ print $2 }')" -le "$1" ]
}
haproxys_socket() { # MACHINE
  machine_run "$1" bash -c "echo show stat | socat $socket stdio" | grep '^http,web02,'
}

migrate() {
  local since n
  check "keepalived and HAProxy boot on two machines" old_pair || return
  for n in 1 2; do check "old-box$n: both are active" eventually 10 pair_is_active "old-box$n" || return; done
  check "old-box1's keepalived holds the address" eventually 10 holds_vip old-box1 || return
  check "HAProxy answers there" eventually 10 answers $vip web-box || return
  since=$(now_ms)
  for n in 1 2; do check "old-box$n: install, import, check, as the doc says" imported "old-box$n" || return; done
  check "old-box2, the backup: its keepalived and HAProxy go, Tandem comes" by_the_doc old-box2 2 || return
  check "lb status there names the keepalived that it hears" eventually 5 hears old-box2 192.168.33.82
  check "the address has not moved" holds_vip old-box1
  sleep 1
  check "no request failed" none_failed "$since"
  echo "# backup migrated: gap and failed requests $(client_gap "$run_dir/client" "$since")"

  since=$(now_ms)
  check "old-box1, the master: the same" by_the_doc old-box1 2 || return
  check "it takes the address back" eventually 15 holds_vip old-box1
  check "old-box2 lets it go" eventually 5 has_no_vip old-box2
  sleep 1
  # What was under way when keepalived stopped, and a SYN that nobody answered.
  check "one move's requests failed at most" at_most_failed 3 "$since"
  check "and clients waited no longer than in a planned move of keepalived's" gap_at_most 3000 "$run_dir/client" "$since"
  echo "# master migrated: gap and failed requests $(client_gap "$run_dir/client" "$since")"
  for n in 1 2; do
    check "old-box$n: HAProxy's stats socket answers where it was" haproxys_socket "old-box$n"
    check "old-box$n: after a boot it is Tandem's" machine_run "old-box$n" \
      bash -c '[ "$(systemctl is-enabled keepalived haproxy lb | tr "\n" " ")" = "disabled disabled enabled " ]'
  done

  since=$(now_ms)
  machine_run old-box1 bash -c 'openssl rand -hex 32 >/etc/lb/peer-key'
  cp "$run_dir/old-box1/root/etc/lb/peer-key" "$run_dir/old-box2/root/etc/lb/peer-key"
  for n in 1 2; do check "old-box$n: a peer link" by_the_doc "old-box$n" 3; done
  check "it is up" eventually 10 linked old-box1
  check "lb drain moves the address" machine_run old-box1 lb drain
  check "to old-box2" eventually 5 holds_vip old-box2
  check "no request failed" none_failed "$since"
  echo "# peer link and drain: gap and failed requests $(client_gap "$run_dir/client" "$since")"
}
