// The output stage under four-valued logic: X before the reset and whenever no item is presented,
// no X in `out_valid` or in a code that goes with it. Codes are compared with 64-bit arithmetic
// written out from docs/numerics.md; every code also goes through a table that inverts it.
module icarus_output_stage;
  localparam int L = weft_pkg::W;
  localparam int W = weft_pkg::W;
  localparam int ITEMS = 2000;

  logic clk = 1'b0, rst = 1'bx;
  logic in_valid, round_single, lut_en, out_valid, ld_en;
  logic [32*L-1:0] sum;
  logic [96*L-1:0] param;
  logic [8:0] out_zp;
  logic [7:0] clamp_min, clamp_max;
  logic [3:0] lut_slot;
  logic [8*L-1:0] out;
  logic [2:0] ld_mem;
  logic [weft_pkg::ADDR-1:0] ld_addr;
  logic [weft_pkg::LDW-1:0] ld_be;
  logic [8*weft_pkg::LDW-1:0] ld_data;
  weft_output_stage #(
      .LANES(L)
  ) dut (
      .clk(clk),
      .rst(rst),
      .in_valid(in_valid),
      .sum(sum),
      .param(param),
      .out_zp(out_zp),
      .clamp_min(clamp_min),
      .clamp_max(clamp_max),
      .round_single(round_single),
      .lut_en(lut_en),
      .lut_slot(lut_slot),
      .out_valid(out_valid),
      .q(out),
      .ld_en(ld_en),
      .ld_mem(ld_mem),
      .ld_addr(ld_addr),
      .ld_be(ld_be),
      .ld_data(ld_data)
  );

  reg [8*L-1:0] expected[0:ITEMS-1];
  integer i, k, b, draw;
  `include "icarus_stream.vh"

  task idle;
    begin
      in_valid = 1'b0;
      sum = {32 * L{1'bx}};
      param = {96 * L{1'bx}};
      out_zp = 9'bx;
      clamp_min = 8'bx;
      clamp_max = 8'bx;
      round_single = 1'bx;
      lut_en = 1'bx;
      lut_slot = 4'bx;
      ld_en = 1'b0;
      ld_mem = 3'bx;
      ld_addr = {weft_pkg::ADDR{1'bx}};
      ld_be = {weft_pkg::LDW{1'bx}};
      ld_data = {8 * weft_pkg::LDW{1'bx}};
    end
  endtask

  // x * mult * 2^(shift - 31): docs/numerics.md
  reg signed [63:0] p, h, mask, rem;
  reg signed [31:0] x;
  function automatic reg signed [31:0] scaled(input reg signed [31:0] v, input reg [30:0] mult,
                                              input reg signed [7:0] shift, input reg single);
    reg signed [63:0] product, high, low;
    reg signed [31:0] left;
    begin
      if (single) begin
        product = v * $signed({33'b0, mult});
        if (shift < 31) product = (product + (64'sd1 <<< (30 - shift))) >>> (31 - shift);
        scaled = product[31:0];
      end else begin
        left = shift > 0 ? v <<< shift : v;
        product = left * $signed({33'b0, mult});
        high = product >= 0 ? (product + (64'sd1 <<< 30)) >>> 31
                            : -((-product + (64'sd1 <<< 30) - 64'sd1) >>> 31);
        if (shift < 0) begin
          low = high & ((64'sd1 <<< -shift) - 64'sd1);
          product = ((64'sd1 <<< -shift) - 64'sd1) >>> 1;
          if (high < 0) product = product + 64'sd1;
          high = (high >>> -shift) + (low > product ? 64'sd1 : 64'sd0);
        end
        scaled = high[31:0];
      end
    end
  endfunction

  task present;
    reg signed [31:0] v;
    reg signed [7:0] s;
    begin
      in_valid = 1'b1;
      round_single = $random(seed);
      lut_en = $random(seed);
      lut_slot = 4'd0;
      out_zp = $random(seed);
      clamp_min = 8'h80 | ($random(seed) & 8'h3f);
      clamp_max = $random(seed) & 8'h7f;
      for (k = 0; k < L; k = k + 1) begin
        draw = $random(seed);
        sum[32*k+:32] = $random(seed) >>> draw[4:0];
        s = $signed(draw[13:8]) >>> draw[14];
        if (s < -31) s = -8'sd31;
        param[96*k+:32] = $random(seed) >>> draw[20:16];
        param[96*k+32+:32] = $random(seed) & 32'h7fffffff;
        param[96*k+64+:8] = s;
        param[96*k+72+:24] = 24'b0;
        x = sum[32*k+:32] + param[96*k+:32];
        v = scaled(x, param[96*k+32+:31], s, round_single) + $signed(out_zp);
        if (v < $signed(clamp_min)) v = $signed(clamp_min);
        if (v > $signed(clamp_max)) v = $signed(clamp_max);
        expected[sent][8*k+:8] = lut_en ? ~v[7:0] : v[7:0];
      end
      sent = sent + 1;
      tick;
    end
  endtask

  initial begin
    reset;
    for (i = 0; i < 256 / W; i = i + 1) begin  // table 0: byte v holds ~v
      ld_en = 1'b1;
      ld_mem = weft_pkg::MEM_LUT;
      ld_addr = i;
      ld_be = (1 << W) - 1;
      for (b = 0; b < W; b = b + 1) ld_data[8*b+:8] = ~(i * W + b);
      tick;
    end
    for (i = 0; i < ITEMS; i = i + 1) begin
      present;
      draw = $random(seed);
      if (draw[1:0] == 2'd0) tick;
    end
    for (i = 0; i < 10; i = i + 1) tick;
    if (errors == 0 && seen == sent) $display("PASS output stage, %0d lanes: %0d items", L, seen);
    else $display("FAIL output stage, %0d lanes: %0d errors, %0d of %0d", L, errors, seen, sent);
    $finish;
  end
endmodule
