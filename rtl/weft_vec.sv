// The vector unit (docs/microarchitecture.md, "VEC"): VEW, VPOOL and VROW.
//
// An instruction taken in cycle t is decoded in t + 1 (`decode`) and refused there if it names what
// this configuration does not have; weft_vec_sequence presents its first scratchpad read in t + 2,
// one slot a cycle; weft_vec_lanes has the result 12 cycles after a slot, when it is written;
// `done` is in the cycle after the last write. Nothing stalls. The next instruction is taken from
// the cycle after the last slot on. After a fault the unit takes none until `rst`.
module weft_vec (
    input  logic                       clk,
    input  logic                       rst,
    // issue port (docs/rtl.md)
    input  logic                       insn_valid,
    input  logic [ weft_pkg::INSN-1:0] insn,
    input  logic [               31:0] insn_index,
    output logic                       insn_ready,
    output logic                       done,
    output logic                       active,
    output logic                       fault,
    output logic [                3:0] fault_cause,
    output logic [               31:0] fault_index,
    output logic [               63:0] fault_addr,
    // scratchpad ports
    output logic                       rd_en,
    output logic [ weft_pkg::ADDR-1:0] rd_addr,
    input  logic [ weft_pkg::WORD-1:0] rd_data,
    output logic                       wr_en,
    output logic [ weft_pkg::ADDR-1:0] wr_addr,
    output logic [    weft_pkg::W-1:0] wr_be,
    output logic [ weft_pkg::WORD-1:0] wr_data,
    // LOAD's write bus
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  localparam int ADDR = weft_pkg::ADDR;
  localparam int W = weft_pkg::W;
  localparam int BEATS = W / weft_pkg::CFG_VEC_LANES;
  localparam int BEAT_BITS = BEATS > 2 ? $clog2(BEATS) : 1;
  localparam int BYTE = $clog2(W);
  localparam int DEPTH = weft_pkg::T_SPAD_READ + weft_pkg::T_VEC_EW;  // slot to write
  initial
    if (weft_pkg::T_SPAD_READ != 2 || weft_pkg::T_VEC_EW != 10 || weft_pkg::T_VEC_POOL != 10 ||
        weft_pkg::T_VEC_RECIP != 36)
      $error("the vector unit's pipeline is 2 + 10 stages, softmax waits 36 cycles; T_ differ");

  // Issue.
  logic decode, dead, running, load, illegal, halt, beyond;
  logic [weft_pkg::INSN-1:0] insn_q;
  logic [31:0] index_q;
  assign insn_ready = !decode && !running && !dead;
  assign active     = (insn_valid && insn_ready) || decode || running;
  assign load       = decode && !illegal;
  assign halt       = (decode && illegal) || beyond;
  always_ff @(posedge clk) begin
    if (rst) begin
      decode <= 1'b0;
      dead   <= 1'b0;
      fault  <= 1'b0;
    end else begin
      decode <= insn_valid && insn_ready;
      dead   <= dead || halt;
      fault  <= halt;
    end
    if (insn_valid && insn_ready) begin
      insn_q  <= insn;
      index_q <= insn_index;
    end
  end
  assign fault_cause = 4'(weft_pkg::ERROR_ILLEGAL);
  assign fault_index = index_q;
  assign fault_addr  = '0;

  // Decode: fields by the operation, those that it does not have neutral.
`include "weft_types.vh"
  vew_insn_t  e;
  vpool_insn_t p;
  vrow_insn_t r;
  assign e = insn_q;
  assign p = insn_q;
  assign r = insn_q;

  logic vew, vpool, vrow;
  assign vew   = e.h_opcode == weft_pkg::OP_VEW;
  assign vpool = e.h_opcode == weft_pkg::OP_VPOOL;
  assign vrow  = e.h_opcode == weft_pkg::OP_VROW;

  logic is_sum, is_mul, is_min, is_max, is_requant, binary, average, is_mean, scales;
  assign is_sum     = vew && (e.op == 4'(weft_pkg::VEW_ADD) || e.op == 4'(weft_pkg::VEW_SUB));
  assign is_mul     = vew && e.op == 4'(weft_pkg::VEW_MUL);
  assign is_min     = vew && e.op == 4'(weft_pkg::VEW_MIN);
  assign is_max     = vew && e.op == 4'(weft_pkg::VEW_MAX);
  assign is_requant = vew && e.op == 4'(weft_pkg::VEW_REQUANT);
  assign binary     = is_sum || is_mul || is_min || is_max;
  assign average    = vpool && (p.op == 2'(weft_pkg::VPOOL_AVG) ||
                                p.op == 2'(weft_pkg::VPOOL_AVG_UP));
  assign is_mean    = vpool && p.op == 2'(weft_pkg::VPOOL_MEAN);
  assign scales     = is_sum || is_mul || is_requant;

  // A window of an average: kh * kw, of which only the comparison is of interest.
  logic [17:0] area;
  logic wide_window;
  assign area = p.kh[8:0] * p.kw[8:0];
  assign wide_window = p.kh[11:9] != '0 || p.kw[11:9] != '0 ||
      area > 18'(weft_pkg::AVG_MAX_WINDOW);

  logic lut_en;
  logic [3:0] lut_slot;
  assign lut_en   = vew ? e.lut_en : vpool ? p.lut_en : r.lut_en;
  assign lut_slot = vew ? e.lut_slot : vpool ? p.lut_slot : r.lut_slot;
  localparam logic [5:0] NO_SHIFT = 6'b100000;  // -32
  logic vew_bad, vpool_bad, vrow_bad, lut_bad;
  assign lut_bad = lut_en && 5'(lut_slot) >= 5'(weft_pkg::CFG_LUT_SLOTS);
  assign vew_bad = e.op > 4'(weft_pkg::VEW_OP_MAX) || e.a_shift == NO_SHIFT ||
      e.b_shift == NO_SHIFT || e.o_shift == NO_SHIFT || e.a_ring_start >= e.a_ring_rows ||
      (binary && e.b_ring_start >= e.b_ring_rows) || e.o_ring_start >= e.o_ring_rows;
  assign vpool_bad = p.o_shift == NO_SHIFT || (average && wide_window) ||
      p.a_ring_start >= p.a_ring_rows || p.o_ring_start >= p.o_ring_rows;
  assign vrow_bad = weft_pkg::CFG_VEC_SOFTMAX == 0 || r.op != 2'(weft_pkg::VROW_SOFTMAX) ||
      3'(r.exp_slot) >= 3'(weft_pkg::CFG_EXP_SLOTS) ||
      r.a_ring_start >= r.a_ring_rows || r.o_ring_start >= r.o_ring_rows;
  assign illegal = lut_bad || (vew ? vew_bad : vpool ? vpool_bad : !vrow || vrow_bad);

  logic [11:0] pixel_words;
  assign pixel_words = vew ? e.c_words : p.c_words;
  logic [15:0] last_channel;
  assign last_channel = r.channels - 16'd1;

  // Slots.
  logic slot, read_a, read_b, first, final_word, sweep_max, sweep_sum, sweep_last, out, last;
  logic [BEAT_BITS-1:0] beat;
  logic [ADDR-1:0] o_addr;
  weft_vec_sequence #(
      .BEAT_BITS(BEAT_BITS)
  ) u_sequence (
      .clk,
      .rst,
      .halt,
      .load,
      .elementwise (vew),
      .binary,
      .row_op      (vrow),
      .out_h       (vew ? e.out_h : vpool ? p.out_h : r.out_h),
      .out_w       (vew ? e.out_w : vpool ? p.out_w : r.out_w),
      .words       (vrow ? last_channel >> BYTE : 16'(pixel_words) - 16'd1),
      .beats       (BEATS == 1 ? BEAT_BITS'(binary) : BEAT_BITS'(BEATS - 1)),
      .kh          (vpool ? p.kh : 12'd1),
      .kw          (vpool ? p.kw : 12'd1),
      .in_h        (vpool ? p.in_h : '1),
      .in_w        (vpool ? p.in_w : '1),
      .pad_top     (vpool ? p.pad_top : '0),
      .pad_left    (vpool ? p.pad_left : '0),
      .stride_y    (vpool ? p.stride_y : 5'd1),
      .stride_x    (vpool ? p.stride_x : 5'd1),
      .a_base      (vew ? e.a_base : vpool ? p.a_base : r.a_base),
      .a_row_stride(vew ? e.a_row_stride : vpool ? p.a_row_stride : r.a_row_stride),
      .a_pix_stride(vew ? e.a_pix_stride : vpool ? p.a_pix_stride : r.a_pix_stride),
      .a_ring_rows (vew ? e.a_ring_rows : vpool ? p.a_ring_rows : r.a_ring_rows),
      .a_ring_start(vew ? e.a_ring_start : vpool ? p.a_ring_start : r.a_ring_start),
      .b_base      (e.b_base),
      .b_row_stride(e.b_row_stride),
      .b_pix_stride(e.b_pix_stride),
      .b_ring_rows (e.b_ring_rows),
      .b_ring_start(e.b_ring_start),
      .o_base      (vew ? e.o_base : vpool ? p.o_base : r.o_base),
      .o_row_stride(vew ? e.o_row_stride : vpool ? p.o_row_stride : r.o_row_stride),
      .o_pix_stride(vew ? e.o_pix_stride : vpool ? p.o_pix_stride : r.o_pix_stride),
      .o_ring_rows (vew ? e.o_ring_rows : vpool ? p.o_ring_rows : r.o_ring_rows),
      .o_ring_start(vew ? e.o_ring_start : vpool ? p.o_ring_start : r.o_ring_start),
      .running,
      .slot,
      .read_a,
      .read_b,
      .addr        (rd_addr),
      .beat,
      .first,
      .final_word,
      .sweep_max,
      .sweep_sum,
      .sweep_last,
      .out,
      .o_addr,
      .last,
      .beyond
  );
  assign rd_en = read_a || read_b;

  // Lanes. What needs no scaling is multiplied by one: 2^30 * 2, exact with either rounding.
  logic [30:0] o_mult;
  logic [5:0] o_shift;
  assign o_mult  = vew && scales ? e.o_mult : is_mean ? p.o_mult : 31'h40000000;
  assign o_shift = vew && scales ? e.o_shift : is_mean ? p.o_shift : average ? 6'd3 : 6'd1;
  weft_vec_lanes #(
      .BEAT_BITS(BEAT_BITS)
  ) u_lanes (
      .clk,
      .rst,
      .load,
      .elementwise(vew),
      .binary,
      .scaled_sum (is_sum),
      .subtract   (e.op == 4'(weft_pkg::VEW_SUB)),
      .multiply   (is_mul),
      .smaller    (is_min),
      .larger     (is_max),
      .row_op     (vrow),
      .pool_max   (vpool && p.op == 2'(weft_pkg::VPOOL_MAX)),
      .average,
      .average_up (p.op == 2'(weft_pkg::VPOOL_AVG_UP)),
      .a_zp       (scales ? e.a_zp : '0),
      .b_zp       (scales ? e.b_zp : '0),
      .left_shift (e.left_shift),
      .a_mult     (e.a_mult),
      .a_shift    (e.a_shift),
      .b_mult     (e.b_mult),
      .b_shift    (e.b_shift),
      .bias       (is_mean ? p.bias : '0),
      .o_mult,
      .o_shift,
      .single     (vew ? e.round_single : average || (vpool && p.round_single)),
      .out_zp     (vew ? e.out_zp : vpool ? p.out_zp : r.out_zp),
      .clamp_min  (vew ? e.clamp_min : vpool ? p.clamp_min : r.clamp_min),
      .clamp_max  (vew ? e.clamp_max : vpool ? p.clamp_max : r.clamp_max),
      .lut_en,
      .lut_slot,
      .exp_slot   (r.exp_slot),
      .end_byte   (last_channel[BYTE-1:0]),
      .slot,
      .read_a,
      .read_b,
      .beat,
      .first,
      .final_word,
      .sweep_max,
      .sweep_sum,
      .sweep_last,
      .out,
      .rd_data,
      .q          (wr_data),
      .q_be       (wr_be),
      .q_valid    (wr_en),
      .ld_en,
      .ld_mem,
      .ld_addr,
      .ld_be,
      .ld_data
  );

  // Where a result goes, and whether it is the instruction's last, travel beside it.
  logic [DEPTH*ADDR-1:0] o_addr_v;
  logic [DEPTH:1] last_v, moving;
  always_ff @(posedge clk) begin
    moving <= rst ? '0 : {moving[DEPTH-1:1], running};
    last_v <= rst ? '0 : {last_v[DEPTH-1:1], last && !beyond};
    done   <= !rst && last_v[DEPTH];
    if (running || moving != '0) o_addr_v <= {o_addr_v[(DEPTH-1)*ADDR-1:0], o_addr};
  end
  assign wr_addr = o_addr_v[(DEPTH-1)*ADDR+:ADDR];

  logic unused;
  assign unused = &{1'b0, e, p, r, last_channel};
endmodule
