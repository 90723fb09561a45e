# shellcheck shell=bash
# README.md, "On your machines": two machines with the build in /opt/lb (LB_MACHINES_CLONE=1: made by its own line, see
# images.sh), and the commands that follow there, typed. Sourced by walkthrough.sh; the addresses must be free.

hand_boxes() {
  local n layers=$run_dir/opt:$cache/lb:$cache/base
  [ -z "${LB_MACHINES_CLONE:-}" ] || layers=$run_dir/hand:$cache/hand:$cache/lb:$cache/base
  for n in 1 2; do
    machine_create "hand-box$n" "192.168.33.8$((n - 1))" "$layers"
  done
  boot hand-box1 hand-box2
}
# run_by_hand MACHINE PRIORITY: the line that runs the daemon, in /opt/lb, as from a shell that stays open.
run_by_hand() {
  local line
  line=$(doc_line README.md 'node bin/lb.js --priority 101') || return
  printf '%s\n' "${line/--priority 101/--priority $2}" | tee "$run_dir/$1/root/root/run"
  machine_run "$1" systemd-run --quiet --unit=by-hand --working-directory=/opt/lb bash /root/run
}
both_servers_in_turns() {
  local one two
  one=$(typed hand-box2 5 README.md 'curl http://192.168.33.84/' | grep -o '<h1>.*</h1>')
  two=$(typed hand-box2 5 README.md 'curl http://192.168.33.84/' | grep -o '<h1>.*</h1>')
  echo "$one $two"
  [[ "$one$two" == *web-box1*web-box2* || "$one$two" == *web-box2*web-box1* ]]
}
bytes_by_hand() { typed "$1" 5 README.md 'echo show stat | socat' | tail -n 1; }
bytes_rise_by_hand() {
  local one two
  one=$(bytes_by_hand hand-box1) two=$(bytes_by_hand hand-box2)
  typed hand-box2 5 README.md 'curl http://192.168.33.84/' >/dev/null || return
  echo "hand-box1 $one -> $(bytes_by_hand hand-box1), hand-box2 $two -> $(bytes_by_hand hand-box2)"
  [ "$(bytes_by_hand hand-box1)" -gt "$one" ] && [ "$(bytes_by_hand hand-box2)" -eq "$two" ]
}
state_line() { machine_run hand-box1 journalctl -u by-hand -o cat --no-pager | grep '"msg":"state"' | jq -r .msg; }

by_hand() {
  check "README.md by hand: two machines with the build" hand_boxes || return
  check "node bin/lb.js on the first" run_by_hand hand-box1 101 || return
  check "and with priority 100 on the other" run_by_hand hand-box2 100 || return
  check "the first one holds the address" eventually 15 holds_vip hand-box1 || return
  check "the other does not" eventually 5 has_no_vip hand-box2
  check "curl: both servers in turns" eventually 5 both_servers_in_turns
  check "tcpdump: one advert a second" says 'vrid 51, prio 101.*vrid 51, prio 101' typed hand-box1 4 README.md 'tcpdump -vni eth1 vrrp'
  check "socat and cut: the bytes rise on the master alone" bytes_rise_by_hand
  check "curl -u: the same over HTTP" says ' http,BACKEND,' typed hand-box2 5 README.md 'curl -u admin:supersecret'
  check "pkill -USR1" typed hand-box1 5 README.md 'pkill -USR1'
  check "the state is one line of the log" eventually 5 state_line
}
