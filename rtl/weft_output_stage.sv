// Output stage of the array and of the depthwise engine: from sums to codes, LANES channels at a
// time (docs/isa.md, "Output stage"): bias, requantize, zero point, clamp, table.
//
//     cycle t      t + 1             t + 2 .. t + 5        t + 6
//     sum, param   sum + bias   ->   weft_scale   ->   weft_finish: q
//
// Latency T_OUT = 6: an item presented with `in_valid` in cycle t shows as `q` with `out_valid` in
// cycle t + 6; one item a cycle, no back-pressure. The mode (zero point, clamp, rounding, table)
// travels with its item. A channel's parameters come as they lie in memory: 12 bytes, bias,
// multiplier, shift, three zero bytes.
module weft_output_stage #(
    parameter int LANES = weft_pkg::W
) (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       in_valid,
    input  logic [       32*LANES-1:0] sum,
    input  logic [       96*LANES-1:0] param,
    input  logic [                8:0] out_zp,        // signed
    input  logic [                7:0] clamp_min,     // signed
    input  logic [                7:0] clamp_max,     // signed
    input  logic                       round_single,
    input  logic                       lut_en,
    input  logic [                3:0] lut_slot,
    output logic                       out_valid,
    output logic [        8*LANES-1:0] q,
    // LOAD's write bus (docs/rtl.md)
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  localparam int T = weft_pkg::T_OUT;
  localparam int MODE = 9 + 8 + 8 + 1 + 4;
  initial if (T != 6) $error("weft_output_stage has 6 stages, T_OUT says otherwise");

  // valid[k]: an item is in front of the registers of stage k, k = 0 (bias) to 5 (finish)
  logic [T-1:0] valid;
  logic [T-1:1] valid_q;
  assign valid = {valid_q, in_valid};
  always_ff @(posedge clk) begin
    valid_q <= valid[T-2:0];
    out_valid <= valid[T-1];
    if (rst) begin
      valid_q <= '0;
      out_valid <= 1'b0;
    end
  end

  logic single_1;
  logic [MODE-1:0] mode_1, mode_2, mode_3, mode_4, mode_5;
  always_ff @(posedge clk) begin
    if (valid[0]) single_1 <= round_single;
    if (valid[0]) mode_1 <= {out_zp, clamp_min, clamp_max, lut_en, lut_slot};
    if (valid[1]) mode_2 <= mode_1;
    if (valid[2]) mode_3 <= mode_2;
    if (valid[3]) mode_4 <= mode_3;
    if (valid[4]) mode_5 <= mode_4;
  end

  logic [32*LANES-1:0] x_1, y_5;
  logic [31*LANES-1:0] mult_1;
  logic [ 6*LANES-1:0] shift_1;
  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic [31:0] x_q;
    logic [30:0] mult_q;
    logic [ 5:0] shift_q;
    logic [ 7:0] shift_in;
    assign shift_in = param[96*i+64+:8];
    always_ff @(posedge clk) begin
      if (in_valid) begin
        x_q     <= sum[32*i+:32] + param[96*i+:32];
        mult_q  <= param[96*i+32+:31];
        shift_q <= nearest(shift_in);
      end
    end
    assign x_1[32*i+:32] = x_q;
    assign mult_1[31*i+:31] = mult_q;
    assign shift_1[6*i+:6] = shift_q;
    logic unused;  // bit 31 of the multiplier, the three zero bytes
    assign unused = &{1'b0, param[96*i+63], param[96*i+72+:24]};
  end

  // A shift beyond -31 to 31 counts as the nearest of them.
  function automatic logic [5:0] nearest(input logic [7:0] s);
    if (s[7] && s[6:5] == 2'b11 && s[4:0] != 5'd0) nearest = s[5:0];
    else if (s[7]) nearest = 6'd33;  // -31
    else if (s[6:5] == 2'b00) nearest = s[5:0];
    else nearest = 6'd31;
  endfunction

  weft_scale #(
      .LANES(LANES)
  ) u_scale (
      .clk,
      .in_valid(valid[1]),
      .x       (x_1),
      .mult    (mult_1),
      .shift   (shift_1),
      .single  (single_1),
      .y       (y_5)
  );

  weft_finish #(
      .LANES(LANES)
  ) u_finish (
      .clk,
      .in_valid (valid[5]),
      .v        (y_5),
      .out_zp   (mode_5[29:21]),
      .clamp_min(mode_5[20:13]),
      .clamp_max(mode_5[12:5]),
      .lut_en   (mode_5[4]),
      .lut_slot (mode_5[3:0]),
      .q,
      .ld_en,
      .ld_mem,
      .ld_addr,
      .ld_be,
      .ld_data
  );
endmodule
