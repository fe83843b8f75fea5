// Delay line of STAGES cycles that moves only while `en`: q shows what d was STAGES moves ago.
//
// One shift per move, no reset: whoever uses it knows when its contents mean something. STAGES = 0
// is a wire.
module weft_delay #(
    parameter int BITS   = 8,
    parameter int STAGES = 1
) (
    input  logic            clk,
    input  logic            en,
    input  logic [BITS-1:0] d,
    output logic [BITS-1:0] q
);
  if (STAGES == 0) begin : g_wire
    logic unused;
    assign unused = &{1'b0, clk, en};
    assign q = d;
  end else if (STAGES == 1) begin : g_one
    always_ff @(posedge clk) if (en) q <= d;
  end else begin : g_line
    logic [BITS*STAGES-1:0] line;
    always_ff @(posedge clk) if (en) line <= {line[BITS*(STAGES-1)-1:0], d};
    assign q = line[BITS*(STAGES-1)+:BITS];
  end
endmodule
