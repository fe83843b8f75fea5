// First-in first-out queue whose head is always in sight.
//
// What is pushed in cycle t is seen at `head` in t + 1 if the queue was empty; `pop` in cycle t
// shows the next one in t + 1. `full` and `count` are registers: a place that is freed by `pop` in
// cycle t can be pushed to in t + 1. `push` only while not `full`, `pop` only while `valid`.
// The array is read without a clock: LUT RAM or registers. It is wide and shallow, so block RAM
// would be mostly empty and would come a cycle too late. Any DEPTH of 2 or more.
module weft_queue #(
    parameter int DEPTH = 16,
    parameter int WIDTH = 32
) (
    input  logic                         clk,
    input  logic                         rst,
    input  logic                         push,
    input  logic [            WIDTH-1:0] push_data,
    input  logic                         pop,
    output logic                         valid,
    output logic                         full,
    output logic [$clog2(DEPTH + 1)-1:0] count,
    output logic [            WIDTH-1:0] head
);
  localparam int A = $clog2(DEPTH);
  localparam int N = $clog2(DEPTH + 1);
  logic [WIDTH-1:0] mem[0:DEPTH-1];
  logic [A-1:0] write_at, read_at;

  assign valid = count != '0;
  assign full  = count == N'(DEPTH);
  assign head  = mem[read_at];

  always_ff @(posedge clk) begin
    if (push) mem[write_at] <= push_data;
    if (rst) begin
      write_at <= '0;
      read_at  <= '0;
      count    <= '0;
    end else begin
      if (push) write_at <= write_at == A'(DEPTH - 1) ? '0 : write_at + 1'b1;
      if (pop) read_at <= read_at == A'(DEPTH - 1) ? '0 : read_at + 1'b1;
      if (push != pop) count <= push ? count + 1'b1 : count - 1'b1;
    end
  end
endmodule
