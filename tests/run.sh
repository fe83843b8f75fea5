#!/usr/bin/env bash
# Runs test programs, prints each one's result and, as the last line, the sums:
#   N passed, N failed, N skipped
#
# The scripts named below, of every tests/test_*.c the cmocka program in $BUILD/tests, and of every
# tests/rtl/test_*.cc the one in build/rtl/PRESET (with WEFT_TEST_FULL, of more presets); with
# arguments (test_isa test_cli.sh ...), those alone.
# Environment: BUILD (build), JOBS (programs at a time), WEFT_TEST_DATA, WEFT_TEST_TIMEOUT (seconds
# a program may take), SAN=1 (built with sanitizers), WEFT_TEST_FULL=1 (the long runs).
# The output of a program that passes is kept in $BUILD/tests/log/, that of others shown as well.
set -eu
cd "$(dirname "$0")/.."
export BUILD=${BUILD:-build}
export WEFT=${WEFT:-$BUILD/weft}
LOG=$BUILD/tests/log
LIMIT=${WEFT_TEST_TIMEOUT:-$([ "${WEFT_TEST_FULL:-}" ] && echo 14400 || echo 900)}
SCRIPTS=(tests/tidy.sh tests/test_cli.sh tests/check_models.sh)
RTL_SCRIPTS=(tests/rtl/icarus.sh tests/rtl/prove.sh)
RTL_FULL=(tests/rtl/cosim.sh tests/rtl/mutants.sh tests/rtl/netlist.sh)
LONG=(test_random_graphs test_faults test_golden) # begun first, as are the scripts

# count WORD FILE: the sum of the numbers in cmocka's summaries, "[  PASSED  ] 3 test(s).", where
# a list of names may follow, each with the same word and no number.
count() {
  sed -En "s/^\[ +$1 +\] ([0-9]+) test\(s\).*/\1/p" "$2" | awk '{n += $1} END {print n + 0}'
}

# Runs one program; leaves "passed failed skipped" in LOG/NAME.counts.
run_one() {
  local path=$1 name out status=0 begin p f s line
  name=$(basename "$path")
  [[ $path = build/rtl/* ]] && name=$(basename "$(dirname "$path")")_$name
  out=$LOG/$name.txt
  begin=$SECONDS
  timeout -k 10 "$LIMIT" "$path" >"$out" 2>&1 || status=$?
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$out" | tail -n 1 || true)
  if [ -n "$line" ]; then
    read -r p _ f _ s _ <<<"$line"
  else
    p=$(count PASSED "$out") f=$(count FAILED "$out") s=$(count SKIPPED "$out")
  fi
  # died, ran out of time, failed outside of its tests, or had none
  if [ $status != 0 ] && [ "$f" = 0 ] || [ $((p + f + s)) = 0 ]; then f=$((f + 1)); fi
  echo "$p $f $s" >"$LOG/$name.counts"
  line=$(printf '%-26s %4d passed %3d failed %3d skipped  %4d s' "$name" "$p" "$f" "$s" \
    $((SECONDS - begin)))
  if [ "$f" != 0 ]; then
    line+="  exit status $status; the end of its output:"$'\n'
    line+=$(tail -n 40 "$out" | sed 's/^/    /')
  fi
  echo "$line"
}

if [ "${1:-}" = --one ]; then
  run_one "$2"
  exit 0
fi
rm -rf "$LOG"
mkdir -p "$LOG"
programs=()
if [ $# = 0 ]; then
  programs=("${SCRIPTS[@]}")
  for t in "${LONG[@]}"; do programs+=("$BUILD/tests/$t"); done
  for t in tests/test_*.c; do
    t=$(basename "$t" .c)
    [[ " ${LONG[*]} " = *" $t "* ]] || programs+=("$BUILD/tests/$t")
  done
  if [ -z "${SAN:-}" ]; then # the RTL's modules, of every configuration that was built
    programs+=("${RTL_SCRIPTS[@]}")
    for t in tests/rtl/test_*.cc; do
      for p in nano-16 ${WEFT_TEST_FULL:+micro-64 edge-256}; do
        programs+=("build/rtl/$p/$(basename "$t" .cc)")
      done
    done
    [ -z "${WEFT_TEST_FULL:-}" ] || programs+=("${RTL_FULL[@]}")
  fi
fi
for t in "$@"; do
  case $t in
  *.sh) programs+=("tests/$t") ;;
  *) programs+=("$BUILD/tests/$t") ;;
  esac
done
printf '%s\0' "${programs[@]}" | xargs -0 -n 1 -P "${JOBS:-2}" tests/run.sh --one
awk '{p += $1; f += $2; s += $3}
  END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f != 0}' "$LOG"/*.counts
