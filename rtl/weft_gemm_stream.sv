// Streams the pixels of a pass: one scratchpad address a cycle, or none for a pixel outside of the
// image.
//
// `go` in cycle t takes the pass that weft_gemm_plan shows; its first pixel is presented in t + 1,
// pixel i in t + 1 + i, in an output pass in t + 1 + i * ceil(C / output_lanes). `free` shows that
// `go` may come: nothing streams, or the pass's last cycle is this one. With every pixel go its
// place in the pass and the pass's in the instruction (`tag`), to meet it again below the array.
module weft_gemm_stream #(
    parameter int A = 30
) (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      go,
    output logic                      free,
    output logic                      running,
    // the pass, from weft_gemm_plan
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic [31:0]               index,
    input  logic [4:0]                step_ring,
    input  logic [A-1:0]              step_row,
    input  logic [A-1:0]              step_wrap,
    input  logic [16:0]               step_pix,
    input  logic [A-1:0]              first_addr,
    input  logic [18:0]               first_iy,
    input  logic [18:0]               first_ix,
    input  logic [11:0]               first_ring,
    input  logic [3:0]                first_lane,
    input  logic                      pass_first,
    input  logic                      pass_last,
    input  logic                      block_first,
    input  logic                      block_last,
    // pixels
    output logic                      pixel,        // presented in this cycle
    output logic                      pixel_begins, // and the first of its pass
    output logic                      pad,          // it is outside of the image
    output logic [7:0]                pad_value,
    output logic [3:0]                lane,
    output logic [6:0]                tag,
    output logic                      rd_en,
    output logic [weft_pkg::ADDR-1:0] rd_addr,
    output logic                      fault,
    output logic [31:0]               fault_index
);
  `include "weft_types.vh"
  localparam int GROUPS = weft_pkg::C / weft_pkg::CFG_OUTPUT_LANES;
  localparam int WORDS = weft_pkg::CFG_SPAD_WORDS;

  /* verilator lint_off UNUSEDSIGNAL */
  gemm_insn_t i;
  /* verilator lint_on UNUSEDSIGNAL */
  assign i = insn;

  // The plan moves on while the pass streams, and the next instruction may be set up: all is
  // copied.
  logic [A-1:0] row_addr, addr, step_row_q, step_wrap_q, next_row_addr;
  logic [18:0]  iy, ix, row_ix;
  logic [16:0]  step_pix_q;
  logic [12:0]  ring_sum;
  logic [11:0]  ring, ring_rows, in_h, in_w, out_w, x_left, y_left;
  logic [4:0]   step_ring_q, stride_y, stride_x;
  logic [3:0]   pass;
  logic [6:0]   group;
  logic         slow;  // output pass: GROUPS cycles a pixel
  logic         begins, ring_wraps, move, row_end, pass_end;

  assign ring_sum      = 13'(ring) + 13'(step_ring_q);
  assign ring_wraps    = ring_sum >= 13'(ring_rows);
  assign next_row_addr = row_addr + (ring_wraps ? step_wrap_q : step_row_q);
  assign row_end       = x_left == '0;
  assign pass_end      = row_end && y_left == '0;
  assign move          = running && (!slow || group == 7'(GROUPS - 1));
  assign free          = !running || (move && pass_end);

  always_ff @(posedge clk) begin
    if (running) begin
      group  <= move ? '0 : group + 1'b1;
      begins <= 1'b0;
    end
    if (move) begin
      if (!row_end) begin
        x_left <= x_left - 1'b1;
        ix     <= ix + 19'(stride_x);
        addr   <= addr + A'(step_pix_q);
      end else begin
        x_left   <= out_w;
        y_left   <= y_left - 1'b1;
        ix       <= row_ix;
        iy       <= iy + 19'(stride_y);
        ring     <= 12'(ring_sum - (ring_wraps ? 13'(ring_rows) : 13'd0));
        row_addr <= next_row_addr;
        addr     <= next_row_addr;
      end
      if (pass_end) running <= 1'b0;
    end
    if (go) begin
      running     <= 1'b1;
      begins      <= 1'b1;
      group       <= '0;
      x_left      <= i.out_w - 1'b1;
      y_left      <= i.out_h - 1'b1;
      out_w       <= i.out_w - 1'b1;
      in_h        <= i.in_h;
      in_w        <= i.in_w;
      stride_y    <= i.stride_y;
      stride_x    <= i.stride_x;
      pad_value   <= i.pad_value;
      ring_rows   <= i.a_ring_rows;
      step_ring_q <= step_ring;
      step_row_q  <= step_row;
      step_wrap_q <= step_wrap;
      step_pix_q  <= step_pix;
      ring        <= first_ring;
      row_addr    <= first_addr;
      addr        <= first_addr;
      iy          <= first_iy;
      ix          <= first_ix;
      row_ix      <= first_ix;
      lane        <= first_lane;
      pass        <= {block_last, block_first, pass_last, pass_first};
      slow        <= GROUPS > 1 && pass_last && !i.acc_out;
      fault_index <= index;
    end
    if (rst) running <= 1'b0;
  end

  // A negative row or pixel is a huge one without its sign.
  assign pad          = iy >= 19'(in_h) || ix >= 19'(in_w);
  assign pixel        = running && group == '0;
  assign pixel_begins = pixel && begins;
  assign fault        = pixel && !pad && addr >= A'(WORDS);
  assign rd_en        = pixel && !pad && addr < A'(WORDS);
  assign rd_addr      = addr[weft_pkg::ADDR-1:0];
  assign tag          = {pass, pass_end, row_end, begins};
endmodule
