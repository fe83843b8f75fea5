#!/usr/bin/env bash
# Injected faults: one expression of the RTL changed at a time, the device of nano-16 built, and
# `make test`'s comparison with the C model run on it (tests/test_rtl.c). Every mutant must be
# caught; the unchanged RTL, built the same way first, must pass.
#
#   tests/rtl/mutants.sh [N...]     mutants by number; all without
#
# Environment: BUILD (build), GEN (build/gen), JOBS (mutants at a time). A mutant takes about half
# a minute of processor time. Needs build/tests/test_rtl.
set -eu
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build} GEN=${GEN:-build/gen}

# MODULE @@ TEXT THAT STANDS THERE EXACTLY ONCE @@ TEXT IN ITS PLACE @@ what it breaks
mutants() {
  cat <<'LIST'
weft_axi_read @@ q_valid == 2'b11 ? ~last : @@ q_valid == 2'b11 ? last : @@ round robin of addresses
weft_fetch @@ take & (&read_at[SI-1:0]) @@ take & (&(~read_at[SI-1:0])) @@ when a program slot is free
weft_dispatch @@ (sync ? idle : @@ (sync ? 1'b1 : @@ END and FENCE wait for the units
weft_queue @@ count == N'(DEPTH) @@ count == N'(DEPTH - 1) @@ places of a queue
weft_semaphore @@ else if (take & ~post) @@ else if (take) @@ a token posted while one is taken
weft_counters @@ ~active[u] & queued[u] @@ queued[u] @@ what counts as waiting for operands
weft_walk @@ ring + 12'd1 >= rows_q @@ ring + 12'd1 > rows_q @@ ring buffers wrap
weft_spad @@ if (reads[k]) raddr |= rd_addr[A*k+:LO] @@ raddr |= rd_addr[A*k+:LO] @@ a bank's reader
weft_load_addr @@ bytes      = run_ends ? left[8:0] : room @@ bytes      = run_ends ? left[8:0] - 9'd1 : room @@ last byte of a run
weft_load_addr @@ reach > 37'(i.row_bytes) @@ reach >= 37'(i.row_bytes + 1'b1) + 37'd1 @@ padding behind a row
weft_load_words @@ c.fill && pixel_ends ? @@ c.fill && row_ends ? @@ fill behind every pixel
weft_load_words @@ n_back     = taken[6:0] - v[6:0] - n_lo @@ n_back     = taken[6:0] - v[6:0] @@ bytes of earlier windows
weft_load_slots @@ used < 7'(SLOTS) @@ used < 7'(SLOTS - 1) @@ slots of LOAD
weft_load_slots @@ full > 7'd1 || @@ full > 7'd0 || @@ words that wait for their last byte
weft_store_pack @@ second || to_word <= 9'd256 @@ second || to_word < 9'd256 @@ words at the end of a block
weft_store_pack @@ used < 5'(SLOTS) @@ used <= 5'(SLOTS) @@ slots of STORE
weft_store_words @@ insn_ends || next_at != after @@ insn_ends @@ where a burst ends
weft_gemm_plan @@ kb == i.k_blocks - 1'b1 @@ kb == i.k_blocks @@ channel blocks of a tap
weft_gemm_stream @@ ix >= 19'(in_w) @@ ix > 19'(in_w) @@ padding on the right
weft_gemm_stream @@ ring_sum >= 13'(ring_rows) @@ ring_sum > 13'(ring_rows) @@ rings of the array
weft_gemm_acc @@ (~pass_first | acc_in) @@ (~pass_first) @@ sums that go on
weft_gemm_acc @@ from_result <= same_1 @@ from_result <= 1'b0 @@ a row that is needed at once
weft_pe_row @@ 16'($signed(act_at[8*c+:8])) @@ 16'({act_at[8*c+:8]}) @@ signs of activations
weft_scale @@ (negative_2 ? {32{~product_2[30]}} @@ (negative_2 ? {32{product_2[30]}} @@ rounding of negative products
weft_finish @@ sum > high ? clamp_max @@ sum > high ? clamp_min @@ the upper clamp
weft_output_stage @@ single_1 <= round_single @@ single_1 <= 1'b0 @@ one rounding or two
weft_dw_seq @@ slot_end && ky == r_kh - 3'd1 @@ slot_end && ky == r_kh - 3'd2 @@ rows of a depthwise kernel
weft_dw_mac @@ kx < a_left || kx >= a_right @@ kx < a_left || kx > a_right @@ padding of depthwise windows
weft_dw_rows @@ assign wrap = ring + 12'd1 >= rows_q @@ assign wrap = ring >= rows_q @@ rings of the depthwise engine
weft_vec_sequence @@ WAIT_BITS'(MAX_WAIT - 1) @@ WAIT_BITS'(MAX_WAIT) @@ a cycle more in softmax
weft_vec_lanes @@ at_3 + BYTE'(i) <= end_1 @@ at_3 + BYTE'(i) < end_1 @@ channels of softmax
weft_vec_window @@ iy_next + P'(stride_y_q) @@ iy_next + P'(1) @@ vertical stride of pooling
LIST
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
    IFS=$'\t' read -r module old new what < <(mutants | sed -n "${n}s/ @@ /\t/gp")
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
    echo "ok $n $module, $what: caught, $(grep -a -m 1 -oE '^\[  FAILED  \] [a-z_]+' "$dir/test.log" |
      head -n 1 | sed 's/.* //')"
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
