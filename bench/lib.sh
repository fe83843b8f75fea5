#!/usr/bin/env bash
# For the scripts here: where things are, a machine's description, medians, and writing a section
# of docs/performance.md between its markers. Source it from the root of the tree.
WEFT=${WEFT:-build/weft}
# shellcheck disable=SC2034 # for the scripts
DATA=${WEFT_TEST_DATA:-../shared}
PAGE=docs/performance.md
command -v jq >/dev/null || { echo "jq is missing: make deps" >&2; exit 1; }

# The middle one of the numbers on stdin, one a line.
median() { sort -g | awk '{v[NR] = $1} END {if (NR) print v[int((NR + 1) / 2)]}'; }

# "1.23 s" or "45.6 ms"
show_time() {
  awk -v t="$1" 'BEGIN {if (t >= 1) printf "%.2f s", t; else printf "%.3g ms", t * 1000}'
}

machine() {
  local cpu cores memory
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  cores=$(nproc)
  memory=$(awk '/^MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo)
  local vector="no AVX2"
  grep -qw avx2 /proc/cpuinfo && vector="AVX2"
  grep -qw avx512_vnni /proc/cpuinfo && vector="AVX-512 VNNI"
  echo "${cpu:-$(uname -m)}, $cores cores ($vector), $memory, $(gcc --version | head -n 1)"
}

# write_section NAME: puts stdin between "<!-- measured: NAME -->" and "<!-- end -->" of PAGE.
write_section() {
  local text=$1.section.tmp
  cat >"$BENCH_TMP/$text"
  grep -qF "<!-- measured: $1 -->" "$PAGE" || { echo "$PAGE has no section '$1'" >&2; exit 1; }
  awk -v begin="<!-- measured: $1 -->" -v file="$BENCH_TMP/$text" '
    $0 == begin { print; while ((getline line < file) > 0) print line; inside = 1; next }
    inside && $0 == "<!-- end -->" { inside = 0 }
    !inside { print }' "$PAGE" >"$BENCH_TMP/page"
  cat "$BENCH_TMP/page" >"$PAGE"
  cat "$BENCH_TMP/$text"
}

BENCH_TMP=$(mktemp -d)
trap 'rm -rf "$BENCH_TMP"' EXIT
