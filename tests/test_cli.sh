#!/usr/bin/env bash
# The command-line program from outside: error lines and exit codes, JSON keys, files, and that a
# program file runs like the network it was made of. A tiny network (convolution, reshape, softmax)
# is part of this script; with the test data there, real ones run too.
#
# WEFT: the program (build/weft); WEFT_TEST_DATA: the test data (../shared). Prints "ok NAME",
# "not ok NAME" or "skipped NAME: why" per test, then a last line of counts.
set -u
WEFT=$(realpath "${WEFT:-build/weft}")
DATA=$(realpath -m "${WEFT_TEST_DATA:-../shared}")
passed=0 failed=0 skipped=0
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 1

ok() { echo "ok $1"; passed=$((passed + 1)); }
not_ok() { echo "not ok $1: $2"; failed=$((failed + 1)); }
skip() { echo "skipped $1: $2"; skipped=$((skipped + 1)); }
# check NAME COMMAND...: the command succeeds
check() {
  local name=$1 out
  shift
  if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$(head -c 300 <<<"$out")"; fi
}
# refused NAME TEXT ARGS...: exit status 2, nothing on stdout, one line on stderr that begins with
# "weft: " and contains TEXT, and no new file
refused() {
  local name=$1 text=$2 status before
  shift 2
  before=$(ls -A)
  "$WEFT" "$@" >"$T.out" 2>"$T.err"
  status=$?
  if [ $status != 2 ]; then
    not_ok "$name" "exit status $status"
  elif [ -s "$T.out" ] || [ "$(wc -l <"$T.err")" != 1 ] || ! grep -q '^weft: ' "$T.err"; then
    not_ok "$name" "not one line on stderr: $(head -c 300 "$T.err")"
  elif ! grep -qF -- "$text" "$T.err"; then
    not_ok "$name" "'$text' is not in: $(cat "$T.err")"
  elif [ "$(ls -A)" != "$before" ]; then
    not_ok "$name" "left a file behind"
  else
    ok "$name"
  fi
  rm -f "$T.out" "$T.err"
}

base64 -d <<'END' | gzip -dc >tiny.tflite
H4sIAAAAAAACA3VTTShEURQ+b+YxP73GLKZpppAyC8XCXyIvZiFKkgVlYUFiISXMwkpTrFBiNWwoxQYrVqzYYMVqrFiRxVih
RIzv3nvemzeGU98799xzz3fOPfe8UiLq7+xpICkBCpFOXjKwDsIicgMxIALobL/jYwIpF5EGu4L3h2A8QW8Dhs0UlGy1f/Dc
AitAnBRPEWshxUANDg0jhwHswzEI6JqqM8LcHuQJqBAfjsEieJR2coqc81/ZLFGy/SIrNEWjMswPFlWpn88G+bzm0G55pwDy
kcxgqJzhsN03tevhvokwq5YqB4eb7ydsl+QM2pHMqWnsN+RuXj63iP+Q9yCfKXrENWawF3HUm8wqIbunyVbR09nRqZmxWZVb
43fp/i7kM7/z+T4L+dqEb3xyJEGUz7fJfI18d3FuBXuhP/gsLhGfaMjvu273PYQOeOxZEulCnFNnnajP9XgcvLqMI/mmGdjl
ZImaHcWWm50+zhu37o+YmKOG/0T4/OlK05/eMVfP3kxZS10uzoKLp9oLTzHzNgELS2uprd2Do5Ozy+v03UPm5UPzloTLYtX1
LfGu3oGh0YnpucXl9Y3tvcPj0/Orm9v7x+fXT2vmvHI+jNzM+TrwaeYZNrhb1h8d+TXP5JhFSLusvbbwDVSfdbn+AWkHuK0w
BAAA
END

# --- command lines ----------------------------------------------------------------------------
refused no-command "no command"
refused unknown-command "unknown command 'fly', accepted: run cosim compile disasm info eval" fly
for c in run compile disasm info eval; do
  refused "$c-nothing" "$c: nothing to" "$c"
  refused "$c-unknown-option" "unknown option '--fly'" "$c" --fly
  check "$c-help" grep -q "Usage: weft $c" <("$WEFT" "$c" --help)
done
check help grep -q "weft COMMAND --help" <("$WEFT" --help)
check run-help-lists-keys grep -q "dram_latency  *100  1..1000" <("$WEFT" run --help)
for o in --input --normalize --seed --backend --preset --config --set --check --races \
  --no-check-races --timing-only --portable --output --labels --json --report --trace --quiet; do
  check "run-help$o" grep -q -- "^  $o " <("$WEFT" run --help)
