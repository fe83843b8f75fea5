#!/usr/bin/env bash
# Every network at hand through `weft run --check`: 0 mismatches on every preset, the numbers of the
# JSON consistent, no operator left to the host without need.
#
# Networks: models/*.tflite and, when it is there, WEFT_TEST_DATA/models/tflite. With SAN=1, which
# is slow, only the default preset. Ends with a line of counts.
set -u
WEFT=${WEFT:-build/weft}
DATA=${WEFT_TEST_DATA:-../shared}
presets=(edge-256 nano-16 micro-64 edge-1024)
[ -n "${SAN:-}" ] && presets=(edge-256)
seeds=(1)
[ -n "${WEFT_TEST_FULL:-}" ] && seeds=(1 2 3 4 5)
passed=0 failed=0 skipped=0
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# shellcheck disable=SC2016 # jq's variables, not the shell's
# What must hold of a run's JSON, whatever the network.
consistent='.check.mismatches == 0 and .check.elements > 0 and
  .cycles >= .lower_bound_cycles and ([.layers[].cycles] | add) == .cycles and
  (.cycles as $c | [.units[] | add == $c] | all) and
  ([.layers[].dram_bytes] | add) == .dram_read_bytes + .dram_write_bytes'

one() { # MODEL PRESET SEED
  local name out options=(--check --quiet --json "$T/r.json")
  name="$(basename "$1" .tflite) $2 seed $3"
  if ! out=$("$WEFT" run "$1" --preset "$2" --seed "$3" "${options[@]}" 2>&1); then
    echo "not ok $name: $(tail -n 2 <<<"$out")"
    failed=$((failed + 1))
  elif command -v jq >/dev/null && ! jq -e "$consistent" "$T/r.json" >/dev/null; then
    echo "not ok $name: the JSON's numbers contradict each other"
    failed=$((failed + 1))
  else
    echo "ok $name"
    passed=$((passed + 1))
  fi
}

if [ ! -d "$DATA/models/tflite" ]; then
  echo "skipped the networks of WEFT_TEST_DATA: no $DATA/models/tflite"
  skipped=1
fi
shopt -s nullglob
for model in models/*.tflite "$DATA"/models/tflite/*.tflite; do
  for preset in "${presets[@]}"; do
    for seed in "${seeds[@]}"; do one "$model" "$preset" "$seed"; done
  done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
