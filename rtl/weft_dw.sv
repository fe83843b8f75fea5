// Depthwise engine: DW instructions (docs/isa.md), W channels of a pixel at a time.
//
// Issue port, scratchpad ports, LOAD's write bus: docs/rtl.md. Times: docs/microarchitecture.md.
//
//     weft_dw_load   depthwise buffer, loads taps and parameters of the next channel word
//     weft_dw_seq    what is read and multiplied in which cycle
//     weft_dw_mac    windows, taps, multipliers, sums: T_SPAD_READ + T_DW_MAC after the address
//     weft_output_stage   dw_lanes channels, T_OUT more: the scratchpad write
//
// Two instructions can be here at once: one *loads* (insn_q; until its last channel word begins),
// one *streams*. With every channel word its fields move on: to r_* when the sequencer takes the
// word, to the multipliers' and the output's own registers when its first cycle gets there (the
// begin_* pipeline), so that the one behind may follow without a gap.
//
// `done` comes from the last output's flag, which travels along with it. Without a depthwise
// engine (dw_lanes = 0) every instruction is a fault.
module weft_dw (
    input  logic                       clk,
    input  logic                       rst,
    // issue port
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
    // scratchpad
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
`include "weft_types.vh"
  logic accept;
  logic [weft_pkg::INSN-1:0] insn_q;  // the instruction that loads
  dw_insn_t in;
  assign in = insn_q;
  assign accept = insn_valid && insn_ready;
  assign fault_cause = 4'(weft_pkg::ERROR_ILLEGAL);
  assign fault_addr = '0;

  if (weft_pkg::CFG_DW_LANES == 0) begin : g_none
    assign {insn_ready, done, active} = {1'b1, 1'b0, accept};
    assign {rd_en, rd_addr, wr_en, wr_addr, wr_be, wr_data} = '0;
    always_ff @(posedge clk) begin
      fault <= accept && !rst;
      if (accept) fault_index <= insn_index;
    end
    logic unused;
    assign insn_q = insn;
    assign unused = &{1'b0, in, rd_data, ld_en, ld_mem, ld_addr, ld_be, ld_data};
  end else begin : g_engine
    localparam int W = weft_pkg::W;
    localparam int L = weft_pkg::CFG_DW_LANES;
    localparam int T = weft_pkg::CFG_DW_TAPS;
    localparam int PARTS = W / L;
    localparam int PART = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam int BANK = T > 1 ? $clog2(T) : 1;
    // A window of K columns that begins in any bank
    localparam int K = weft_pkg::DW_MAX_KERNEL;
    localparam int PLACE = $clog2((K + T - 1 + T - 1) / T);
    localparam int SPAD = $clog2(weft_pkg::CFG_SPAD_WORDS);
    localparam int A = weft_pkg::WIDE;
    localparam int SUM = weft_pkg::T_SPAD_READ + weft_pkg::T_DW_MAC;  // address to sum
    localparam int OUT = SUM + weft_pkg::T_OUT;  // address to write
    initial begin
      if (SUM != 5) $error("weft_dw_mac has its sums 5 cycles after the address");
      if (K != 7 || weft_pkg::DW_MAX_STRIDE > 4) $error("kernels to 7, strides to 4");
    end

    // --- the instruction that loads
    logic ready_q, new_insn, first_word, halted;
    logic [31:0] index_q;
    logic take, word_begin, word_last, running, prepare, legal, set_ready;
    assign insn_ready = ready_q;
    always_ff @(posedge clk) begin
      new_insn <= accept;
      if (accept) begin
        insn_q     <= insn;
        index_q    <= insn_index;
        first_word <= 1'b1;
        ready_q    <= 1'b0;
      end
      if (take) first_word <= 1'b0;
      if (word_begin && word_last) ready_q <= 1'b1;
      if (halted) ready_q <= 1'b0;
      if (rst) begin
        new_insn <= 1'b0;
        ready_q  <= 1'b1;
      end
    end
    assign legal = in.kh <= 8'(K) && in.kw <= 8'(K) &&
        in.stride_y <= 5'(weft_pkg::DW_MAX_STRIDE) && in.stride_x <= 5'(weft_pkg::DW_MAX_STRIDE) &&
        in.a_ring_start < in.a_ring_rows && in.o_ring_start < in.o_ring_rows &&
        (!in.lut_en || {1'b0, in.lut_slot} < 5'(weft_pkg::CFG_LUT_SLOTS));
    assign prepare = new_insn && legal;

    logic load_fault, tap_en, param_en;
    logic [6:0] tap_addr;
    logic [8*W-1:0] load_data;
    weft_dw_load u_load (
        .clk,
        .rst   (rst || halted),
        .start (prepare || (word_begin && !word_last)),
        .first (prepare),
        .p_base(in.p_base),
        .kh    (in.kh[2:0]),
        .kw    (in.kw[2:0]),
        .take,
        .ready (set_ready),
        .fault (load_fault),
        .tap_en,
        .tap_addr,
        .param_en,
        .data  (load_data),
        .ld_en,
        .ld_mem,
        .ld_addr,
        .ld_be,
        .ld_data
    );

    // --- the instruction that streams
    logic set, tail;
    logic [7:0] r_pad_value, r_clamp_min, r_clamp_max;
    logic [8:0] r_out_zp;
    logic r_single, r_lut_en;
    logic [3:0] r_lut_slot;
    logic [31:0] r_index;
    logic [weft_pkg::ADDR-1:0] r_o_base;
    logic [15:0] r_o_row_stride;
    logic [11:0] r_o_pix_stride, r_o_ring_rows, r_o_ring_start;
    always_ff @(posedge clk) begin
      if (take) begin
        set            <= !set;
        r_pad_value    <= in.pad_value;
        r_clamp_min    <= in.clamp_min;
        r_clamp_max    <= in.clamp_max;
        r_out_zp       <= in.out_zp;
        r_single       <= in.round_single;
        r_lut_en       <= in.lut_en;
        r_lut_slot     <= in.lut_slot;
        r_index        <= index_q;
        r_o_base       <= in.o_base;
        r_o_row_stride <= in.o_row_stride;
        r_o_pix_stride <= in.o_pix_stride;
        r_o_ring_rows  <= in.o_ring_rows;
        r_o_ring_start <= in.o_ring_start;
      end
      tail <= running;
      if (rst) begin
        set  <= 1'b0;
        tail <= 1'b0;
      end
    end
    assign active = accept || !ready_q || running || tail;

    logic [11:0] channel_word;
    logic rd_outside, a_write, a_begin, a_mult, a_clear, a_turn, a_row_pad, a_set;
    logic a_out, a_pixel, a_row, a_insn;
    logic [BANK-1:0] a_write_bank, a_phase;
    logic [PLACE-1:0] a_write_place, a_place;
    logic [PART-1:0] a_part;
    logic [2:0] a_ky;
    logic [3:0] a_kx, a_kw, a_left, a_right;
    logic [31:0] a_index;
    always_ff @(posedge clk) begin
      if (word_begin) {a_set, a_index} <= {set, r_index};
    end
    weft_dw_seq #(
        .T    (T),
        .PARTS(PARTS),
        .BANK (BANK),
        .PLACE(PLACE),
        .PART (PART)
    ) u_seq (
        .clk,
        .rst  (rst || halted),
        .prepare,
        .insn (insn_q),
        .first(first_word),
        .set_ready,
        .take,
        .word_begin,
        .word_last,
        .running,
        .channel_word,
        .rd_en,
        .rd_addr,
        .rd_outside,
        .a_write,
        .a_write_bank,
        .a_write_place,
        .a_begin,
        .a_mult,
        .a_part,
        .a_clear,
        .a_turn,
        .a_ky,
        .a_kx,
        .a_kw,
        .a_phase,
        .a_place,
        .a_row_pad,
        .a_left,
        .a_right,
        .a_out,
        .a_pixel,
        .a_row,
        .a_insn
    );

    // --- what travels along: in cycle t + k, bit k
    logic [OUT:0] begin_at, out_at, pixel_at, row_at, insn_at;
    logic [OUT:1] begin_q, out_q, pixel_q, row_q, insn_last_q;
    logic [PART*(OUT+1)-1:0] part_at;
    logic [PART*OUT-1:0] part_q;
    assign begin_at = {begin_q, a_begin};
    assign out_at = {out_q, a_out};
    assign pixel_at = {pixel_q, a_pixel};
    assign row_at = {row_q, a_row};
    assign insn_at = {insn_last_q, a_insn};
    assign part_at = {part_q, a_part};
    always_ff @(posedge clk) begin
      begin_q     <= begin_at[OUT-1:0];
      out_q       <= out_at[OUT-1:0];
      pixel_q     <= pixel_at[OUT-1:0];
      row_q       <= row_at[OUT-1:0];
      insn_last_q <= insn_at[OUT-1:0];
      if (PARTS > 1) part_q <= part_at[PART*OUT-1:0];
      else part_q <= '0;
      if (rst) {begin_q, out_q, pixel_q, row_q, insn_last_q} <= '0;
    end

    // --- multiplication
    logic [7:0] pad_value;  // from t + 3 on
    logic [32*L-1:0] sum;
    always_ff @(posedge clk) if (begin_at[2]) pad_value <= r_pad_value;
    weft_dw_mac #(
        .T    (T),
        .PARTS(PARTS),
        .L    (L),
        .BANK (BANK),
        .PLACE(PLACE),
        .PART (PART)
    ) u_mac (
        .clk,
        .a_write,
        .a_write_bank,
        .a_write_place,
        .a_mult,
        .a_part,
        .a_clear,
        .a_turn,
        .a_ky,
        .a_kx,
        .a_kw,
        .a_phase,
        .a_place,
        .a_row_pad,
        .a_left,
        .a_right,
        .a_set,
        .rd_data,
        .pad_value,
        .sum,
        .tap_en,
        .tap_addr,
        .tap_data(load_data)
    );

    // --- parameters and mode: the loaded ones wait in a shift register of 12 words (no selection
    // on the way in), and move on for the word's first sum
    logic [96*W-1:0] param_loaded, param;
    logic [96*L-1:0] param_part;
    logic [7:0] clamp_min, clamp_max;
    logic [8:0] out_zp;
    logic single, lut_en;
    logic [3:0] lut_slot;
    always_ff @(posedge clk) begin
      if (param_en) param_loaded <= {load_data, param_loaded[96*W-1:8*W]};
      if (begin_at[SUM-1]) begin
        param     <= param_loaded;
        clamp_min <= r_clamp_min;
        clamp_max <= r_clamp_max;
        out_zp    <= r_out_zp;
        single    <= r_single;
        lut_en    <= r_lut_en;
        lut_slot  <= r_lut_slot;
      end
    end
    if (PARTS == 1) begin : g_whole
      assign param_part = param;
    end else begin : g_part
      assign param_part = param[96*L*part_at[PART*SUM+:PART]+:96*L];
    end

    logic out_valid;
    logic [8*L-1:0] q;
    weft_output_stage #(
        .LANES(L)
    ) u_output (
        .clk,
        .rst,
        .in_valid    (out_at[SUM]),
        .sum,
        .param       (param_part),
        .out_zp,
        .clamp_min,
        .clamp_max,
        .round_single(single),
        .lut_en,
        .lut_slot,
        .out_valid,
        .q,
        .ld_en,
        .ld_mem,
        .ld_addr,
        .ld_be,
        .ld_data
    );

    // --- results: every part writes its own bytes
    logic [A-1:0] o_pixel, o_addr;
    logic [11:0] o_word;
    logic [31:0] o_index;
    logic o_fits;
    always_ff @(posedge clk) begin
      if (begin_at[OUT-1]) {o_word, o_index} <= {channel_word, r_index};
    end
    weft_walk u_walk (
        .clk,
        .load      (begin_at[OUT-1]),
        .base      (r_o_base),
        .row_stride(r_o_row_stride),
        .pix_stride(r_o_pix_stride),
        .ring_rows (r_o_ring_rows),
        .ring_start(r_o_ring_start),
        .next_pixel(pixel_at[OUT]),
        .next_row  (row_at[OUT]),
        .addr      (o_pixel)
    );
    assign o_addr = o_pixel + A'(o_word);
    assign o_fits = o_addr[A-1:SPAD] == '0;
    assign wr_en = out_valid && o_fits;
    assign wr_addr = o_addr[weft_pkg::ADDR-1:0];
    assign wr_data = {PARTS{q}};
    for (genvar p = 0; p < PARTS; p++) begin : g_bytes
      assign wr_be[L*p+:L] = {L{PARTS == 1 || part_at[PART*OUT+:PART] == PART'(p)}};
    end

    // --- end, faults. The first fault is the last thing that happens here until `rst`. A word
    // whose parameters lie outside has its taps there too, so load_fault comes before index_q can
    // change.
    logic bad_write, bad_insn;
    assign bad_write = out_valid && !o_fits;
    assign bad_insn = new_insn && !legal;
    always_ff @(posedge clk) begin
      done  <= insn_at[OUT] && !bad_write && !halted;
      fault <= !halted && (bad_write || rd_outside || load_fault || bad_insn);
      if (bad_write || rd_outside || load_fault || bad_insn) begin
        halted      <= 1'b1;
        fault_index <= bad_write ? o_index : rd_outside ? a_index : index_q;
      end
      if (rst) {done, fault, halted} <= '0;
    end

    logic unused;
    assign unused = &{1'b0, in, begin_at, pixel_at, row_at, part_at};
  end
endmodule
