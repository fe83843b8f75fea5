#!/usr/bin/env bash
# What parts of the machine and of the compiler are worth on one network: cycles and DRAM traffic,
# first from the bare array upwards, one part more a line, then with one thing changed at a time;
# written into docs/performance.md.
#
# parts.sh [MODEL.tflite]: by default MobileNetV2 1.0 224 from WEFT_TEST_DATA, else the demo's.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
model=${1:-$DATA/models/tflite/tf2_mobilenet_v2_1.0_224_ptq.tflite}
[ -f "$model" ] || model=models/cifar10_mobilenet_int8.tflite

base=
measure() { # OPTIONS...: sets cycles, bytes, share (MAC utilization)
  "$WEFT" run "$model" "$@" --timing-only --quiet --json "$BENCH_TMP/r.json"
  cycles=$(jq .cycles "$BENCH_TMP/r.json")
  bytes=$(jq '.dram_read_bytes + .dram_write_bytes' "$BENCH_TMP/r.json")
  share=$(jq .mac_utilization "$BENCH_TMP/r.json")
  base=${base:-$cycles}
}

step() { # WHAT OPTIONS...
  local what=$1
  shift
  measure "$@"
  awk -v w="$what" -v o="${*:+\`$*\`}" -v c="$cycles" -v b="$bytes" -v base="$base" -v u="$share" '
    BEGIN {
      printf "| %s | %s | %d | %.2f | %.1f%% | %.2f MB |\n", w, o, c, base / c, u * 100, b / 1e6}'
}

line() { # WHAT OPTIONS...
  local what=$1
  shift
  measure "$@"
  awk -v w="$what" -v o="${*:+\`$*\`}" -v c="$cycles" -v b="$bytes" -v base="$base" 'BEGIN {
    printf "| %s | %s | %d | %.2f | %.2f MB |\n", w, o, c, c / base, b / 1e6}'
}

{
  echo
  echo "\`$(basename "$model")\`, preset edge-256:"
  echo
  echo "| with | by | cycles | speed-up | MAC utilization | DRAM |"
  echo "|---|---|--:|--:|--:|--:|"
  step "the array alone, layer by layer" --no-groups --no-overlap --set dw_lanes=0
  step "+ depthwise engine" --no-groups --no-overlap
  step "+ fusion of layers" --no-overlap
  step "+ prefetch and overlap of units" # everything
  echo
  base=
  echo "| changed | by | cycles | ratio | DRAM |"
  echo "|---|---|--:|--:|--:|"
  line "nothing"
  line "layer by layer, no groups" --no-groups
  line "no prefetch, no overlap" --no-overlap
  line "no depthwise engine: the array does its layers" --set dw_lanes=0
  line "slower memory: latency 400" --set dram_latency=400
  line "the same with more reads outstanding" --set dram_latency=400 --set dma_slots=32
  line "half the memory bandwidth" --set dram_bytes=4
  line "twice the memory bandwidth" --set dram_bytes=16
  line "half the scratchpad" --set scratchpad_kib=128
  line "twice the scratchpad" --set scratchpad_kib=512
  line "half the weight buffer" --set weight_kib=32
  line "twice the weight buffer" --set weight_kib=128
  line "4 scratchpad banks" --set scratchpad_banks=4
  line "64 scratchpad banks" --set scratchpad_banks=64
  line "queues of 2 instructions" --set queue_depth=2
  echo
} | write_section "parts"
