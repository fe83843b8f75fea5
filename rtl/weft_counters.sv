// The performance counters: what each unit did in every cycle of a run (docs/microarchitecture.md,
// "Counters"), and the beats on the data bus.
//
// Counts the cycles with `run`; `clear` makes all of them 0. `counters`: for each unit, FETCH last,
// busy, stall_operand, stall_dram, stall_queue, 64 bits each, lowest first (the order of the
// COUNTER registers). What happened in cycle t is seen in t + 1.
module weft_counters (
    input  logic                             clk,
    input  logic                             clear,
    input  logic                             run,
    input  logic [      weft_pkg::UNITS-1:0] active,
    input  logic [      weft_pkg::UNITS-1:0] moved,
    input  logic [      weft_pkg::UNITS-1:0] queued,
    input  logic                             dispatched,
    input  logic                             blocked,
    input  logic                             starved,
    input  logic                             rd_beat,
    input  logic                             wr_beat,
    output logic [(weft_pkg::UNITS+1)*256-1:0] counters,
    output logic [                       63:0] rd_beats,
    output logic [                       63:0] wr_beats
);
  localparam int U = weft_pkg::UNITS;
  localparam int BUSY = 0, OPERAND = 1, DRAM = 2, QUEUE = 3;
  // Units whose time goes to the data bus: busy when they move a word.
  localparam logic [U-1:0] DMA = U'((1 << weft_pkg::UNIT_LOAD) | (1 << weft_pkg::UNIT_STORE));
  logic [4*(U+1)-1:0] count;

  for (genvar u = 0; u < U; u++) begin : gen_unit
    assign count[4*u+BUSY]    = active[u] & (moved[u] | ~DMA[u]);
    assign count[4*u+OPERAND] = ~active[u] & queued[u];
    assign count[4*u+DRAM]    = active[u] & ~moved[u] & DMA[u];
    assign count[4*u+QUEUE]   = ~active[u] & ~queued[u] & blocked;
  end
  assign count[4*U+BUSY]    = dispatched;
  assign count[4*U+OPERAND] = 1'b0;
  assign count[4*U+DRAM]    = starved;
  assign count[4*U+QUEUE]   = blocked;

  for (genvar i = 0; i < 4 * (U + 1); i++) begin : gen_counter
    logic [63:0] value;
    always_ff @(posedge clk) begin
      if (clear) value <= '0;
      else if (run & count[i]) value <= value + 1'b1;
    end
    assign counters[64*i+:64] = value;
  end

  always_ff @(posedge clk) begin
    if (clear) rd_beats <= '0;
    else if (run & rd_beat) rd_beats <= rd_beats + 1'b1;
    if (clear) wr_beats <= '0;
    else if (run & wr_beat) wr_beats <= wr_beats + 1'b1;
  end
endmodule
