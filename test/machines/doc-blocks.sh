# shellcheck shell=bash
# Commands as the documentation has them, read from it: what is tried is what users type.

# shellcheck disable=SC2154 # $checkout is the caller's
# doc_block FILE N: the Nth block of shell commands.
doc_block() {
  awk -v wanted="$2" '
    /^```sh$/ { block++; inside = 1; next }
    /^```$/ { inside = 0; next }
    inside && block == wanted' "$checkout/$1"
}

# doc_line FILE WORDS: the first line of a shell block that contains WORDS; FILE must have one.
doc_line() {
  awk -v words="$2" '
    /^```sh$/ { inside = 1; next }
    /^```$/ { inside = 0; next }
    inside && index($0, words) { print; found = 1; exit }
    END { exit !found }' "$checkout/$1" || { echo "$1 has no command with: $2" >&2; return 1; }
}