done
refused value-missing "--json needs a value" run tiny.tflite --json
refused value-unwanted "--quiet takes no value" run tiny.tflite --quiet=1
refused two-models "unexpected argument 'b'" run tiny.tflite b
refused bad-number "--seed is 'x'" run tiny.tflite --seed x

# --- bad inputs -------------------------------------------------------------------------------
printf 'x' >x.bin
printf 'rows = 7\n' >rows.ini
printf 'no_key = 7\n' >no_key.ini
printf 'a\nb\n' >two.txt
head -c 700 tiny.tflite >cut.tflite
refused no-model "none.tflite: No such file" run none.tflite
refused folder-as-model "/tmp: not a regular file" run /tmp
refused not-a-model "x.bin" run x.bin
refused cut-model "cut.tflite" run cut.tflite
refused unknown-preset "unknown preset 'x', accepted: edge-256" run tiny.tflite --preset x
refused bad-key-value "rows.ini:1: key rows is 7" run tiny.tflite --config rows.ini
refused unknown-key "unknown key 'no_key'" run tiny.tflite --config no_key.ini
refused set-form "--set: found 'rows'" run tiny.tflite --set rows
refused set-relation "vec_lanes" run tiny.tflite --set vec_lanes=64
refused no-rtl "no library for these keys: make rtl CONFIG=FILE.ini" run tiny.tflite --backend rtl \
  --set dma_slots=9
refused cosim-no-rtl "no library for these keys: make rtl CONFIG=FILE.ini" cosim tiny.tflite \
  --set dma_slots=9
refused waves-of-the-model "--waves needs --backend rtl" run tiny.tflite --waves x.fst
refused window-alone "--window 1:2 without --waves" cosim tiny.tflite --window 1:2
refused window-backwards "found '9:2', accepted FROM:TO" cosim tiny.tflite --waves x.fst \
  --window 9:2
refused rtl-timing-only "exclude each other" run tiny.tflite --backend rtl --timing-only
refused unknown-backend "found 'gpu', accepted: sim, ref, rtl" run tiny.tflite --backend gpu
refused input-size "holds 1 bytes" run tiny.tflite --input x.bin
refused input-kind "accepted: .npy .png .jpg .bmp .bin" run tiny.tflite --input two.txt
refused input-missing "none.npy" run tiny.tflite --input none.npy
refused input-count "2 --input given, the network has 1" run tiny.tflite --input x.bin --input x.bin
refused normalize "found '0..2', accepted: auto" run tiny.tflite --normalize 0..2
refused labels-count "two.txt: 2 names" run tiny.tflite --labels two.txt
refused output-count "2 --output given" run tiny.tflite --output a.npy --output b.npy
for o in --output --json --report --trace; do
  refused "no-folder$o" "none/f" run tiny.tflite $o none/f
done
refused check-timing "exclude each other" run tiny.tflite --check --timing-only
refused check-ref "exclude each other" run tiny.tflite --check --backend ref
refused compile-no-output "no file to write" compile tiny.tflite
refused compile-no-folder "none/p" compile tiny.tflite -o none/p
refused info-not-a-model "x.bin" info x.bin
refused disasm-not-a-model "x.bin" disasm x.bin

# --- running ----------------------------------------------------------------------------------
if command -v jq >/dev/null; then have_jq=1; else have_jq=0; fi
# json NAME FILTER FILE: the filter yields true
json() {
  if [ $have_jq = 0 ]; then skip "$1" "no jq"; else check "$1" jq -e "$2" "$3"; fi
}
check run "$WEFT" run tiny.tflite --check --json a.json --output a.npy --report a.html \
  --trace a.trace.json
json json-keys 'has("model","preset","backend","cycles","lower_bound_cycles","macs",
  "mac_utilization","array_utilization","peak_utilization","dram_read_bytes","dram_write_bytes",
  "compile_seconds","wall_seconds","check","outputs","layers","units","host_ops","instructions",
  "seed")' a.json
json json-check '.check == {elements: 144, mismatches: 0, max_abs_diff: 0}' a.json
json json-layers '([.layers[].cycles] | add) == .cycles and
  ([.layers[].dram_bytes] | add) == .dram_read_bytes + .dram_write_bytes and
  (.layers[0] | has("name", "op", "unit", "macs", "cycles", "dram_bytes", "utilization"))' a.json
# shellcheck disable=SC2016 # jq's variable
json json-units '.cycles as $c | [.units[] | add == $c] | all and length == 6' a.json
json json-outputs '.outputs[0] | .name == "scores" and .shape == [1, 48] and .dtype == "int8" and
  (.top | length == 5) and (.top[0] | has("index", "value"))' a.json
