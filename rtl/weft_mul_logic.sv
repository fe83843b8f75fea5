// Product of two int8 numbers, written so that synthesis builds it of logic: a small device has
// fewer multiplier blocks than it has room for products, and the output stages need the blocks.
// About 140 LUT4 on an ECP5.
//
// Rows of the multiplication by pairs of bits, then the pairs' sum. A wire: no clock, no latency.
module weft_mul_logic (
    input  logic [ 7:0] a,       // signed
    input  logic [ 7:0] b,       // signed
    output logic [15:0] product  // signed
);
  logic [9:0] one, two, pair_0, pair_2, pair_4, pair_6;
  assign one     = {{2{a[7]}}, a};
  assign two     = {a[7], a, 1'b0};
  assign pair_0  = (one & {10{b[0]}}) + (two & {10{b[1]}});
  assign pair_2  = (one & {10{b[2]}}) + (two & {10{b[3]}});
  assign pair_4  = (one & {10{b[4]}}) + (two & {10{b[5]}});
  assign pair_6  = (one & {10{b[6]}}) - (two & {10{b[7]}});
  assign product = {{6{pair_0[9]}}, pair_0} + {{4{pair_2[9]}}, pair_2, 2'd0} +
      {{2{pair_4[9]}}, pair_4, 4'd0} + {pair_6, 6'd0};
endmodule
