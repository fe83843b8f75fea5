// What a LOAD's fields must obey on this configuration (docs/isa.md, "LOAD"): shape of a flat run
// and its memory's size, overlapping windows, gaps. Combinational.
//
// Where a scratchpad operand lies is checked word by word as it is written. `span`: bytes from
// pixel 0 to the end of the last pixel of a row.
module weft_load_check (
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic [36:0]               span,
    output logic                      illegal
);
  localparam int LW = $clog2(weft_pkg::W);
  localparam int LC = $clog2(weft_pkg::C);
  `include "weft_types.vh"
  // Where it lies in DRAM is the address stage's.
  /* verilator lint_off UNUSEDSIGNAL */
  load_insn_t i;
  /* verilator lint_on UNUSEDSIGNAL */
  assign i = insn;

  logic [24:0] words;  // of a pixel, from its first word on
  logic        gaps, bad_spad;
  assign words = (25'(i.byte_off) + 25'(i.pix_bytes) + 25'(weft_pkg::W - 1)) >> LW;
  assign gaps  = 24'(i.d_pix_stride) > i.pix_bytes;
  assign bad_spad =
      (24'(i.d_pix_stride) < i.pix_bytes && i.pix_bytes > 24'(weft_pkg::LOAD_WINDOW)) ||
      (i.pixels != 16'd1 && gaps && (i.lead != 16'd0 || span > 37'(i.row_bytes))) ||
      (i.pixels != 16'd1 && 25'(i.o_pix_stride) < words) || i.o_ring_start >= i.o_ring_rows;

  logic [31:0] first, bytes;  // of the flat run; of the memory
  logic        bad_flat;
  logic [2:0]  dst;
  logic [31:0] base;
  assign dst  = i.dst;
  assign base = 32'(i.o_base);
  always_comb begin
    case (dst)
      3'(weft_pkg::MEM_WEIGHT): begin
        first = base << LC;
        bytes = 32'(weft_pkg::CFG_WEIGHT_KIB * 1024);
      end
      3'(weft_pkg::MEM_PARAM): begin
        first = ((base << 3) + (base << 2)) << LC;  // a channel has PARAM_BYTES, 12
        bytes = 32'(weft_pkg::CFG_PARAM_BLOCKS * weft_pkg::C * weft_pkg::PARAM_BYTES);
      end
      3'(weft_pkg::MEM_DWBUF): begin
        first = base << LW;
        bytes = 32'(weft_pkg::CFG_DWBUF_KIB * 1024);
      end
      3'(weft_pkg::MEM_LUT): begin
        first = base << $clog2(weft_pkg::LUT_BYTES);
        bytes = 32'(weft_pkg::CFG_LUT_SLOTS * weft_pkg::LUT_BYTES);
      end
      default: begin
        first = base << $clog2(weft_pkg::EXP_BYTES);
        bytes = 32'(weft_pkg::CFG_EXP_SLOTS * weft_pkg::EXP_BYTES);
      end
    endcase
  end
  assign bad_flat = i.rows != 12'd1 || i.pixels != 16'd1 || i.lead != 16'd0 ||
      i.row_bytes != i.pix_bytes || i.byte_off != 8'd0 || i.fill != 1'b0 ||
      first + 32'(i.pix_bytes) > bytes;

  assign illegal = i.decoder != 4'(weft_pkg::DEC_RAW) ||
      (i.dst == 3'(weft_pkg::MEM_SPAD) ? bad_spad : bad_flat);
endmodule