json json-trace '.traceEvents | length > 0' a.trace.json
check html grep -qi "</html>" a.html
check table-width awk 'length > 100 { bad = 1 } END { exit bad }' <("$WEFT" run tiny.tflite --check)
check check-line grep -q "^check: 0 mismatches (144 elements)" <("$WEFT" run tiny.tflite --check)
check quiet test -z "$("$WEFT" run tiny.tflite --quiet)"
"$WEFT" run tiny.tflite --json - >stdout.json
json json-to-stdout '.model == "tiny" and .check == null' stdout.json

for p in nano-16 micro-64 edge-1024; do
  check "check-$p" "$WEFT" run tiny.tflite --preset $p --check --output p.npy
  check "same-output-$p" cmp a.npy p.npy
done
check portable "$WEFT" run tiny.tflite --portable --check --output p.npy
check same-output-portable cmp a.npy p.npy
check ref "$WEFT" run tiny.tflite --backend ref --output r.npy --json r.json
check same-output-ref cmp a.npy r.npy
json ref-has-no-cycles '.cycles == null and .backend == "ref"' r.json
check timing-only "$WEFT" run tiny.tflite --timing-only --json t.json
"$WEFT" run tiny.tflite --seed 2 --output s.npy --quiet
check seeds-differ test "$(cksum <s.npy)" != "$(cksum <a.npy)"
tail -c 48 a.npy >out.bin # the data of the .npy
head -c 32 /dev/zero >zero.bin
check raw-input "$WEFT" run tiny.tflite --input zero.bin --output z.npy --check
seq 0 47 >names.txt
"$WEFT" run tiny.tflite --labels names.txt --json l.json --quiet
json labels '[.outputs[0].top[] | .label == (.index | tostring)] | all' l.json

# --- programs ---------------------------------------------------------------------------------
check compile "$WEFT" compile tiny.tflite -o tiny.weft --preset micro-64
refused preset-conflict "tiny.weft: compiled for rows = 8, asked for rows = 16" \
  run tiny.weft --preset edge-256
refused set-conflict "compiled for dram_latency = 100, asked for dram_latency = 9" \
  run tiny.weft --set dram_latency=9
refused compile-program "is a program already" compile tiny.weft -o again.weft
head -c 2000 tiny.weft >cut.weft
refused cut-program "cut.weft" run cut.weft
check run-program "$WEFT" run tiny.weft --check --json b.json --output b.npy
check run-program-preset "$WEFT" run tiny.weft --preset micro-64 --quiet
check same-output-program cmp a.npy b.npy
"$WEFT" run tiny.tflite --preset micro-64 --check --json c.json --quiet
if [ $have_jq = 1 ]; then
  check same-cycles-program test "$(jq -c '[.cycles, .layers, .units]' b.json)" = \
    "$(jq -c '[.cycles, .layers, .units]' c.json)"
  check same-cycles-timing-only test "$(jq .cycles t.json)" = "$(jq .cycles a.json)"
else
  skip same-cycles-program "no jq"
  skip same-cycles-timing-only "no jq"
fi
check disasm grep -q "GEMM .*out_h=4" <("$WEFT" disasm tiny.weft)
check disasm-same cmp <("$WEFT" disasm tiny.weft) <("$WEFT" disasm tiny.tflite --preset micro-64)
check info-model grep -q "operators: 3, 864 MACs" <("$WEFT" info tiny.tflite)
check info-program grep -q "^program for micro-64" <("$WEFT" info tiny.weft)
check info-presets grep -q "^nano-16: 4 x 4" <("$WEFT" info --presets)
check info-keys grep -q "scratchpad_kib" <("$WEFT" info --keys)

# --- real networks ----------------------------------------------------------------------------
kws=$DATA/models/tflite/kws_ref_model.tflite
golden=$DATA/models/golden/tflite/kws_ref_model/tst_000000_Stop_7
if [ -f "$kws" ] && [ -d "$golden" ]; then
  check kws "$WEFT" run "$kws" --input "$golden/input0_t0.npy" --check --output k.npy
  check kws-golden cmp <(tail -c 12 k.npy) <(tail -c 12 "$golden/output0_t34.npy")
else
  skip kws "no $kws"
fi
vww=$DATA/models/tflite/vww_96_int8.tflite
if [ -f "$vww" ] && [ -f "$DATA/models/images/person.bmp" ]; then
  check photo "$WEFT" run "$vww" --input "$DATA/models/images/person.bmp" --check
else
  skip photo "no $vww"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
