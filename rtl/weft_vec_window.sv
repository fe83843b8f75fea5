// Walks the windows of the vector unit's operand a: rows of a ring buffer, pixels, channel words,
// and around each output's place a window of kh x kw pixels (docs/isa.md, "VPOOL"). Operations
// without windows use it with windows of one pixel.
//
// `load` takes the operand's fields; from the next cycle on `addr` is the word address of the first
// window's first pixel, and `inside_image` says whether that pixel lies in the image (if not,
// `addr` means nothing). Each of the steps, at most one in a cycle, shows its new place in the
// cycle after:
//
//   next_col    next pixel of the window's row
//   next_line   first pixel of the window's next row
//   again       first pixel of the window
//   next_word   first pixel of the window, one channel word further
//   sweep       first pixel of the window, channel word 0
//   next_pixel  first pixel of the next output pixel's window, word 0
//   next_row    first pixel of the first window of the next output row, word 0
//
// No reset: an address is meaningless before the first `load`.
module weft_vec_window (
    input  logic                      clk,
    input  logic                      load,
    input  logic [weft_pkg::ADDR-1:0] base,
    input  logic [              15:0] row_stride,
    input  logic [              11:0] pix_stride,
    input  logic [              11:0] ring_rows,
    input  logic [              11:0] ring_start,
    input  logic [              11:0] in_h,
    input  logic [              11:0] in_w,
    input  logic [               7:0] pad_top,
    input  logic [               7:0] pad_left,
    input  logic [               4:0] stride_y,
    input  logic [               4:0] stride_x,
    input  logic                      next_col,
    input  logic                      next_line,
    input  logic                      again,
    input  logic                      next_word,
    input  logic                      sweep,
    input  logic                      next_pixel,
    input  logic                      next_row,
    output logic [weft_pkg::WIDE-1:0] addr,
    output logic                      inside_image
);
  localparam int A = weft_pkg::WIDE;
  localparam int P = 19;  // bits of a row's or pixel's number, signed: up to 4094 * 31 + 4094

  // Columns. `ix`, `col`: this pixel and its offset in the row, in words. Offsets left of the image
  // wrap below zero and are never used.
  logic [11:0] pix_stride_q, in_w_q;
  logic [4:0] stride_x_q;
  logic [P-1:0] ix, ix_out, ix_first;  // this one; the window's first; the first window's first
  logic [A-1:0] col, col_word, col_out, col_first;  // col_word: in this channel word; others word 0
  logic [A-1:0] col_step, col_next;
  logic [19:0] pad_words;
  logic [16:0] step_words;
  assign pad_words  = pad_left * pix_stride;
  assign step_words = stride_x * pix_stride;
  assign col_next   = col_out + col_step;
  always_ff @(posedge clk) begin
    if (load) begin
      pix_stride_q <= pix_stride;
      in_w_q       <= in_w;
      stride_x_q   <= stride_x;
      col_step     <= A'(step_words);
      ix           <= P'(0) - P'(pad_left);
      ix_out       <= P'(0) - P'(pad_left);
      ix_first     <= P'(0) - P'(pad_left);
      col          <= A'(0) - A'(pad_words);
      col_word     <= A'(0) - A'(pad_words);
      col_out      <= A'(0) - A'(pad_words);
      col_first    <= A'(0) - A'(pad_words);
    end else if (next_row) begin
      ix       <= ix_first;
      ix_out   <= ix_first;
      col      <= col_first;
      col_word <= col_first;
      col_out  <= col_first;
    end else if (next_pixel) begin
      ix       <= ix_out + P'(stride_x_q);
      ix_out   <= ix_out + P'(stride_x_q);
      col      <= col_next;
      col_word <= col_next;
      col_out  <= col_next;
    end else if (sweep) begin
      ix       <= ix_out;
      col      <= col_out;
      col_word <= col_out;
    end else if (next_word) begin
      ix       <= ix_out;
      col      <= col_word + 1'b1;
      col_word <= col_word + 1'b1;
    end else if (again || next_line) begin
      ix  <= ix_out;
      col <= col_word;
    end else if (next_col) begin
      ix  <= ix + 1'b1;
      col <= col + A'(pix_stride_q);
    end
  end

  // Rows. Above the image, ring and address stay those of row 0. The ring row of the window after
  // this row of windows is known ahead: only its address is left to compute when it is stepped to.
  logic [A-1:0] base_q;
  logic [15:0] row_stride_q;
  logic [11:0] rows_q, in_h_q;
  logic [4:0] stride_y_q;
  logic [P-1:0] iy, iy_out, iy_next;
  logic [11:0] ring, ring_out, ring_next;
  logic [A-1:0] row, row_out, row_next;
  logic [27:0] offset;  // the one multiplication of a ring row by the row stride
  logic wrap;
  logic [8:0] above;  // the row after the next: of use while the next one is above the image
  assign offset   = load ? ring_start * row_stride : ring_next * row_stride_q;
  assign row_next = (load ? A'(base) : base_q) + saturated(offset);
  assign wrap     = ring + 12'd1 >= rows_q;
  assign above    = load ? 9'(stride_y) - 9'(pad_top) : iy_next[8:0] + 9'(stride_y_q);
  always_ff @(posedge clk) begin
    if (load) begin
      base_q       <= A'(base);
      row_stride_q <= row_stride;
      rows_q       <= ring_rows;
      in_h_q       <= in_h;
      stride_y_q   <= stride_y;
      iy           <= P'(0) - P'(pad_top);
      iy_out       <= P'(0) - P'(pad_top);
      iy_next      <= P'(stride_y) - P'(pad_top);
      ring         <= ring_start;
      ring_out     <= ring_start;
      ring_next    <= advanced(ring_start, above[8] ? 5'd0 : above[4:0], ring_rows);
      row          <= row_next;
      row_out      <= row_next;
    end else if (next_row) begin
      iy        <= iy_next;
      iy_out    <= iy_next;
      iy_next   <= iy_next + P'(stride_y_q);
      ring      <= ring_next;
      ring_out  <= ring_next;
      ring_next <= advanced(ring_next,
                            !iy_next[P-1] ? stride_y_q : above[8] ? 5'd0 : above[4:0], rows_q);
      row       <= row_next;
      row_out   <= row_next;
    end else if (next_pixel || sweep || next_word || again) begin
      iy   <= iy_out;
      ring <= ring_out;
      row  <= row_out;
    end else if (next_line) begin
      iy <= iy + 1'b1;
      if (!iy[P-1]) begin
        ring <= wrap ? 12'd0 : ring + 12'd1;
        row  <= wrap ? base_q : row + A'(row_stride_q);
      end
    end
  end

  assign addr = row + col;
  assign inside_image = !iy[P-1] && iy[P-2:0] < (P - 1)'(in_h_q) &&
      !ix[P-1] && ix[P-2:0] < (P - 1)'(in_w_q);

  // (ring + step) mod rows, for ring < rows.
  function automatic logic [11:0] advanced(input logic [11:0] from, input logic [4:0] step,
                                           input logic [11:0] rows);
    logic [4:0] rest;
    logic [12:0] sum;
    rest = step;
    if (rows[11:5] == '0)
      for (int k = 4; k >= 0; k--)
        if (10'(rest) >= 10'(rows[4:0]) << k) rest = rest - (rows[4:0] << k);
    sum = 13'(from) + 13'(rest);
    if (sum >= 13'(rows)) sum = sum - 13'(rows);
    advanced = sum[11:0];
  endfunction

  logic unused;
  assign unused = &{1'b0, above[7:5]};

  // Offsets beyond every scratchpad stay beyond it: the user's range check must see them.
  function automatic logic [A-1:0] saturated(input logic [27:0] v);
    saturated = v[27:A-1] != '0 ? {1'b1, {(A - 1) {1'b0}}} : v[A-1:0];
  endfunction
endmodule
