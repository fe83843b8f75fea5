// Dispatch: hands instructions in order, one a cycle, to the queues of their units; waits at END
// and FENCE; finds illegal instructions and a missing END.
//
// Everything is combinational from the head of the fetch buffer: `push[u]` in cycle d writes unit
// u's queue, where the instruction is in sight in d + T_DISPATCH = d + 1. END and FENCE are
// dispatched (`sync_now`) in the first cycle with `idle`; `sync_end` is their end, T_END later,
// when FENCE lets the next instruction go. `ending`: END is dispatched; `finish`: the cycle before
// its end. `blocked`: the next instruction waits for a place in a queue; `starved`: for its bytes.
module weft_dispatch (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       begin_run,
    input  logic                       run,
    input  logic [               31:0] program_count,
    input  logic                       insn_valid,
    input  logic [ weft_pkg::INSN-1:0] insn,
    output logic                       take,
    output logic [               31:0] index,
    input  logic [weft_pkg::UNITS-1:0] full,
    output logic [weft_pkg::UNITS-1:0] push,
    input  logic                       idle,
    output logic                       sync_now,
    output logic                       sync_end,
    output logic                       ending,
    output logic                       finish,
    output logic                       blocked,
    output logic                       starved,
    output logic                       illegal,
    output logic                       no_end
);
  localparam int U = weft_pkg::UNITS;
  localparam int H = $clog2(weft_pkg::T_END + 1);
  logic legal, sync, free, here;
  logic [2:0] unit;
  logic [U-1:0] to;
  logic [H-1:0] hold;  // cycles until the dispatcher is free again

  weft_decode decode (
      .insn (insn),
      .legal(legal),
      .unit (unit)
  );

  assign sync     = unit == 3'(weft_pkg::UNIT_FETCH);
  assign to       = U'(1) << unit;  // none for FETCH's own
  assign free     = run & hold == '0;
  assign here     = free & insn_valid & legal;
  assign take     = here & (sync ? idle : (to & full) == '0);
  assign push     = take ? to : '0;
  assign sync_now = take & sync;
  assign blocked  = here & (to & full) != '0;
  assign starved  = free & ~insn_valid;
  assign illegal  = free & insn_valid & ~legal;
  assign no_end   = free & index == program_count;
  assign finish   = ending & hold == H'(1);

  always_ff @(posedge clk) begin
    if (rst | begin_run) begin
      index    <= '0;
      hold     <= '0;
      ending   <= 1'b0;
      sync_end <= 1'b0;
    end else begin
      if (take) index <= index + 1'b1;
      if (sync_now) hold <= H'(weft_pkg::T_END - 1);
      else if (hold != '0) hold <= hold - 1'b1;
      if (sync_now & insn[5:0] == weft_pkg::OP_END) ending <= 1'b1;
      else if (finish) ending <= 1'b0;
      sync_end <= hold == H'(1);
    end
  end

  if (weft_pkg::T_DISPATCH != 1 || weft_pkg::T_END < 2) begin : gen_check
    initial $error("weft_dispatch is built for T_DISPATCH = 1 and T_END > 1");
  end

`ifdef FORMAL
  always @* begin
    p_only_to_a_place : assert ((push & full) == '0);
    p_one_at_most : assert ((push & (push - 1'b1)) == '0);
    p_taken_is_dispatched : assert (take == (push != '0 || sync_now));
    p_only_what_is_there : assert (!take || (run && insn_valid && legal && !illegal));
    p_sync_when_idle : assert (!sync_now || idle);
    p_one_reason : assert (32'(take) + 32'(blocked) + 32'(starved) + 32'(illegal) <= 1);
  end
`endif
endmodule
