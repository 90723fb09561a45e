# shellcheck shell=bash
# `ok` and `not ok` lines, and a client that asks the virtual address all the time.

passed=0
failed=0

# check NAME COMMAND…: one line; what a failing command printed follows it. The command runs in a subshell.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf 'ok - %s\n' "$name"
  else
    failed=$((failed + 1))
    printf 'not ok - %s\n' "$name"
    printf '%s\n' "$output" | tail -n 20 | sed 's/^/#   /'
    return 1
  fi
}

# eventually SECONDS COMMAND…: repeats it until it holds.
eventually() {
  local until=$((SECONDS + $1)) output
  shift
  while ! output=$("$@" 2>&1); do
    if ((SECONDS >= until)); then printf '%s\n' "$output"; return 1; fi
    sleep 0.1
  done
  printf '%s\n' "$output"
}

# says PATTERN COMMAND…: what it prints, newlines as blanks, has PATTERN in it.
says() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) || { printf '%s\n' "$output"; return 1; }
  printf '%s\n' "$output"
  tr '\n' ' ' <<<"$output" | grep -qE "$pattern"
}

now_ms() { date +%s%3N; }

# client URL FILE: a request every 50 ms, one line `END_MS STATUS` each, in FILE. For ever.
client() {
  local status
  while :; do
    status=$(curl -s -o /dev/null -m 1 -w '%{http_code}' "$1" || true)
    printf '%s %s\n' "$(now_ms)" "$status"
    sleep 0.05
  done >"$2"
}

# client_gap FILE FROM_MS: the longest time without an answer since FROM_MS, and how many requests failed.
# The time from the last answer until now counts: a client that is never answered again has an endless gap.
client_gap() {
  awk -v from="$2" -v now="$(now_ms)" '
    function seen(at) { if (at - last > gap) gap = at - last; last = at }
    BEGIN { last = from }
    $1 < from { if ($2 == 200) last = $1; next }
    $2 == 200 { seen($1); next }
    { failed++ }
    END { seen(now); printf "%d %d\n", gap, failed }' "$1"
}

# gap_at_most MS FILE FROM_MS
gap_at_most() {
  local gap bad
  read -r gap bad < <(client_gap "$2" "$3")
  echo "client gap $gap ms, $bad failed"
  [ "$gap" -le "$1" ]
}
