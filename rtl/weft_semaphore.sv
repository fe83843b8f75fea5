// One counting semaphore: `post` adds a token, `take` removes one that is `there`; both in the same
// cycle leave the count as it is. What is posted in cycle t can be taken from t + 1 on. A token
// more than TOKENS is lost and tells so by `overflow`. `take` only while `there`.
module weft_semaphore #(
    parameter int TOKENS = weft_pkg::TOKEN_MAX
) (
    input  logic clk,
    input  logic rst,
    input  logic post,
    input  logic take,
    output logic there,
    output logic overflow
);
  localparam int N = $clog2(TOKENS + 1);
  logic [N-1:0] tokens;

  assign there    = tokens != '0;
  assign overflow = post & ~take & tokens == N'(TOKENS);

  always_ff @(posedge clk) begin
    if (rst) tokens <= '0;
    else if (post & ~take & ~overflow) tokens <= tokens + 1'b1;
    else if (take & ~post) tokens <= tokens - 1'b1;
  end
endmodule
