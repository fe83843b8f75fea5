// Multiplies int32 numbers by Q31 multipliers and a power of two: step 2 of the output stage
// (docs/isa.md), y = x * mult * 2^(shift - 31), rounded once or twice as gemmlowp does.
//
// Latency 4 (multiply 3, round 1): an item presented with `in_valid` in cycle t shows as `y` in
// cycle t + 4; one item a cycle, no back-pressure. The user delays its own valid and side-band by
// 4. Every stage's registers take a new value only when an item enters them. No reset: nothing
// here is control.
//
// One multiplier of 32 x 31 bits a lane (weft_mul), with registers before, in and behind it.
module weft_scale #(
    parameter int LANES = weft_pkg::W
) (
    input  logic                clk,
    input  logic                in_valid,
    input  logic [32*LANES-1:0] x,
    input  logic [31*LANES-1:0] mult,
    input  logic [ 6*LANES-1:0] shift,   // signed, -31 to 31
    input  logic                single,  // 1: one rounding, 0: two
    output logic [32*LANES-1:0] y
);
  logic valid_1, valid_2, valid_3;  // an item is in front of the stage's registers
  always_ff @(posedge clk) begin
    valid_1 <= in_valid;
    valid_2 <= valid_1;
    valid_3 <= valid_2;
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [31:0] x_in;
    logic signed [ 5:0] shift_in;
    logic        [ 5:0] right_in, right_1, right_2, right_3;
    logic        [62:0] product_2, rounded_3;
    logic        [31:0] y_q;
    logic               one_1, one_2;  // rounded once
    assign x_in = x[32*i+:32];
    assign shift_in = shift[6*i+:6];
    // How far the product goes to the right, 0 to 62.
    assign right_in = 6'd31 - shift_in;

    // Two roundings without a right shift are one: that of the product moved by shift - 31. Only, a
    // left shift comes before the multiplication and wraps modulo 2^32: so the number is cut to the
    // bits that stay.
    logic one_in, cut_sign;
    logic [4:0] cut;
    logic [31:0] cut_ones, x_cut;
    assign one_in = single || !shift_in[5];
    assign cut = single || shift_in[5] ? 5'd0 : shift_in[4:0];
    assign cut_ones = ~(32'hffff_ffff >> cut);
    assign cut_sign = x_in[5'd31-cut];
    assign x_cut = (x_in & ~cut_ones) | (cut_ones & {32{cut_sign}});

    weft_mul u_mul (
        .clk,
        .take    (in_valid),
        .a       (x_cut),
        .b       (mult[31*i+:31]),
        .multiply(valid_1),
        .product (product_2)
    );

    // Two roundings, right shift: the first gives h = floor((product + 2^30) / 2^31). The second
    // rounds halves away from zero, which for h < 0 is halves up of h - 1: so that one add here and
    // halves up in the last stage make both.
    logic negative_2;  // h
    logic [31:0] high_2;
    assign negative_2 = product_2[62] & ~&product_2[61:30];
    assign high_2 = product_2[62:31] +
        (negative_2 ? {32{~product_2[30]}} : 32'(product_2[30]));  // +- 2^30

    // The right shift, long steps first: so each step has only the bits that the rest can reach.
    logic [63:0] by_32;
    logic [47:0] by_16;
    logic [39:0] by_8;
    logic [35:0] by_4;
    logic [33:0] by_2;
    logic [32:0] halves_3;  // of the result's unit
    assign by_32 = right_3[5] ? {{32{rounded_3[62]}}, rounded_3[62:31]} : {rounded_3, 1'b0};
    assign by_16 = right_3[4] ? by_32[63:16] : by_32[47:0];
    assign by_8 = right_3[3] ? by_16[47:8] : by_16[39:0];
    assign by_4 = right_3[2] ? by_8[39:4] : by_8[35:0];
    assign by_2 = right_3[1] ? by_4[35:2] : by_4[33:0];
    assign halves_3 = right_3[0] ? by_2[33:1] : by_2[32:0];

    always_ff @(posedge clk) begin
      if (in_valid) begin
        one_1   <= one_in;
        right_1 <= right_in;
      end
      if (valid_1) begin
        one_2   <= one_1;
        right_2 <= right_1;
      end
      if (valid_2) begin
        rounded_3 <= one_2 ? product_2 : {high_2, 31'd0};
        right_3   <= right_2;
      end
      if (valid_3) y_q <= halves_3[32:1] + 32'(halves_3[0]);
    end
    assign y[32*i+:32] = y_q;
  end
endmodule
