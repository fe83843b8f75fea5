#!/usr/bin/env bash
# What synthesis makes of the RTL still is the device: Yosys turns nano-16 into cells, flip-flops
# and memories, Verilator simulates those, and ten random programs run on it as on the C model
# (tests/test_rtl.c; times and DRAM, for a netlist has no scratchpad to look at by name).
#
# Environment: BUILD (build), GEN (build/gen), WEFT_RTL_PROGRAMS (10). CELLS=gates maps all cells to
# gates as well, and Verilator's C++ then takes half an hour; by default adders, multipliers and
# multiplexers stay whole.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
GEN=${GEN:-build/gen}
out=build/netlist
mkdir -p $out
constants=$GEN/preset/nano-16
cells=
[ "${CELLS:-}" != gates ] || cells="techmap; opt -fast; abc -fast; opt_clean"
yosys -q -l $out/yosys.log -p "read_verilog -sv -DSYNTHESIS -I$GEN -I$constants rtl/weft_pkg.sv \
  $(find rtl -maxdepth 1 -name 'weft_*.sv' ! -name weft_pkg.sv | sort | tr '\n' ' ')
  hierarchy -check -top weft_top; proc; flatten; opt -full; wreduce; peepopt; opt_clean
  memory -nomap; opt -fast; $cells
  tee -o $out/stat stat; write_verilog -noattr $out/net.v" >/dev/null
key() { sed -n "s/.* $1 = \([0-9]*\);.*/\1/p" "$constants/weft_config.vh"; }
verilator --cc -O3 -Wno-fatal -Wno-lint -Wno-style --x-initial unique --noassert --exe --build \
  -j 1 --Mdir $out/obj --top-module weft_top --output-split 20000 \
  -CFLAGS "-fPIC -std=c++17 -I$PWD/driver -DWEFT_RTL_NETLIST -DWEFT_RTL_ADDR_BITS=20 \
    -DWEFT_RTL_BUS_BYTES=$(key CFG_DRAM_BYTES) -DWEFT_RTL_WORD_BYTES=$(key CFG_WORD_BYTES)" \
  -MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0" -LDFLAGS "-shared" -o ../libweft_rtl.so \
  $out/net.v "$PWD/driver/rtl_shim.cc" >$out/build.log 2>&1 ||
  { tail -n 20 $out/build.log; exit 1; }
awk '/^ +(\$|Number of cells)/ {print "  " $0}' $out/stat
if WEFT_RTL_LIBRARY=$out/libweft_rtl.so WEFT_RTL_PROGRAMS=${WEFT_RTL_PROGRAMS:-10} \
  "$BUILD/tests/test_rtl" >$out/test.log 2>&1; then
  echo "ok the netlist of nano-16 computes what the C model computes"
  echo "1 passed, 0 failed, 0 skipped"
else
  echo "not ok the netlist of nano-16 differs from the C model"
  tail -n 30 $out/test.log
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
