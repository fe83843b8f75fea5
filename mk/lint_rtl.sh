#!/bin/sh
# Lints the RTL: every module as top under Verilator at every preset of PRESETS, Yosys and Icarus
# read each. GEN: the folder of generated constants. Arguments: the package, then the modules.
set -eu
pkg=$1
shift
bad=0
for preset in $PRESETS; do
  inc="-I$GEN -I$GEN/preset/$preset"
  for file in "$@"; do
    top=$(basename "$file" .sv)
    # shellcheck disable=SC2086 # inc is two words
    verilator --lint-only -Wall $inc -y rtl --top-module "$top" "$pkg" "$file" ||
      { echo "$preset: $file" >&2; bad=1; }
    # shellcheck disable=SC2086
    iverilog -g2012 $inc -y rtl -Y .sv -s "$top" -o /dev/null "$pkg" "$file" ||
      { echo "$preset: $file (Icarus)" >&2; bad=1; }
  done
  # shellcheck disable=SC2086
  yosys -q -p "read_verilog -sv $inc $pkg $*
      hierarchy -check -auto-top; proc; select -assert-none t:\$dlatch" ||
    { echo "$preset: Yosys" >&2; bad=1; }
done
exit $bad
