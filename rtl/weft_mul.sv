// Product of a signed 32-bit and an unsigned 31-bit number, in three multipliers of at most 18 x 18
// bits where four halves would need four: a * b with a = ah 2^16 + al, b = bh 2^16 + bl is
//
//     ah bh 2^32 + (ah bl + al bh) 2^16 + al bl
//
// and the middle is (ah - al)(bl - bh) + ah bh + al bl (Karatsuba), exactly. ah - al has 18 bits
// and bl - bh 17, signed: what an FPGA's multipliers take, which are the scarcest thing of a small
// device.
//
// Operands presented in cycle t with `take` are registered, in t + 1 multiplied with `multiply`,
// and `product` is there in t + 2, until the next `multiply`: a sum behind registers.
module weft_mul (
    input  logic        clk,
    input  logic        take,
    input  logic [31:0] a,        // signed
    input  logic [30:0] b,
    input  logic        multiply,
    output logic [62:0] product   // signed
);
  logic signed [15:0] ah_q;
  logic signed [16:0] al_q, bl_q;  // not negative
  logic signed [15:0] bh_q;  // not negative
  logic signed [17:0] da_q;
  logic signed [16:0] db_q;
  logic signed [30:0] high_q;
  logic signed [33:0] low_q;  // 32 bits, not negative
  logic signed [34:0] cross_q;
  logic [46:0] upper;
  always_ff @(posedge clk) begin
    if (take) begin
      ah_q <= a[31:16];
      al_q <= {1'b0, a[15:0]};
      bh_q <= {1'b0, b[30:16]};
      bl_q <= {1'b0, b[15:0]};
      da_q <= 18'($signed(a[31:16])) - {2'b00, a[15:0]};
      db_q <= {1'b0, b[15:0]} - {2'b00, b[30:16]};
    end
    if (multiply) begin
      high_q  <= 31'(ah_q * bh_q);
      low_q   <= al_q * bl_q;
      cross_q <= da_q * db_q;
    end
  end
  assign upper = {high_q, low_q[31:16]} + 47'(high_q) + 47'(low_q) + 47'(cross_q);
  assign product = {upper, low_q[15:0]};
endmodule
