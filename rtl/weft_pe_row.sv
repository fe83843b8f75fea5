// One row of the array: COLS processing elements, each with a weight, a shadow weight, an
// activation register on its right, a product and a partial sum.
//
// Pixel at element c in cycle t (valid[c]):
//
//     t          activation (lane 0: `act`, lane c: register) times weight -> product
//     t + 1      sum_in + product -> sum_out, so sum_out shows it in t + 2
//
// and in t + 1 the activation is at element c + 1. `swap[c]` one cycle before t makes the shadow
// weight the weight; `load[c]` takes `weight` lane c into the shadow. A shadow that is loaded in
// the cycle of its swap is taken by the next swap. Sums are modulo 2^32.
//
// The enables are per row, not per element: what an element computes without a pixel is never used,
// and a row without branches is fast to simulate. An empty row holds still.
module weft_pe_row #(
    parameter int COLS = weft_pkg::C
) (
    input  logic               clk,
    input  logic [        7:0] act,      // at the left edge, with valid[0]
    input  logic [     COLS:0] valid,    // valid[c]: a pixel is at element c
    input  logic [   COLS-1:0] swap,
    input  logic [   COLS-1:0] load,
    input  logic [ 8*COLS-1:0] weight,
    input  logic [32*COLS-1:0] sum_in,
    output logic [32*COLS-1:0] sum_out
);
  logic [8*(COLS-1)-1:0] act_q;
  logic [8*COLS-1:0] act_at, weight_q, shadow;
  logic [16*COLS-1:0] product;

  assign act_at = {act_q, act};

  always_ff @(posedge clk) begin
    if (valid[COLS-1:0] != '0) begin
      act_q <= act_at[8*(COLS-1)-1:0];
      for (int c = 0; c < COLS; c++)
        product[16*c+:16] <= 16'($signed(act_at[8*c+:8])) * 16'($signed(weight_q[8*c+:8]));
    end
    if (valid[COLS:1] != '0) begin
      for (int c = 0; c < COLS; c++)
        sum_out[32*c+:32] <= sum_in[32*c+:32] + 32'($signed(product[16*c+:16]));
    end
    if (swap != '0) begin
      for (int c = 0; c < COLS; c++) if (swap[c]) weight_q[8*c+:8] <= shadow[8*c+:8];
    end
    if (load != '0) begin
      for (int c = 0; c < COLS; c++) if (load[c]) shadow[8*c+:8] <= weight[8*c+:8];
    end
  end
endmodule
