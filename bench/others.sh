#!/usr/bin/env bash
# Other accelerators and simulators beside this one: what they publish (bench/peers_*.tsv), what
# Vela estimates for an Ethos-U55 and SCALE-Sim for a plain array, and this project's own figures of
# the same run; written into docs/performance.md.
#
# others.sh [MODEL.tflite]: MobileNetV2 1.0 224, by default that of WEFT_TEST_DATA; without it, the
# page is left as it is.
# Vela and SCALE-Sim are installed under build/, from PyPI; PEERS=0 leaves their lines out.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
shopt -s nullglob
model=${1:-$DATA/models/tflite/tf2_mobilenet_v2_1.0_224_ptq.tflite}
network="MobileNetV2 1.0 224"
[ -f "$model" ] || { echo "others.sh: no $model, nothing written" >&2; exit 0; }

own() { # CONDITIONS OPTIONS...: a row as in peers_published.tsv
  local conditions=$1
  shift
  "$WEFT" run "$model" "$@" --timing-only --quiet --json "$BENCH_TMP/r.json"
  jq -r --arg network "$network" --arg conditions "$conditions" '
    ["**Weft** edge-256", $network, .macs / 1e6, (.macs / .cycles / .peak_utilization | round),
     .cycles, "", "", "C model, this run", $conditions, "bench/others.sh"] | @tsv' \
    "$BENCH_TMP/r.json"
}

# Runs SCALE-Sim once: what peers_scalesim.py prints, in $BENCH_TMP/scalesim, or nothing.
scalesim() {
  : >"$BENCH_TMP/scalesim"
  [ "${PEERS:-1}" = 1 ] || return 0
  if [ ! -x build/scalesim/bin/python ]; then
    { python3 -m venv build/scalesim &&
      build/scalesim/bin/pip -q install 'numpy<2' 'pandas<3' scalesim==3.0.0; } >&2 || {
      rm -rf build/scalesim
      echo "others.sh: no SCALE-Sim" >&2
      return 0
    }
  fi
  mkdir "$BENCH_TMP/run"
  build/scalesim/bin/python bench/peers_scalesim.py "$BENCH_TMP/run" 2>/dev/null \
    >"$BENCH_TMP/scalesim" || echo "others.sh: SCALE-Sim failed" >&2
}

scalesim_row() {
  local cycles depthwise version
  read -r cycles depthwise _ _ version <"$BENCH_TMP/scalesim" || return 0
  printf 'SCALE-Sim, 16x16 array\t%s\t300.8\t256\t%s\t\t\t%s\t%s\t%s\n' "$network" "$cycles" \
    "simulated, SCALE-Sim $version" \
    "weight stationary, layer by layer, unlimited memory; depthwise layers at $depthwise%" \
    "bench/peers_scalesim.py"
}

published() { # FILE PATTERN: its lines that match, or with ! before the pattern those that do not
  case $2 in
    !*) grep -v '^#' "$1" | grep -v "${2#!}" ;;
    *) grep -v '^#' "$1" | grep "$2" ;;
  esac
}

table() { # rows on stdin
  echo "| machine | network | MACs/cycle | cycles an image | utilization | kind | conditions |" \
    "source |"
  echo "|---|---|--:|--:|--:|---|---|---|"
  awk -F '\t' '
    function group(n,  s, t) {
      s = sprintf("%.0f", n)
      while (length(s) > 3) { t = "," substr(s, length(s) - 2) t; s = substr(s, 1, length(s) - 3) }
      return s t
    }
    {
      cycles = $5 ? $5 : $6 && $7 ? $7 * 1e6 / $6 : 0
      use = cycles && $3 && $4 ? sprintf("%.1f%%", 100 * $3 * 1e6 / (cycles * $4)) : "-"
      conditions = !cycles && $6 ? $6 " images/s; " $9 : $9
      source = "`" $10 "`"
      if ($10 ~ /^http/) {
        split($10, part, "/")
        source = "[" part[3] "](" $10 ")"
      }
      printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", $1, $2, $4 ? $4 : "-",
        cycles ? ($5 ? "" : "~ ") group(cycles) : "-", use, $8, conditions, source
    }'
}

# Every network on edge-256 and, by Vela, on an Ethos-U55-256 with the same memory.
networks() {
  local file mine vela cpu
  for file in models/*.tflite "$DATA"/models/tflite/*.tflite; do
    read -r vela cpu <<<"$(bench/vela.sh --edge "$file")"
    [ "${cpu:-1}" = 0 ] || continue # parts of it on the CPU
    "$WEFT" run "$file" --timing-only --quiet --json "$BENCH_TMP/r.json"
    mine=$(jq .cycles "$BENCH_TMP/r.json")
    awk -v n="$(basename "$file" .tflite)" -v a="$mine" -v b="$vela" 'BEGIN {
      printf "| %s | %d | %d | %.2f |\n", n, a, b, b / a}'
  done
}

# own_speed WHAT SIMULATED OPTIONS...: simulated cycles a second of the same program, median of 3
own_speed() {
  local what=$1 simulated=$2 i
  shift 2
  for i in 1 2 3; do
    "$WEFT" run "$BENCH_TMP/program" --quiet --json "$BENCH_TMP/s$i.json" "$@" || return 0
  done
  jq '.cycles / .wall_seconds' "$BENCH_TMP"/s[123].json | median | awk -v w="$what" \
    -v s="$simulated" '{
      printf "| **Weft**, %s | %s | %s | measured, this run | `bench/others.sh` |\n", w,
        ($1 >= 1e6 ? sprintf("%.1f M", $1 / 1e6) : sprintf("%.0f k", $1 / 1e3)), s}'
}

speeds() {
  local seconds simulated version
  echo "| simulator | cycles a second | what it simulates | kind | source |"
  echo "|---|--:|---|---|---|"
  "$WEFT" compile "$model" -o "$BENCH_TMP/program" --quiet
  own_speed "C model, \`--timing-only\`" "cycles, no values" --timing-only
  own_speed "C model" "values and cycles"
  own_speed "RTL in Verilator" "RTL of the device, memory of the C model" --backend rtl
  if read -r _ _ seconds simulated version <"$BENCH_TMP/scalesim"; then
    awk -v c="$simulated" -v t="$seconds" -v v="$version" 'BEGIN {
      printf "| SCALE-Sim %s | %.0f k | cycles, no values | %s | `%s` |\n", v, c / t / 1e3,
        "measured, this run", "bench/peers_scalesim.py"}'
  fi
  published bench/peers_simulators.tsv . | awk -F '\t' '{
    split($5, part, "/")
    printf "| %s | %s | %s | %s | [%s](%s) |\n", $1, $2, $3, $4, part[3], $5}'
}

scalesim
{
  echo
  {
    own "DRAM 8 B/cycle, 256 KiB of scratchpad"
    own "\`--no-groups --no-overlap --set dw_lanes=0\`: the array alone, layer by layer" \
      --no-groups --no-overlap --set dw_lanes=0
    scalesim_row
    bench/vela.sh "$model" "$network" || echo "others.sh: Vela failed" >&2
    published bench/peers_published.tsv MobileNetV2
    published bench/peers_published.tsv '!MobileNetV2'
  } | table
  echo
} | write_section "peers"
networks >"$BENCH_TMP/networks"
if [ -s "$BENCH_TMP/networks" ]; then
  {
    echo
    echo "| network | Weft edge-256 | Ethos-U55-256, Vela | ratio |"
    echo "|---|--:|--:|--:|"
    cat "$BENCH_TMP/networks"
    echo
  } | write_section "vela"
fi
{
  echo
  speeds
  echo
} | write_section "simulators"
