#!/usr/bin/env bash
# Injected faults: one expression of the RTL changed at a time, the device of nano-16 built, and
# `make test`'s comparison with the C model run on it (tests/test_rtl.c). Every mutant must be
# caught; the unchanged RTL, built the same way first, must pass. The list is mutants.txt.
#
#   tests/rtl/mutants.sh [N...]     mutants by number; all without
#
# Environment: BUILD (build), GEN (build/gen), JOBS (mutants at a time). A mutant takes about half
# a minute of processor time. Needs build/tests/test_rtl.
set -eu
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build} GEN=${GEN:-build/gen}

# One mutant a line: module, what breaks, old text, new text, separated by tabs.
mutants() {
  grep -v '^#' tests/rtl/mutants.txt | sed -E 's/^  //' | paste - - - | sed -E 's/: /\t/'
}

# build FOLDER: FOLDER/rtl as FOLDER/libweft_rtl.so; quick to make rather than quick to run
build() {
  local dir=$1
  key() { sed -n "s/.* $1 = \([0-9]*\);.*/\1/p" "$GEN/preset/nano-16/weft_config.vh"; }
  verilator --cc -O3 -Wno-lint -Wno-style --x-initial unique --noassert --exe --build -j 1 \
    -I"$GEN" -I"$GEN/preset/nano-16" --Mdir "$dir/obj" --top-module weft_top \
    -CFLAGS "-fPIC -std=c++17 -I$PWD/driver -DWEFT_RTL_ADDR_BITS=20 \
      -DWEFT_RTL_BUS_BYTES=$(key CFG_DRAM_BYTES) -DWEFT_RTL_WORD_BYTES=$(key CFG_WORD_BYTES)" \
    -MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0" -LDFLAGS "-shared" -o ../libweft_rtl.so \
    "$dir/rtl/weft_pkg.sv" "$dir"/rtl/weft_[!p]*.sv "$dir"/rtl/weft_pe*.sv \
    "$PWD/driver/rtl_shim.cc" >"$dir/build.log" 2>&1
}

# passes FOLDER: the comparison finds nothing
passes() {
  WEFT_RTL_LIBRARY=$1/libweft_rtl.so timeout 600 "$BUILD/tests/test_rtl" >"$1/test.log" 2>&1
}

# Mutant N, or 0 for the unchanged RTL.
one() {
  local n=$1 dir module old new what
  dir=$(mktemp -d)
  cp -r rtl "$dir/rtl"
  if [ "$n" != 0 ]; then
    IFS=$'\t' read -r module what old new < <(mutants | sed -n "${n}p")
    if ! OLD=$old NEW=$new perl -0777 -i -pe '
        my ($old, $new) = ($ENV{OLD}, $ENV{NEW});
        $n = () = /\Q$old\E/g; die "found $n times\n" if $n != 1; s/\Q$old\E/$new/' \
      "$dir/rtl/$module.sv" 2>"$dir/build.log"; then
      echo "not ok $n $module: the text to change stands there not exactly once ($old)"
      rm -rf "$dir"
      return
    fi
  fi
  if ! build "$dir"; then
    echo "not ok $n ${module:-}: does not build: $(grep -m 1 -i error "$dir/build.log")"
  elif [ "$n" = 0 ]; then
    if passes "$dir"; then echo "ok 0 the RTL as it is passes"; else
      echo "not ok 0 the RTL as it is fails"
      tail -n 20 "$dir/test.log"
    fi
  elif passes "$dir"; then
    echo "not ok $n $module, $what: not caught"
  else
    what+=": caught, $(sed -nE 's/^\[  FAILED  \] ([a-z_0-9]+).*/\1/p' "$dir/test.log" | head -n 1)"
    echo "ok $n $module, $what"
  fi
  rm -rf "$dir"
}

if [ "${1:-}" = --one ]; then
  one "$2"
  exit 0
fi
numbers=${*:-$(seq 0 "$(mutants | wc -l)")}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list
printf '%s\n' $numbers | xargs -n 1 -P "${JOBS:-2}" tests/rtl/mutants.sh --one | tee "$log"
bad=$(grep -c '^not ok' "$log" || true)
echo "$(grep -c '^ok' "$log" || true) passed, $bad failed, 0 skipped"
[ "$bad" = 0 ]
