// Walks the pixels of a scratchpad operand: rows of a ring buffer, pixels of a row (docs/isa.md,
// "Memories").
//
// `load` takes the operand's fields; from the next cycle on `addr` is the word address of row 0,
// pixel 0. `next_pixel` moves to the next pixel of the row, `next_row` (it wins) to pixel 0 of the
// next row; `addr` shows the new place in the cycle after. The channel word is the user's to add.
// `load` wins over both. No reset: an address is meaningless before the first `load`.
module weft_walk (
    input  logic                       clk,
    input  logic                       load,
    input  logic [weft_pkg::ADDR-1:0]  base,
    input  logic [15:0]                row_stride,
    input  logic [11:0]                pix_stride,
    input  logic [11:0]                ring_rows,
    input  logic [11:0]                ring_start,
    input  logic                       next_pixel,
    input  logic                       next_row,
    output logic [weft_pkg::WIDE-1:0]  addr
);
  localparam int A = weft_pkg::WIDE;
  logic [A-1:0] base_q, row_addr, row_next;
  logic [15:0]  row_stride_q;
  logic [11:0]  pix_stride_q, rows_q, ring;
  logic [27:0]  offset;  // of the ring row where the operand begins
  logic         wrap;

  assign offset   = ring_start * row_stride;
  assign wrap     = ring + 12'd1 >= rows_q;
  assign row_next = wrap ? base_q : row_addr + A'(row_stride_q);

  always_ff @(posedge clk) begin
    if (load) begin
      base_q       <= A'(base);
      row_stride_q <= row_stride;
      pix_stride_q <= pix_stride;
      rows_q       <= ring_rows;
      ring         <= ring_start;
      row_addr     <= A'(base) + saturated(offset);
      addr         <= A'(base) + saturated(offset);
    end else if (next_row) begin
      ring     <= wrap ? 12'd0 : ring + 12'd1;
      row_addr <= row_next;
      addr     <= row_next;
    end else if (next_pixel) begin
      addr <= addr + A'(pix_stride_q);
    end
  end

  // Offsets beyond every scratchpad stay beyond it: the user's range check must see them.
  function automatic logic [A-1:0] saturated(input logic [27:0] v);
    saturated = v[27:A-1] != '0 ? {1'b1, {(A - 1) {1'b0}}} : v[A-1:0];
  endfunction
endmodule
