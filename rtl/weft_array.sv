// The systolic array: ROWS x COLS processing elements, weights stationary, activations from left to
// right, sums from top to bottom, with the skew at its edges.
//
// Pixel: `in_valid` with all ROWS activations in cycle t gives `out_valid` with all COLS sums in
// cycle t + ROWS + COLS; one a cycle. Row r gets its activation r cycles later, column c another c,
// so everything in the array happens along diagonals: element (r, c) has the pixel in cycle
// t + r + c, and one shift register of pixels, of swaps and of loads serves all elements.
//
// Tile: row r of the tile on `w_data` in cycle u + r with `w_valid`, `w_first` with row 0; it goes
// to the shadow weights. `in_swap` in cycle t - 1 makes the shadow weights those of the pixel of
// cycle t and of the following. A tile may begin (u) in the cycle t of a swap or later; a swap may
// come in cycle u + ROWS or later (t - 1 >= u + ROWS - 1).
module weft_array #(
    parameter int ROWS = weft_pkg::R,
    parameter int COLS = weft_pkg::C
) (
    input  logic               clk,
    input  logic               rst,
    input  logic               in_valid,
    input  logic               in_swap,
    input  logic [ 8*ROWS-1:0] in_act,
    input  logic               w_valid,
    input  logic               w_first,
    input  logic [ 8*COLS-1:0] w_data,
    output logic               out_valid,
    output logic [32*COLS-1:0] out_sum
);
  localparam int N = ROWS + COLS;

  // x[d]: the diagonal d of the array (r + c = d) has a pixel, swaps, loads. Beyond the last
  // element, valid goes on through the bottom edge.
  logic [N:0] valid;
  logic [N-2:0] swap, load;
  logic [COLS-2:0] row_valid;  // [c]: a tile's row is at column c
  logic [N:1] valid_q;
  logic [N-2:1] swap_q, load_q;
  logic [COLS-2:1] row_valid_q;
  assign valid = {valid_q, in_valid};
  assign swap = {swap_q, in_swap};
  assign load = {load_q, w_first};
  assign row_valid = {row_valid_q, w_valid};
  always_ff @(posedge clk) begin
    valid_q <= valid[N-1:0];
    swap_q <= swap[N-3:0];
    load_q <= load[N-3:0];
    row_valid_q <= row_valid[COLS-3:0];
    if (rst) begin
      valid_q <= '0;
      swap_q <= '0;
      load_q <= '0;
      row_valid_q <= '0;
    end
  end
  assign out_valid = valid[N];

  // Left edge: row r after r cycles. Upper edge, weights: column c after c cycles.
  logic [8*ROWS-1:0] act;
  logic [8*COLS-1:0] weight;
  assign act[7:0] = in_act[7:0];
  assign weight[7:0] = w_data[7:0];
  for (genvar r = 1; r < ROWS; r++) begin : g_left
    weft_delay #(.BITS(8), .STAGES(r)) u_skew (
        .clk,
        .en(valid[r-1:0] != '0),
        .d (in_act[8*r+:8]),
        .q (act[8*r+:8])
    );
  end
  for (genvar c = 1; c < COLS; c++) begin : g_upper
    weft_delay #(.BITS(8), .STAGES(c)) u_skew (
        .clk,
        .en(row_valid[c-1:0] != '0),
        .d (w_data[8*c+:8]),
        .q (weight[8*c+:8])
    );
  end

  logic [32*COLS*ROWS-1:0] sum;  // of row r at [32*COLS*r]
  for (genvar r = 0; r < ROWS; r++) begin : g_row
    logic [32*COLS-1:0] above;
    if (r == 0) begin : g_first
      assign above = '0;
    end else begin : g_next
      assign above = sum[32*COLS*(r-1)+:32*COLS];
    end
    weft_pe_row #(.COLS(COLS)) u_row (
        .clk,
        .act    (act[8*r+:8]),
        .valid  (valid[r+:COLS+1]),
        .swap   (swap[r+:COLS]),
        .load   (load[r+:COLS]),
        .weight (weight),
        .sum_in (above),
        .sum_out(sum[32*COLS*r+:32*COLS])
    );
  end

  // Bottom edge: column c's sum shows c cycles after column 0's; all wait for the last column. A
  // sum of ROWS products of int8 has SUM bits; as only these are used, synthesis removes the others
  // from all elements (which keep words of 32 for the simulator's sake).
  localparam int SUM = 16 + $clog2(ROWS);
  for (genvar c = 0; c < COLS; c++) begin : g_bottom
    localparam int WAIT = COLS - 1 - c;
    logic [SUM-1:0] bottom;
    weft_delay #(.BITS(SUM), .STAGES(WAIT)) u_skew (
        .clk,
        .en(WAIT == 0 || valid[ROWS+1+c+:(WAIT == 0 ? 1 : WAIT)] != '0),
        .d (sum[32*COLS*(ROWS-1)+32*c+:SUM]),
        .q (bottom)
    );
    assign out_sum[32*c+:32] = 32'($signed(bottom));
    logic unused;
    assign unused = &{1'b0, sum[32*COLS*(ROWS-1)+32*c+SUM+:32-SUM]};
  end
endmodule
