#!/usr/bin/env bash
# Proves the properties of rtl/formal/*.sv in every state that can be reached in so many cycles from
# reset, under any input that the assumptions there allow (bounded model checking), and that the
# interesting states are reached at all (cover); and those in modules under FORMAL, in any state.
# One line a property, then their counts. GEN: generated constants.
#
#   tests/rtl/prove.sh [NAME ...]     queue, semaphore, semaphores, axi_read, dispatch; all without
set -eu
cd "$(dirname "$0")/../.."
GEN=${GEN:-build/gen}
for tool in yosys yosys-smtbmc z3; do
  if ! command -v "$tool" >/dev/null; then
    echo "skipped: $tool is not there"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  fi
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# A small device: bursts of four beats, two fetch slots, so that everything wraps soon.
printf '%s\n' 'rows = 4' 'cols = 4' 'output_lanes = 4' 'vec_lanes = 4' 'dw_lanes = 4' \
  'dram_bytes = 64' 'fetch_slots = 2' 'queue_depth = 2' >"$out/small.ini"
"$GEN/weft-gen" config "$out/small.ini" >"$out/weft_config.vh"
good=0 bad=0

# ok LINE, not_ok LINE: a property that holds, or one of which that is not known
ok() {
  echo "ok $1"
  good=$((good + 1))
}
not_ok() {
  echo "not ok $1"
  bad=$((bad + 1))
}
# list RESULT STATUS LOG: the properties on stdin, all with that result if the status is 0
list() {
  local property
  while read -r property; do
    if [ "$2" = 0 ]; then ok "$name: $property: $1"; else not_ok "$name: $property: not $1"; fi
  done
  [ "$2" = 0 ] || grep -E 'failed in|Unreached|ERROR|SAT temporal' "$3" | sed 's/^/  /' || true
}

# elaborate NAME TOP COMMANDS FILE...: reads the package and the files, runs the commands
elaborate() {
  local name=$1 top=$2 commands=$3
  shift 3
  yosys -q -p "read_verilog -formal -sv -I$GEN -I$out rtl/weft_pkg.sv $*
    hierarchy -check -top $top; proc; flatten; $commands" >"$out/$name.log" 2>&1
}

# prove NAME DEPTH: NAME_formal in DEPTH cycles
prove() {
  local name=$1 depth=$2
  if ! elaborate "$name" "${name}_formal" "memory -nordff; opt -full; async2sync; dffunmap
      opt_clean; write_smt2 -stbv -wires $out/$name.smt2" \
    "rtl/weft_$name.sv" "rtl/formal/${name}_formal.sv"; then
    not_ok "$name: cannot be read: $(tail -n 1 "$out/$name.log")"
    return
  fi
  check "$name" assert "proved to depth $depth" -t "$depth"
  check "$name" cover "reached within depth $depth" -c -t "$depth"
}
# check NAME KIND RESULT OPTION...: the properties of that kind, by the solver
check() {
  local name=$1 kind=$2 result=$3 log=$out/$1.$2 status=0
  shift 3
  yosys-smtbmc --noprogress -s z3 "$@" "$out/$name.smt2" >"$log" 2>&1 || status=1
  list "$result" $status "$log" < <(awk -v kind="yosys-smt2-$kind" '$2 == kind {print $4}' \
    "$out/$name.smt2" | sort)
}

# always NAME MODULE...: properties under FORMAL in weft_NAME, from any state at all (induction)
always() {
  local name=$1 files=() status=0 m
  shift
  for m in "$@"; do files+=("rtl/weft_$m.sv"); done
  elaborate "$name" "weft_$name" "async2sync; opt -full; dffunmap
    sat -verify -tempinduct -maxsteps 3 -prove-asserts weft_$name" "${files[@]}" || status=1
  list "proved for every state" $status "$out/$name.log" < <(sed -n \
    's/^ *\(p_[a-z_]*\) : assert.*/\1/p' "rtl/weft_$name.sv")
}

[ $# != 0 ] || set -- queue semaphore semaphores axi_read dispatch
for which in "$@"; do
  case $which in
  queue) prove queue 12 ;;
  semaphore) prove semaphore 20 ;;
  semaphores) always semaphores semaphore semaphores ;;
  axi_read) prove axi_read 24 ;;
  dispatch) always dispatch decode dispatch ;;
  *) not_ok "$which: no such module" ;;
  esac
done
echo "$good passed, $bad failed, 0 skipped"
[ $bad = 0 ]
