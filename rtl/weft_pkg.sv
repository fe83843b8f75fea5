// Constants of the contract and of this configuration, for every module: weft_pkg::NAME.
//
// Both included files are generated (arch/*.def, a preset or an ini file); nothing here is typed
// twice. R, C: array rows and columns; W = max(R, C): bytes of a word.
package weft_pkg;
`include "weft_isa.vh"
`include "weft_config.vh"
/* verilator lint_off UNUSEDPARAM */
  localparam int R = CFG_ROWS;
  localparam int C = CFG_COLS;
  localparam int W = CFG_WORD_BYTES;
  localparam int WORD = 8 * W;  // bits of a word
  localparam int BUS = 8 * CFG_DRAM_BYTES;  // bits of the AXI data bus
  localparam int INSN = 8 * INSN_BYTES;  // bits of an instruction
  localparam int ADDR = 20;  // bits of an on-chip address as instructions have it
  localparam int LDW = W > PARAM_BYTES ? W : PARAM_BYTES;  // bytes of LOAD's write bus
  localparam int WIDE = ADDR + 4;  // on-chip address before its range check
/* verilator lint_on UNUSEDPARAM */
endpackage
