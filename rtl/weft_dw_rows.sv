// Rows of the depthwise engine's input: walks the kernel's rows of every window through the ring
// buffer that holds the image.
//
//     for each channel word, output row: the window's top row is oy * stride_y - pad_top
//       for each pixel: kernel rows from the top down
//
// `prepare` (a cycle after the instruction was taken) begins to compute the positions that its
// words start from; they are there 4 cycles later. `word` takes them over: in the next cycle `addr`
// (word address of the row's pixel 0) and `inside` (the row is one of the image's) show the first
// window's first row. next_row moves down by one kernel row, next_pixel back to the window's top,
// next_out_row to the next window's top; word wins over next_out_row over next_pixel over next_row.
// Where the row is not `inside`, `addr` means nothing. No reset: `word` sets everything.
//
// Rows above the image have no place in the ring, so as long as the top lies there the walk begins
// at row 0 and waits; the first top that lies in the image ("entry") is computed beforehand, since
// an output row may last a single cycle. From there on a top is stride_y rows below the last.
module weft_dw_rows (
    input  logic                      clk,
    // the instruction that loads, stable from `prepare` until its last `word`
    input  logic                      prepare,
    input  logic [weft_pkg::ADDR-1:0] base,
    input  logic [              15:0] row_stride,
    input  logic [              11:0] ring_rows,
    input  logic [              11:0] ring_start,
    input  logic [              11:0] in_h,
    input  logic [               7:0] pad_top,
    input  logic [               2:0] stride_y,
    // the walk
    input  logic                      word,
    input  logic                      next_row,
    input  logic                      next_pixel,
    input  logic                      next_out_row,
    output logic [weft_pkg::WIDE-1:0] addr,
    output logic                      inside_image
);
  localparam int A = weft_pkg::WIDE;

  // Offsets beyond every scratchpad stay beyond it: the range check must see them.
  function automatic logic [A-1:0] saturated(input logic [27:0] v);
    saturated = v[27:A-1] != '0 ? {1'b1, {(A - 1) {1'b0}}} : v[A-1:0];
  endfunction
  // (-pad) mod stride: the first top at or below row 0, strides 1 to 4
  function automatic logic [1:0] entry_row(input logic [7:0] pad, input logic [2:0] stride);
    logic [3:0] digits;  // pad mod 3 is the sum of its base 4 digits mod 3
    digits = {2'b00, pad[1:0]} + {2'b00, pad[3:2]} + {2'b00, pad[5:4]} + {2'b00, pad[7:6]};
    case (stride)
      3'd1: entry_row = 2'd0;
      3'd2: entry_row = {1'b0, pad[0]};
      3'd3:
      case (digits)
        4'd0, 4'd3, 4'd6, 4'd9, 4'd12: entry_row = 2'd0;
        4'd1, 4'd4, 4'd7, 4'd10: entry_row = 2'd2;
        default: entry_row = 2'd1;
      endcase
      default: entry_row = 2'd0 - pad[1:0];
    endcase
  endfunction
  // stride mod ring_rows
  function automatic logic [2:0] ring_step(input logic [2:0] stride, input logic [11:0] rows);
    if (rows > {9'd0, stride}) ring_step = stride;
    else if (rows == 12'd3 && stride == 3'd4) ring_step = 3'd1;
    else if (rows == 12'd2) ring_step = {2'b00, stride[0]};
    else ring_step = 3'd0;  // rows == stride, or one row
  endfunction
  function automatic logic [A-1:0] times(input logic [15:0] v, input logic [2:0] n);
    times = (n[0] ? A'(v) : '0) + (n[1] ? A'({v, 1'b0}) : '0) + (n[2] ? A'({v, 2'b00}) : '0);
  endfunction

  // --- positions of the instruction that loads
  logic [A-1:0] row0_new, entry_addr, step_words;
  logic [27:0] offset;
  logic [11:0] entry_ring;
  logic [1:0] entry_left;  // rows to go
  logic [2:0] step;
  logic entry_wrap;
  assign offset = ring_start * row_stride;
  assign entry_wrap = entry_ring + 12'd1 >= ring_rows;
  always_ff @(posedge clk) begin
    if (prepare) begin
      row0_new   <= A'(base) + saturated(offset);
      entry_addr <= A'(base) + saturated(offset);
      entry_ring <= ring_start;
      entry_left <= entry_row(pad_top, stride_y);
      step       <= ring_step(stride_y, ring_rows);
      step_words <= times(row_stride, ring_step(stride_y, ring_rows));
    end else if (entry_left != 2'd0) begin
      entry_left <= entry_left - 2'd1;
      entry_ring <= entry_wrap ? 12'd0 : entry_ring + 12'd1;
      entry_addr <= entry_wrap ? A'(base) : entry_addr + A'(row_stride);
    end
  end

  // --- the instruction that streams
  logic [A-1:0] base_q, step_words_q, row0_q;
  logic [15:0] row_stride_q;
  logic [11:0] rows_q, start_q, in_h_q;
  logic [2:0] step_q, stride_q;
  logic signed [15:0] top, top_next, row;  // row number in the image, pad rows below 0
  logic [11:0] top_ring, top_ring_next, ring;  // of the top; of entry while that is above
  logic [A-1:0] top_addr, top_addr_next;
  logic [12:0] top_sum;
  logic [2:0] top_over;
  logic top_wrap, wrap;

  assign top_next = top + 16'(stride_q);
  assign top_sum = {1'b0, top_ring} + 13'(step_q);
  assign top_wrap = top_sum >= {1'b0, rows_q};
  assign top_over = top_sum[2:0] - rows_q[2:0];  // below stride_y, hence 0 to 3
  assign top_ring_next = top_wrap ? {9'd0, top_over} : top_sum[11:0];
  assign top_addr_next = top_wrap ? base_q + times(row_stride_q, top_over) :
      top_addr + step_words_q;
  assign wrap = ring + 12'd1 >= rows_q;
  assign inside_image = !row[15] && row[14:0] < {3'd0, in_h_q};

  always_ff @(posedge clk) begin
    if (word) begin
      base_q       <= A'(base);
      row_stride_q <= row_stride;
      rows_q       <= ring_rows;
      start_q      <= ring_start;
      row0_q       <= row0_new;
      in_h_q       <= in_h;
      stride_q     <= stride_y;
      step_q       <= step;
      step_words_q <= step_words;
      top          <= 16'd0 - 16'(pad_top);
      top_ring     <= entry_ring;
      top_addr     <= entry_addr;
      row          <= 16'd0 - 16'(pad_top);
      ring         <= ring_start;
      addr         <= row0_new;
    end else if (next_out_row) begin
      top <= top_next;
      row <= top_next;
      if (!top[15]) begin
        top_ring <= top_ring_next;
        top_addr <= top_addr_next;
      end
      ring <= top_next[15] ? start_q : top[15] ? top_ring : top_ring_next;
      addr <= top_next[15] ? row0_q : top[15] ? top_addr : top_addr_next;
    end else if (next_pixel) begin
      row  <= top;
      ring <= top[15] ? start_q : top_ring;
      addr <= top[15] ? row0_q : top_addr;
    end else if (next_row) begin
      row <= row + 16'sd1;
      if (!row[15]) begin
        ring <= wrap ? 12'd0 : ring + 12'd1;
        addr <= wrap ? base_q : addr + A'(row_stride_q);
      end
    end
  end
endmodule
