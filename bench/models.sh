#!/usr/bin/env bash
# Cycles, lower bound, utilization and DRAM traffic of every network on every preset, written into
# docs/performance.md.
#
# models.sh [MODEL.tflite...]: by default models/*.tflite and those of WEFT_TEST_DATA.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
shopt -s nullglob
models=("$@")
[ $# -gt 0 ] || models=(models/*.tflite "$DATA"/models/tflite/*.tflite)

{
  echo
  echo "| network | preset | MACs | cycles | lower bound | ratio | MAC utilization |" \
    "DRAM read | written |"
  echo "|---|---|--:|--:|--:|--:|--:|--:|--:|"
  for model in "${models[@]}"; do
    for preset in nano-16 micro-64 edge-256 edge-1024; do
      "$WEFT" run "$model" --preset $preset --timing-only --quiet --json "$BENCH_TMP/r.json"
      jq -r --arg name "$(basename "$model" .tflite)" --arg preset $preset '
        def group: tostring | [while(length > 0; .[:-3]) | .[-3:]] | reverse | join(",");
        def tenth: . * 10 | round | "\(. / 10 | floor).\(. % 10)";
        "| \($name) | \($preset) | \(.macs / 1e6 | tenth) M | \(.cycles | group) " +
        "| \(.lower_bound_cycles | group) | \(.cycles / .lower_bound_cycles * 100 | round / 100) " +
        "| \(.mac_utilization * 100 | tenth)% | \(.dram_read_bytes / 1e3 | round | group) kB " +
        "| \(.dram_write_bytes / 1e3 | round | group) kB |"' "$BENCH_TMP/r.json"
    done
  done
  echo
} | write_section "models"
