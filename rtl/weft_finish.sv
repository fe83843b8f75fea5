// End of every output stage: zero point, clamp, table (steps 3 to 5 of docs/isa.md, "Output
// stage").
//
// Latency 1: numbers presented with `in_valid` in cycle t show as codes `q` in cycle t + 1 (and
// stay until the next item). No back-pressure, no reset: nothing here is control.
//
// The module keeps its own copy of the tables (CFG_LUT_SLOTS of 256 bytes) for every lane, as each
// lane reads another code; LOAD's write bus fills all copies. A word of the memories has W bytes,
// as on the bus; the byte is selected behind the read. `lut_slot` is below CFG_LUT_SLOTS whenever
// `lut_en` is set: the unit refuses other instructions.
module weft_finish #(
    parameter int LANES = weft_pkg::W
) (
    input  logic                       clk,
    input  logic                       in_valid,
    input  logic [       32*LANES-1:0] v,
    input  logic [                8:0] out_zp,     // signed
    input  logic [                7:0] clamp_min,  // signed
    input  logic [                7:0] clamp_max,  // signed
    input  logic                       lut_en,
    input  logic [                3:0] lut_slot,
    output logic [        8*LANES-1:0] q,
    // LOAD's write bus (docs/rtl.md)
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  localparam int W = weft_pkg::W;
  localparam int SLOT_WORDS = weft_pkg::LUT_BYTES / W;  // W <= 64
  localparam int DEPTH = weft_pkg::CFG_LUT_SLOTS * SLOT_WORDS;
  localparam int A = $clog2(DEPTH);
  localparam int B = $clog2(W);

  logic [W-1:0] we;
  assign we = ld_en && ld_mem == 3'(weft_pkg::MEM_LUT) ? ld_be[W-1:0] : '0;

  logic lut_q;
  always_ff @(posedge clk) if (in_valid) lut_q <= lut_en;

  logic signed [31:0] low, high, zero_point;
  assign zero_point = 32'($signed(out_zp));
  assign low = 32'($signed(clamp_min));
  assign high = 32'($signed(clamp_max));

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [31:0] sum;
    logic [7:0] code, code_q;
    logic [8*W-1:0] word;
    assign sum  = v[32*i+:32] + zero_point;
    // clamp_min wins against a smaller clamp_max, as in the C model
    assign code = sum < low ? clamp_min : sum > high ? clamp_max : sum[7:0];
    always_ff @(posedge clk) if (in_valid) code_q <= code;

    weft_ram #(
        .DEPTH(DEPTH),
        .BYTES(W)
    ) u_table (
        .clk,
        .we,
        .waddr(ld_addr[A-1:0]),
        .wdata(ld_data[8*W-1:0]),
        .re   (in_valid && lut_en),
        .raddr(A'({lut_slot, code[7:B]})),
        .rdata(word)
    );
    assign q[8*i+:8] = lut_q ? word[{code_q[B-1:0], 3'd0}+:8] : code_q;
  end

  // The bus addresses any memory and has at least 12 bytes.
  logic unused;
  assign unused = &{1'b0, ld_addr, ld_be, ld_data, lut_slot};
endmodule
