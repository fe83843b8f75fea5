// LOAD's word sequencer: which memory words the instructions in flight write, in order, and which
// bytes of the DRAM stream each takes.
//
// `start` takes an instruction in cycle s; its first word shows (`valid`) in s + 2, or directly
// behind the last word of the instruction before it. `take` moves on; the next word shows in the
// next cycle, across instructions too. Up to LOAD_CONTEXTS instructions wait in a queue; the user
// counts them. A word is described by byte positions in it:
//
//     from         lo          hi        to       bytes from..to-1 are written: lo..hi-1 valid ones
//      | pad_value | DRAM bytes | pad_value |      (the last `fresh` of them new from the stream,
//                                                 the first one `back` bytes before these)
module weft_load_words (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      start,
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic [2:0]                start_id,
    input  logic                      take,
    output logic                      valid,
    output logic [6:0]                from,
    output logic [6:0]                lo,
    output logic [6:0]                hi,
    output logic [6:0]                to,
    output logic [6:0]                fresh,
    output logic [6:0]                back,
    output logic                      overlap,
    output logic                      flip,
    output logic [7:0]                pad,
    output logic [2:0]                mem,
    output logic [weft_pkg::WIDE-1:0] addr,
    output logic                      last,  // word of its instruction
    output logic [2:0]                id
);
  localparam int LW = $clog2(weft_pkg::W);
  localparam int LC = $clog2(weft_pkg::C);
  localparam int V = 38;  // signed positions within a row's valid bytes
  localparam int WIDE = weft_pkg::WIDE;
  `include "weft_types.vh"
  // What concerns the bursts only stays behind.
  /* verilator lint_off UNUSEDSIGNAL */
  load_insn_t i;
  /* verilator lint_on UNUSEDSIGNAL */
  assign i = insn;
  typedef struct packed {
    logic [2:0]  id, dst;
    logic [11:0] rows;
    logic [15:0] pixels;
    logic [23:0] pix_bytes;
    logic [19:0] d_pix_stride;
    logic [15:0] lead;
    logic [23:0] row_bytes;
    logic [7:0]  byte_off;
    logic        fill, flip;
    logic [7:0]  pad;
    logic [19:0] base;
    logic [15:0] row_stride;
    logic [11:0] pix_stride, ring_rows, ring_start;
  } context_t;
  localparam int CONTEXT = 208;

  // --- instructions that wait -------------------------------------------------------------------
  logic [CONTEXT-1:0] queue[0:weft_pkg::LOAD_CONTEXTS-1];
  logic [2:0]         head, tail;
  logic [3:0]         waiting;
  context_t           given, following;
  /* verilator lint_off UNUSEDSIGNAL */
  context_t           c;  // `rows` only sets its counter
  /* verilator lint_on UNUSEDSIGNAL */
  logic               c_valid, c_free, load, step;
  logic               pixel_ends, row_ends, insn_ends;
  assign given = {start_id, i.dst, i.rows, i.pixels, i.pix_bytes, i.d_pix_stride, i.lead,
                  i.row_bytes, i.byte_off, i.fill, i.flip, i.pad_value, i.o_base, i.o_row_stride,
                  i.o_pix_stride, i.o_ring_rows, i.o_ring_start};
  assign following = waiting != 4'd0 ? queue[head] : given;
  assign c_free    = !c_valid || (step && insn_ends);
  assign load      = c_free && (waiting != 4'd0 || start);
  always_ff @(posedge clk) begin
    if (start) queue[tail] <= given;
    if (load) c <= following;
    if (rst) begin
      head    <= 3'd0;
      tail    <= 3'd0;
      waiting <= 4'd0;
      c_valid <= 1'b0;
    end else begin
      if (start) tail <= tail + 3'd1;
      if (load) head <= head + 3'd1;
      waiting <= waiting + 4'(start) - 4'(load);
      if (c_free) c_valid <= load;
    end
  end

  // --- the next word of context c ---------------------------------------------------------------
  logic [23:0]    pixel_left;  // bytes of the pixel that are not placed yet
  logic [15:0]    pixels_left;  // after this one
  logic [11:0]    rows_left;
  logic [V-1:0]   v, v_pixel;  // of the next byte, of the pixel's first byte; two's complement
  logic [7:0]     taken;  // of the row's bytes, from the stream, modulo 256
  logic [WIDE-1:0] word;  // of the pixel
  logic           insn_begins, row_begins, pixel_begins;

  logic [6:0]   unit, skip, room, n, n_lo, n_hi, n_fresh, n_back;
  logic [V-1:0] ahead, reach;  // bytes to the first valid one; to the end of the valid ones
  logic [7:0]   new_end;
  logic         windows;
  assign unit = c.dst == 3'(weft_pkg::MEM_WEIGHT) ? 7'(weft_pkg::C) :
      c.dst == 3'(weft_pkg::MEM_PARAM) ? 7'(weft_pkg::PARAM_BYTES) : 7'(weft_pkg::W);
  assign skip       = pixel_begins ? 7'(c.byte_off[LW-1:0]) : 7'd0;
  assign room       = unit - skip;
  assign pixel_ends = pixel_left <= 24'(room);
  assign n          = pixel_ends ? pixel_left[6:0] : room;
  assign row_ends   = pixel_ends && pixels_left == 16'd0;
  assign insn_ends  = row_ends && rows_left == 12'd0;
  assign ahead      = -v;
  assign reach      = V'(c.row_bytes) - v;
  assign n_lo       = !v[V-1] ? 7'd0 : ahead > V'(n) ? n : ahead[6:0];
  assign n_hi       = reach[V-1] ? 7'd0 : reach > V'(n) ? n : reach[6:0];
  // Windows overlap: the row's bytes are taken once, so the count of those says what is new. All
  // differences are at most LOAD_WINDOW, modulo 256 is enough.
  assign windows    = 24'(c.d_pix_stride) < c.pix_bytes && c.dst == 3'(weft_pkg::MEM_SPAD);
  assign new_end    = v[7:0] + 8'(n_hi) - taken;
  assign n_fresh    = !windows || n_hi == n_lo ? n_hi - n_lo : new_end[7] ? 7'd0 : new_end[6:0];
  assign n_back     = taken[6:0] - v[6:0] - n_lo;

  assign step = c_valid && (!valid || take);
  always_ff @(posedge clk) begin
    if (load) begin
      pixel_left   <= following.pix_bytes;
      pixels_left  <= following.pixels - 16'd1;
      rows_left    <= following.rows - 12'd1;
      v            <= -(V'(following.lead));
      v_pixel      <= -(V'(following.lead));
      taken        <= 8'd0;
      word         <= WIDE'(following.byte_off[7:LW]);
      insn_begins  <= 1'b1;
      row_begins   <= 1'b1;
      pixel_begins <= 1'b1;
    end else if (step) begin
      insn_begins  <= 1'b0;
      row_begins   <= row_ends;
      pixel_begins <= pixel_ends;
      if (row_ends) begin
        rows_left   <= rows_left - 12'd1;
        pixels_left <= c.pixels - 16'd1;
        v           <= -(V'(c.lead));
        v_pixel     <= -(V'(c.lead));
        taken       <= 8'd0;
      end else begin
        taken <= taken + 8'(n_fresh);
        if (pixel_ends) begin
          pixels_left <= pixels_left - 16'd1;
          v           <= v_pixel + V'(c.d_pix_stride);
          v_pixel     <= v_pixel + V'(c.d_pix_stride);
        end else begin
          v <= v + V'(n);
        end
      end
      pixel_left <= pixel_ends ? c.pix_bytes : pixel_left - 24'(n);
      word       <= pixel_ends ? WIDE'(c.byte_off[7:LW]) : word + WIDE'(1);
    end
  end

  // --- the word shown ---------------------------------------------------------------------------
  logic [WIDE-1:0] word_q, pixel_addr;
  always_ff @(posedge clk) begin
    if (rst) valid <= 1'b0;
    else if (step) valid <= 1'b1;
    else if (take) valid <= 1'b0;
    if (step) begin
      from    <= skip;
      lo      <= skip + n_lo;
      hi      <= skip + n_hi;
      to      <= c.fill && pixel_ends ? 7'(weft_pkg::W) : skip + n;
      fresh   <= n_fresh;
      back    <= n_back;
      overlap <= windows;
      flip    <= c.flip;
      pad     <= c.pad;
      mem     <= c.dst;
      last    <= insn_ends;
      id      <= c.id;
      word_q  <= word;
    end
  end

  // Flat runs count in other units than words; they have one pixel, hence no ring.
  logic [19:0] base;
  assign base = c.dst == 3'(weft_pkg::MEM_PARAM) ? c.base << LC :
      c.dst == 3'(weft_pkg::MEM_LUT) ? c.base << ($clog2(weft_pkg::LUT_BYTES) - LW) :
      c.dst == 3'(weft_pkg::MEM_EXP) ? c.base << ($clog2(weft_pkg::EXP_BYTES) - LW) : c.base;
  weft_walk walk (
      .clk(clk),
      .load(step && insn_begins),
      .base(base),
      .row_stride(c.row_stride),
      .pix_stride(c.pix_stride),
      .ring_rows(c.ring_rows),
      .ring_start(c.dst == 3'(weft_pkg::MEM_SPAD) ? c.ring_start : 12'd0),
      .next_pixel(step && pixel_begins),
      .next_row(step && row_begins),
      .addr(pixel_addr)
  );
  assign addr = pixel_addr + word_q;
endmodule
