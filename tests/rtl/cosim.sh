#!/usr/bin/env bash
# Whole networks on the C model and on the RTL (weft cosim): not a byte, not a cycle may differ. The
# demo's network, and those of WEFT_TEST_DATA where it is there; MobileNetV2 1.0 224 on edge-256.
# Needs the libraries of micro-64 and edge-256 (make rtl PRESET=...).
set -eu
WEFT=${WEFT:-build/weft}
DATA=${WEFT_TEST_DATA:-../shared}/models/tflite
good=0 bad=0 skipped=0

run() { # PRESET MODEL OPTIONS...
  local preset=$1 model=$2 said
  shift 2
  if [ ! -f "$model" ]; then
    echo "skipped $preset $(basename "$model"): not there"
    skipped=$((skipped + 1))
  elif said=$("$WEFT" cosim "$model" --preset "$preset" "$@" 2>&1); then
    echo "ok $preset $(basename "$model") $*: $(head -n 1 <<<"$said")"
    good=$((good + 1))
  else
    echo "not ok $preset $(basename "$model") $*"
    echo "$said"
    bad=$((bad + 1))
  fi
}

for preset in micro-64 edge-256; do
  run $preset models/cifar10_mobilenet_int8.tflite
  for name in kws_ref_model person_detect vww_96_int8 pretrainedResnet_quant; do
    run $preset "$DATA/$name.tflite"
  done
  run $preset models/cifar10_mobilenet_int8.tflite --jitter 1
done
# Odd shapes: see the files.
for odd in wide tall; do
  make -s rtl CONFIG=tests/rtl/$odd.ini PRESET=$odd
  for model in models/cifar10_mobilenet_int8.tflite "$DATA/kws_ref_model.tflite"; do
    WEFT_RTL_LIBRARY=build/rtl/$odd/libweft_rtl.so run edge-256 "$model" \
      --config tests/rtl/$odd.ini
  done
done
run edge-256 "$DATA/tf2_mobilenet_v2_1.0_224_ptq.tflite"
echo "$good passed, $bad failed, $skipped skipped"
[ $bad = 0 ]
