#!/usr/bin/env bash
# How fast the compiler and the C model are, beside the reference kernels and two CPU runtimes, on
# this machine and in this run; written into docs/performance.md.
#
# speed.sh [MODEL.tflite [MODEL.onnx]]: by default MobileNetV2 1.0 224 from WEFT_TEST_DATA, else the
# demo's.
# Everything uses one thread. Each time is the median of RUNS (5) runs after one that is not
# counted. PEERS=0: no CPU runtimes (otherwise they are installed under build/peers, from PyPI).
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
base=$DATA/models
model=${1:-$base/tflite/tf2_mobilenet_v2_1.0_224_ptq.tflite}
onnx=${2:-$base/onnx/$(basename "$model" .tflite)_qdq.onnx}
RUNS=${RUNS:-5}
[ -f "$model" ] || model=models/cifar10_mobilenet_int8.tflite

# weft_time FIELD FILE ARGUMENTS...: median of a field of the JSON
weft_time() {
  local field=$1 i
  shift
  for ((i = 0; i <= RUNS; i++)); do
    "$WEFT" run "$@" --quiet --json "$BENCH_TMP/t.json"
    [ $i = 0 ] || jq ".$field" "$BENCH_TMP/t.json"
  done | median
}

# peer NAME FILE: seconds of one inference, or nothing
peer() {
  [ "${PEERS:-1}" = 1 ] && [ -f "$2" ] || return 0
  if [ ! -x build/peers/bin/python ]; then
    { python3 -m venv build/peers && build/peers/bin/pip -q install numpy onnxruntime \
      ai-edge-litert; } >&2 || { rm -rf build/peers; return 0; }
  fi
  build/peers/bin/python bench/peers.py "$1" "$2" "$RUNS" 2>/dev/null || true
}

row() { # WHAT SECONDS
  local time="not measured"
  [ -z "$2" ] || [ "$2" = null ] || time=$(show_time "$2")
  echo "| $1 | $time |"
}

program=$BENCH_TMP/program.weft
"$WEFT" compile "$model" -o "$program" --quiet
{
  echo
  echo "\`$(basename "$model")\`, preset edge-256, one thread, median of $RUNS runs, on"
  echo "$(machine), $(date -u +%Y-%m-%d)."
  echo
  echo "| what | time |"
  echo "|---|--:|"
  row "compile the network" "$(weft_time compile_seconds "$model" --timing-only)"
  row "C model, values and cycles" "$(weft_time wall_seconds "$program")"
  row "C model, cycles only (\`--timing-only\`)" \
    "$(weft_time wall_seconds "$program" --timing-only)"
  row "C model without vector instructions (\`--portable\`)" \
    "$(weft_time wall_seconds "$program" --portable)"
  row "reference kernels (\`--backend ref\`)" \
    "$(weft_time wall_seconds "$program" --backend ref)"
  row "onnxruntime, 1 thread (the CPU itself, int8)" "$(peer onnxruntime "$onnx")"
  row "LiteRT, 1 thread (the CPU itself, int8)" "$(peer litert "$model")"
  "$WEFT" run "$program" --timing-only --quiet --json "$BENCH_TMP/c.json"
  cycles=$(jq .cycles "$BENCH_TMP/c.json")
  seconds=$(weft_time wall_seconds "$program")
  echo
  awk -v c="$cycles" -v t="$seconds" 'BEGIN {
    printf "The C model simulates %.1f million cycles a second with values.\n", c / t / 1e6}'
  echo
} | write_section "speed"
