#!/usr/bin/env bash
# Array, output stage and DMA in Icarus Verilog, where unknown values stay unknown: no X may get out
# of reset. GEN: the folder of generated constants; PRESETS: which configurations.
set -eu
cd "$(dirname "$0")/../.."
GEN=${GEN:-build/gen}
if ! command -v iverilog >/dev/null; then
  echo "skipped: iverilog is not there"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
good=0 bad=0
for preset in ${PRESETS:-nano-16 micro-64}; do
  for tb in array output_stage dma; do
    {
      iverilog -g2012 -Itests/rtl -I"$GEN" -I"$GEN/preset/$preset" -y rtl -Y .sv -s "icarus_$tb" \
        -o "$out/$preset-$tb" rtl/weft_pkg.sv "tests/rtl/icarus_$tb.sv"
      vvp -n "$out/$preset-$tb"
    } >"$out/log" 2>&1 || true
    if grep -q '^PASS' "$out/log"; then
      echo "ok $preset: $(sed -n 's/^PASS //p' "$out/log")"
      good=$((good + 1))
    else
      echo "not ok $preset: $tb"
      head -n 8 "$out/log"
      bad=$((bad + 1))
    fi
  done
done
echo "$good passed, $bad failed, 0 skipped"
[ $bad = 0 ]
