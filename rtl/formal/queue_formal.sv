// Properties of weft_queue (tests/rtl/prove.sh): under any use that keeps its rules it holds what a
// list would hold. A marked item, pushed at any time, must come out as the same value and exactly
// when what was before it has gone.
module queue_formal #(
    parameter int DEPTH = 3
) (
    input logic       clk,
    input logic       rst,
    input logic       push,
    input logic       pop,
    input logic [3:0] data
);
  localparam int N = $clog2(DEPTH + 1);
  logic valid, full;
  logic [N-1:0] count;
  logic [3:0] head;

  weft_queue #(
      .DEPTH(DEPTH),
      .WIDTH(4)
  ) queue (
      .clk,
      .rst,
      .push,
      .push_data(data),
      .pop,
      .valid,
      .full,
      .count,
      .head
  );

  // What the frontend keeps to (dispatch_formal proves it).
  always @* if (push) assume (!full);
  always @* if (pop) assume (valid);

  (* anyseq *) logic mark;  // this push is the marked one
  logic started = 1'b0;
  logic marked = 1'b0, inside = 1'b0;
  logic [3:0] value;
  logic [N:0] before;  // items that leave before the marked one
  logic [N:0] held;  // items inside, counted here
  logic now;
  assign now = push & mark & ~marked;

  always_ff @(posedge clk) begin
    started <= 1'b1;
    if (rst) begin
      held   <= '0;
      marked <= 1'b0;
      inside <= 1'b0;
    end else begin
      held <= held + (N + 1)'(push) - (N + 1)'(pop);
      if (now) begin
        marked <= 1'b1;
        inside <= 1'b1;
        value  <= data;
        before <= held - (N + 1)'(pop);
      end else if (inside & pop) begin
        if (before == '0) inside <= 1'b0;
        else before <= before - 1'b1;
      end
    end
  end

  always @* if (!started) assume (rst);
  always @* begin
    if (started) begin
      p_no_overflow : assert (held <= (N + 1)'(DEPTH));
      p_count : assert (held == (N + 1)'(count));
      p_flags : assert (valid == (held != '0) && full == (held == (N + 1)'(DEPTH)));
      if (inside) p_within : assert (before < held);
      if (inside && before == '0) p_order : assert (valid && head == value);
      p_reached : cover (marked && !inside && full);
    end
  end
endmodule
