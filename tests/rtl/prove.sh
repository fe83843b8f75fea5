#!/bin/sh
# Proves the properties of rtl/formal/*.sv in every state that can be reached in so many cycles from
# reset, under any input that the assumptions there allow (bounded model checking), and that the
# interesting states are reached at all (cover); and those in modules under FORMAL, in any state.
# One line a property; the exit status says whether all hold. GEN: generated constants.
#
#   tests/rtl/prove.sh [NAME ...]     queue, semaphore, semaphores, axi_read, dispatch; all without
set -eu
GEN=${GEN:-build/gen}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# A small device: bursts of four beats, two fetch slots, so that everything wraps soon.
printf '%s\n' 'rows = 4' 'cols = 4' 'output_lanes = 4' 'vec_lanes = 4' 'dw_lanes = 4' \
  'dram_bytes = 64' 'fetch_slots = 2' 'queue_depth = 2' > "$out/small.ini"
"$GEN/weft-gen" config "$out/small.ini" > "$out/weft_config.vh"
bad=0

# prove NAME DEPTH: NAME_formal in DEPTH cycles
prove() {
  name=$1 depth=$2
  yosys -q -p "read_verilog -formal -sv -I$GEN -I$out rtl/weft_pkg.sv rtl/weft_$name.sv \
      rtl/formal/${name}_formal.sv
    hierarchy -check -top ${name}_formal; proc; flatten; memory -nordff; opt -full
    async2sync; dffunmap; opt_clean; write_smt2 -stbv -wires $out/$name.smt2" || { bad=1; return; }
  result='proved to depth'
  yosys-smtbmc --noprogress -s z3 -t "$depth" "$out/$name.smt2" > "$out/$name.log" 2>&1 ||
    result=failed
  reached='reached within depth'
  yosys-smtbmc --noprogress -s z3 -c -t "$depth" "$out/$name.smt2" > "$out/$name.cover" 2>&1 ||
    reached=unreached
  [ "$result" != failed ] || { bad=1; grep -E 'failed|Error' "$out/$name.log" || true; }
  [ "$reached" != unreached ] || { bad=1; grep -E 'Unreached|Error' "$out/$name.cover" || true; }
  list assert "$result $depth"
  list cover "$reached $depth"
}
# list KIND RESULT: a line for each property of that kind
list() {
  sed -n "s/^; yosys-smt2-$1 [0-9]* \([^ ]*\).*/\1/p" "$out/$name.smt2" | sort |
    while read -r property; do echo "$name: $property: $2"; done
}

# always NAME MODULE...: properties under FORMAL in weft_NAME, from any state at all (induction)
always() {
  name=$1
  shift
  files=
  for m in "$@"; do files="$files rtl/weft_$m.sv"; done
  result='proved for every state'
  yosys -q -p "read_verilog -formal -sv -I$GEN -I$out rtl/weft_pkg.sv $files
    hierarchy -check -top weft_$name; proc; flatten; async2sync; opt -full; dffunmap
    sat -verify -tempinduct -maxsteps 3 -prove-asserts weft_$name" > "$out/$name.log" 2>&1 ||
    { result=failed; bad=1; tail -n 1 "$out/$name.log"; }
  sed -n "s/^ *\(p_[a-z_]*\) : assert.*/$name: \1: $result/p" "rtl/weft_$name.sv"
}

for which in ${*:-queue semaphore semaphores axi_read dispatch}; do
  case $which in
    queue) prove queue 12 ;;
    semaphore) prove semaphore 20 ;;
    semaphores) always semaphores semaphore semaphores ;;
    axi_read) prove axi_read 24 ;;
    dispatch) always dispatch decode dispatch ;;
    *) echo "unknown: $which" >&2; exit 2 ;;
  esac
done
exit $bad
