// GEMM unit: convolution or matrix product on the systolic array (docs/isa.md, "GEMM"; times in
// docs/microarchitecture.md).
//
//     weft_gemm_plan      takes the instruction, plans passes: taps and channel blocks
//     weft_gemm_tiles     weight buffer; loads a pass's tile while the one before streams
//     weft_gemm_stream    one scratchpad address a cycle
//     weft_array          R x C multipliers
//     weft_gemm_acc       accumulators
//     weft_gemm_out       parameters, output stage, scratchpad write, done
//
// A pixel presented to the scratchpad in cycle t is at the array's edge in t + 2, its sums below
// the array in t + 2 + R + C, in the accumulators two cycles later or on the scratchpad's write
// port eight cycles later. What the lower half must know of a pixel travels with it (tag); what it
// must know of the instruction waits in a queue, because the upper half may be several instructions
// ahead.
module weft_gemm (
    input  logic                       clk,
    input  logic                       rst,
    // issue (docs/rtl.md)
    input  logic                       insn_valid,
    input  logic [ weft_pkg::INSN-1:0] insn,
    input  logic [31:0]                insn_index,
    output logic                       insn_ready,
    output logic                       done,
    output logic                       active,
    output logic                       fault,
    output logic [3:0]                 fault_cause,
    output logic [31:0]                fault_index,
    output logic [63:0]                fault_addr,
    // scratchpad
    output logic                       rd_en,
    output logic [ weft_pkg::ADDR-1:0] rd_addr,
    input  logic [ weft_pkg::WORD-1:0] rd_data,
    output logic                       wr_en,
    output logic [ weft_pkg::ADDR-1:0] wr_addr,
    output logic [    weft_pkg::W-1:0] wr_be,
    output logic [ weft_pkg::WORD-1:0] wr_data,
    // LOAD's write bus: weights, parameters, tables
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  `include "weft_types.vh"
  localparam int R = weft_pkg::R;
  localparam int C = weft_pkg::C;
  localparam int W = weft_pkg::W;
  localparam int A = 30;  // bits of a pixel's address before its range check
  localparam int TAG = 7;
  localparam int WAY = weft_pkg::T_SPAD_READ + R + C;  // from the address to the array's bottom
  initial if (weft_pkg::T_SPAD_READ != 2) $error("weft_gemm expects scratchpad data in 2 cycles");

  // ---- upper half: instruction, passes, tiles, pixels ----
  logic [weft_pkg::INSN-1:0] insn_q;
  logic [31:0]  index_q, stream_index;
  logic [A-1:0] step_row, step_wrap, addr;
  logic [18:0]  iy, ix;
  logic [16:0]  step_pix;
  logic [11:0]  ring;
  logic [4:0]   step_ring;
  logic [3:0]   first_lane, lane;
  logic [7:0]   pad_value;
  logic [TAG-1:0] tag;
  logic pass_first, pass_last, block_first, block_last;
  logic pending, illegal, stop, first_tile, tile_ready, go, stream_free, running;
  logic pixel, pixel_begins, pad, stream_fault, tile_fault;
  logic w_valid, w_first;
  logic [8*C-1:0] w_data;

  assign go     = tile_ready & stream_free;
  assign active = (insn_valid & insn_ready) | pending | running;

  /* verilator lint_off UNUSEDSIGNAL */
  gemm_insn_t i;
  /* verilator lint_on UNUSEDSIGNAL */
  assign i = insn_q;

  weft_gemm_plan #(.A(A)) u_plan (
      .clk, .rst, .insn_valid, .insn, .insn_index, .insn_ready, .pending, .illegal, .stop,
      .first_tile, .insn_q, .index_q, .step_ring, .step_row, .step_wrap, .step_pix, .go, .addr,
      .iy, .ix, .ring, .lane(first_lane), .pass_first, .pass_last, .block_first, .block_last
  );

  weft_gemm_tiles u_tiles (
      .clk, .rst, .first(first_tile), .base(i.w_base), .go, .more(~(pass_last & block_last)),
      .ready(tile_ready), .w_valid, .w_first, .w_data, .fault(tile_fault),
      .ld_en, .ld_mem, .ld_addr, .ld_be(ld_be[C-1:0]), .ld_data(ld_data[8*C-1:0])
  );

  weft_gemm_stream #(.A(A)) u_stream (
      .clk, .rst, .go, .free(stream_free), .running, .insn(insn_q), .index(index_q), .step_ring,
      .step_row, .step_wrap, .step_pix, .first_addr(addr), .first_iy(iy), .first_ix(ix),
      .first_ring(ring), .first_lane, .pass_first, .pass_last, .block_first, .block_last,
      .pixel, .pixel_begins, .pad, .pad_value, .lane, .tag, .rd_en, .rd_addr,
      .fault(stream_fault), .fault_index(stream_index)
  );

  // ---- the pixel's data at the array's edge ----
  logic       pixel_1, pixel_2, swap, pad_1, pad_2;
  logic [7:0] pad_value_1, pad_value_2;
  logic [3:0] lane_1, lane_2;
  logic [8*R-1:0] block, act;
  always_ff @(posedge clk) begin
    pixel_1 <= pixel;
    pixel_2 <= pixel_1;
    swap    <= pixel_begins;
    if (pixel) begin
      pad_1       <= pad;
      pad_value_1 <= pad_value;
      lane_1      <= lane;
    end
    if (pixel_1) begin
      pad_2       <= pad_1;
      pad_value_2 <= pad_value_1;
      lane_2      <= lane_1;
    end
    if (rst) begin
      pixel_1 <= 1'b0;
      pixel_2 <= 1'b0;
      swap    <= 1'b0;
    end
  end
  if (R == W) begin : g_word
    logic unused;
    assign unused = &{1'b0, lane_2};
    assign block = rd_data;
  end else begin : g_block
    localparam int L = $clog2(W / R);
    assign block = rd_data[8*R*lane_2[L-1:0]+:8*R];
    if (L < 4) begin : g_unused
      logic unused;
      assign unused = &{1'b0, lane_2[3:L]};
    end
  end
  assign act = pad_2 ? {R{pad_value_2}} : block;

  logic            sum_valid;
  logic [32*C-1:0] sum, result;
  weft_array u_array (
      .clk, .rst, .in_valid(pixel_2), .in_swap(swap), .in_act(act), .w_valid, .w_first, .w_data,
      .out_valid(sum_valid), .out_sum(sum)
  );

  logic [TAG-1:0] sum_tag;
  logic [WAY-1:0] on_way;
  always_ff @(posedge clk) begin
    on_way <= {on_way[WAY-2:0], pixel};
    if (rst) on_way <= '0;
  end
  weft_delay #(.BITS(TAG), .STAGES(WAY)) u_tag (
      .clk,
      .en(pixel | (|on_way)),
      .d (tag),
      .q (sum_tag)
  );

  // ---- lower half: its instruction ----
  // Streams of different instructions begin at least R + T_ISSUE cycles apart; those on their way,
  // one whose end still is, and one that begins.
  localparam int DEPTH = WAY / (R + weft_pkg::T_ISSUE) + 2;
  localparam int CTX = 32 + 18 + 12 + 31 + 72 + 4;
  logic [CTX-1:0] ctx, head;
  logic [31:0] index;
  logic [30:0] mode;
  logic [19:0] o_base;
  logic [15:0] acc_base, o_row_stride;
  logic [11:0] p_base, o_pix_stride, o_ring_rows, o_ring_start;
  logic [3:0]  o_block;
  logic        acc_in, acc_out, insn_end, take;
  assign ctx = {index_q, i.acc_base, i.acc_in, i.acc_out, i.p_base,
                i.out_zp, i.clamp_min, i.clamp_max, i.round_single, i.lut_en, i.lut_slot,
                i.o_base, i.o_row_stride, i.o_pix_stride, i.o_ring_rows, i.o_ring_start, i.o_block};
  assign {index, acc_base, acc_in, acc_out, p_base, mode, o_base, o_row_stride, o_pix_stride,
          o_ring_rows, o_ring_start, o_block} = head;
  assign insn_end = sum_valid & sum_tag[6] & sum_tag[4] & sum_tag[2];
  assign take     = sum_valid & sum_tag[4] & ~acc_out;

  /* verilator lint_off PINCONNECTEMPTY */
  weft_queue #(.DEPTH(DEPTH), .WIDTH(CTX)) u_context (
      .clk, .rst, .push(go & pass_first & block_first), .push_data(ctx), .pop(insn_end), .head,
      .valid(), .full(), .count()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  logic        kept_last, acc_fault, out_fault;
  logic [31:0] out_index;
  weft_gemm_acc u_acc (
      .clk, .rst, .valid(sum_valid), .tag(sum_tag), .sum, .acc_base, .acc_in, .acc_out,
      .result, .kept_last, .fault(acc_fault)
  );

  weft_gemm_out u_out (
      .clk, .rst, .take, .begins(sum_tag[0]), .row_end(sum_tag[1]), .pass_end(sum_tag[2]),
      .block_first(sum_tag[5]), .block_last(sum_tag[6]), .index, .p_base, .mode, .o_base,
      .o_row_stride, .o_pix_stride, .o_ring_rows, .o_ring_start, .o_block, .result, .kept_last,
      .done, .wr_en, .wr_addr, .wr_be, .wr_data, .fault(out_fault), .fault_index(out_index),
      .ld_en, .ld_mem, .ld_addr, .ld_be, .ld_data
  );

  // ---- the first fault; what comes later is of no interest ----
  logic any_fault;
  assign any_fault = out_fault | acc_fault | stream_fault | tile_fault | illegal;
  always_ff @(posedge clk) begin
    fault <= any_fault & ~stop;
    if (any_fault) stop <= 1'b1;
    if (any_fault & ~stop)  // the oldest instruction is the lowest in the unit
      fault_index <= out_fault ? out_index : acc_fault ? index :
          stream_fault ? stream_index : index_q;
    if (rst) begin
      fault <= 1'b0;
      stop  <= 1'b0;
    end
  end
  assign fault_cause = 4'(weft_pkg::ERROR_ILLEGAL);
  assign fault_addr  = '0;
endmodule
