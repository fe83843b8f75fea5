// Sequencer of the vector unit: which word is read in which cycle, and where results go.
//
// `load` (one cycle) takes an instruction's fields; from the next cycle on there is one slot a
// cycle, `slot`, until the one with `last`, but for the waits of a row operation. The order
// (docs/isa.md): output rows, pixels, channel words, beats of VEC_LANES channels, pixels of the
// window. A row operation sweeps the channel words of each pixel three times, maximum, sum,
// results, and waits T_VEC_RECIP cycles in all: MAX_WAIT for the maximum, the rest for the
// reciprocal. Everything is combinational from registers: the scratchpad sees `addr` in the slot's
// own cycle. Where an operand leaves the scratchpad, `beyond` takes the place of the access; the
// user then stops with `halt`.
module weft_vec_sequence #(
    parameter int BEAT_BITS = 1,
    parameter int MAX_WAIT  = 2
) (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      halt,
    input  logic                      load,
    // fields of the instruction, with `load`
    input  logic                      elementwise,
    input  logic                      binary,        // elementwise: two operands
    input  logic                      row_op,
    input  logic [              11:0] out_h,
    input  logic [              11:0] out_w,
    input  logic [              15:0] words,         // channel words of a pixel, less one
    input  logic [     BEAT_BITS-1:0] beats,         // slots of a word (or window), less one
    input  logic [              11:0] kh,
    input  logic [              11:0] kw,
    input  logic [              11:0] in_h,
    input  logic [              11:0] in_w,
    input  logic [               7:0] pad_top,
    input  logic [               7:0] pad_left,
    input  logic [               4:0] stride_y,
    input  logic [               4:0] stride_x,
    input  logic [weft_pkg::ADDR-1:0] a_base,
    input  logic [              15:0] a_row_stride,
    input  logic [              11:0] a_pix_stride,
    input  logic [              11:0] a_ring_rows,
    input  logic [              11:0] a_ring_start,
    input  logic [weft_pkg::ADDR-1:0] b_base,
    input  logic [              15:0] b_row_stride,
    input  logic [              11:0] b_pix_stride,
    input  logic [              11:0] b_ring_rows,
    input  logic [              11:0] b_ring_start,
    input  logic [weft_pkg::ADDR-1:0] o_base,
    input  logic [              15:0] o_row_stride,
    input  logic [              11:0] o_pix_stride,
    input  logic [              11:0] o_ring_rows,
    input  logic [              11:0] o_ring_start,
    // the slot
    output logic                      running,       // from the first slot to the last
    output logic                      slot,
    output logic                      read_a,        // its word of a, of b is read
    output logic                      read_b,
    output logic [weft_pkg::ADDR-1:0] addr,          // there
    output logic [     BEAT_BITS-1:0] beat,
    output logic                      first,         // of the window, of the sweep
    output logic                      final_word,    // the pixel's last channel word
    output logic                      sweep_max,
    output logic                      sweep_sum,
    output logic                      sweep_last,    // last slot of a sweep
    output logic                      out,           // its result goes to o_addr
    output logic [weft_pkg::ADDR-1:0] o_addr,
    output logic                      last,          // last slot of the instruction
    output logic                      beyond         // an access would leave the scratchpad
);
  localparam int A = weft_pkg::WIDE;
  localparam int WAIT_BITS = $clog2(weft_pkg::T_VEC_RECIP);
  localparam bit ONE_BEAT = weft_pkg::W == weft_pkg::CFG_VEC_LANES;

  typedef enum logic [2:0] {
    MAXIMUM,
    WAIT_MAX,
    SUM,
    WAIT_RECIP,
    RESULT  // all there is of other operations
  } phase_t;
  phase_t phase;

  logic elementwise_q, binary_q, row_q;
  logic [11:0] out_h_q, out_w_q, kh_q, kw_q;
  logic [15:0] words_q, word;
  logic [BEAT_BITS-1:0] beats_q;
  logic [11:0] kx, ky, ox, oy;
  logic [WAIT_BITS-1:0] count;

  logic last_kx, last_ky, last_beat, last_pixel, last_row, waiting, window_last, word_done;
  logic pixel_done;
  logic next_col, next_line, again, next_word, sweep, next_pixel, next_row;
  assign last_kx     = kx == kw_q;
  assign last_ky     = ky == kh_q;
  assign last_beat   = beat == beats_q;
  assign final_word  = word == words_q;
  assign last_pixel  = ox == out_w_q;
  assign last_row    = oy == out_h_q;
  assign waiting     = phase == WAIT_MAX || phase == WAIT_RECIP;
  assign window_last = last_kx && last_ky;
  assign word_done   = window_last && last_beat;
  assign pixel_done  = word_done && final_word;
  assign slot        = running && !waiting;
  assign last        = slot && pixel_done && phase == RESULT && last_pixel && last_row;

  assign next_col    = slot && !last_kx;
  assign next_line   = slot && last_kx && !last_ky;
  assign again       = slot && window_last && !last_beat;
  assign next_word   = slot && word_done && !final_word;
  assign sweep       = slot && pixel_done && phase != RESULT;
  assign next_pixel  = slot && pixel_done && phase == RESULT && !last_pixel;
  assign next_row    = slot && pixel_done && phase == RESULT && last_pixel && !last_row;

  always_ff @(posedge clk) begin
    if (rst || halt) begin
      running <= 1'b0;
    end else if (load) begin
      running <= 1'b1;
    end else if (last) begin
      running <= 1'b0;
    end
    if (load) begin
      elementwise_q <= elementwise;
      binary_q      <= binary;
      row_q         <= row_op;
      out_h_q       <= out_h - 12'd1;
      out_w_q       <= out_w - 12'd1;
      kh_q          <= kh - 12'd1;
      kw_q          <= kw - 12'd1;
      words_q       <= words;
      beats_q       <= beats;
      phase         <= row_op ? MAXIMUM : RESULT;
      kx            <= '0;
      ky            <= '0;
      beat          <= '0;
      word          <= '0;
      ox            <= '0;
      oy            <= '0;
    end else if (running) begin
      if (slot) begin
        kx <= last_kx ? 12'd0 : kx + 12'd1;
        if (last_kx) ky <= last_ky ? 12'd0 : ky + 12'd1;
        if (window_last) beat <= last_beat ? '0 : beat + 1'b1;
        if (word_done) word <= final_word ? 16'd0 : word + 16'd1;
      end
      if (next_pixel) ox <= ox + 12'd1;
      if (next_row) begin
        ox <= 12'd0;
        oy <= oy + 12'd1;
      end
      case (phase)
        MAXIMUM: if (sweep) phase <= WAIT_MAX;
        WAIT_MAX: if (count == '0) phase <= SUM;
        SUM: if (sweep) phase <= WAIT_RECIP;
        WAIT_RECIP: if (count == '0) phase <= RESULT;
        default: if (row_q && (next_pixel || next_row)) phase <= MAXIMUM;
      endcase
      if (sweep)
        count <= phase == MAXIMUM ? WAIT_BITS'(MAX_WAIT - 1)
            : WAIT_BITS'(weft_pkg::T_VEC_RECIP - MAX_WAIT - 1);
      else if (waiting) count <= count - 1'b1;
    end
  end

  logic [A-1:0] a_addr, b_pixel, o_pixel, b_addr, o_wide, read_addr;
  logic inside_image, read;
  weft_vec_window u_a (
      .clk,
      .load,
      .base      (a_base),
      .row_stride(a_row_stride),
      .pix_stride(a_pix_stride),
      .ring_rows (a_ring_rows),
      .ring_start(a_ring_start),
      .in_h,
      .in_w,
      .pad_top,
      .pad_left,
      .stride_y,
      .stride_x,
      .next_col,
      .next_line,
      .again,
      .next_word,
      .sweep,
      .next_pixel,
      .next_row,
      .addr      (a_addr),
      .inside_image
  );
  weft_walk u_b (
      .clk,
      .load,
      .base      (b_base),
      .row_stride(b_row_stride),
      .pix_stride(b_pix_stride),
      .ring_rows (b_ring_rows),
      .ring_start(b_ring_start),
      .next_pixel(next_pixel && binary_q),
      .next_row  (next_row && binary_q),
      .addr      (b_pixel)
  );
  weft_walk u_o (
      .clk,
      .load,
      .base      (o_base),
      .row_stride(o_row_stride),
      .pix_stride(o_pix_stride),
      .ring_rows (o_ring_rows),
      .ring_start(o_ring_start),
      .next_pixel,
      .next_row,
      .addr      (o_pixel)
  );
  assign b_addr = b_pixel + A'(word);
  assign o_wide = o_pixel + A'(word);

  // With several beats a word, elementwise operands are read once, a in the first beat and b in the
  // second; with one beat, the second operand takes a slot of its own.
  logic wants_a, wants_b, wants_out;
  assign wants_b   = slot && elementwise_q && binary_q && beat == BEAT_BITS'(1);
  assign wants_a   = slot && inside_image && (!elementwise_q || beat == '0);
  assign wants_out = slot && phase == RESULT && window_last &&
      !(ONE_BEAT && elementwise_q && !last_beat);
  assign read_addr = wants_b ? b_addr : a_addr;

  logic read_in, out_in;
  assign read_in = read_addr < A'(weft_pkg::CFG_SPAD_WORDS);
  assign out_in  = o_wide < A'(weft_pkg::CFG_SPAD_WORDS);
  assign read    = wants_a || wants_b;
  assign beyond  = (read && !read_in) || (wants_out && !out_in);
  assign read_a  = wants_a && read_in;
  assign read_b  = wants_b && read_in;
  assign out     = wants_out && !beyond;
  assign addr    = read_addr[weft_pkg::ADDR-1:0];
  assign o_addr  = o_wide[weft_pkg::ADDR-1:0];

  assign first      = row_q ? word == '0 && beat == '0 : kx == '0 && ky == '0;
  assign sweep_max  = slot && phase == MAXIMUM;
  assign sweep_sum  = slot && phase == SUM;
  assign sweep_last = sweep;
endmodule
