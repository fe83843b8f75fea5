// The array under four-valued logic: everything is X before the reset, data are X whenever their
// valid is low, and still no X may reach a valid or a sum that goes with one. Three tiles of random
// weights, pixels with gaps; every sum is compared with plain multiplication.
module icarus_array;
  localparam int R = weft_pkg::R;
  localparam int C = weft_pkg::C;
  localparam int TILES = 3;
  localparam int PIXELS = 3 * R;  // a tile

  logic clk = 1'b0, rst = 1'bx;
  logic in_valid = 1'bx, in_swap = 1'bx, w_valid = 1'bx, w_first = 1'bx;
  logic [8*R-1:0] in_act;
  logic [8*C-1:0] w_data;
  logic out_valid;
  logic [32*C-1:0] out;
  weft_array dut (
      .clk(clk),
      .rst(rst),
      .in_valid(in_valid),
      .in_swap(in_swap),
      .in_act(in_act),
      .w_valid(w_valid),
      .w_first(w_first),
      .w_data(w_data),
      .out_valid(out_valid),
      .out_sum(out)
  );

  reg signed [7:0] tile[0:TILES*R*C-1];
  reg [32*C-1:0] expected[0:TILES*PIXELS-1];
  integer t, i, r, c, gap;
  reg signed [31:0] sum;
  `include "icarus_stream.vh"

  // Leaves data unknown.
  task idle;
    begin
      in_valid = 1'b0;
      in_swap = 1'b0;
      in_act = {8 * R{1'bx}};
      w_valid = 1'b0;
      w_first = 1'b0;
      w_data = {8 * C{1'bx}};
    end
  endtask

  // Loads tile t; a swap must be the last row's cycle or later.
  task load_tile;
    begin
      for (r = 0; r < R; r = r + 1) begin
        w_valid = 1'b1;
        w_first = r == 0;
        for (c = 0; c < C; c = c + 1) w_data[8*c+:8] = tile[(t*R+r)*C+c];
        in_swap = r == R - 1;
        tick;
      end
    end
  endtask

  task send_pixel;
    begin
      in_valid = 1'b1;
      for (r = 0; r < R; r = r + 1) in_act[8*r+:8] = $random(seed);
      for (c = 0; c < C; c = c + 1) begin
        sum = 0;
        for (r = 0; r < R; r = r + 1)
          sum = sum + $signed(in_act[8*r+:8]) * tile[(t*R+r)*C+c];
        expected[sent][32*c+:32] = sum;
      end
      sent = sent + 1;
      tick;
    end
  endtask

  initial begin
    for (i = 0; i < TILES * R * C; i = i + 1) tile[i] = $random(seed);
    reset;
    for (t = 0; t < TILES; t = t + 1) begin
      load_tile;
      for (i = 0; i < PIXELS; i = i + 1) begin
        send_pixel;
        gap = $random(seed);
        if (gap[2:0] == 3'd0) tick;
      end
      for (i = 0; i < R + C + 2; i = i + 1) tick;
    end
    if (seen != sent) $display("%0d sums for %0d pixels", seen, sent);
    if (errors == 0 && seen == sent) $display("PASS array %0dx%0d: %0d pixels", R, C, seen);
    else $display("FAIL array %0dx%0d: %0d errors", R, C, errors);
    $finish;
  end
endmodule
