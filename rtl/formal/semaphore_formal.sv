// Properties of weft_semaphore (tests/rtl/prove.sh): posts at any time, takes whenever a token is
// there (weft_semaphores proves that it keeps to this). Tokens posted less tokens taken are what it
// holds, never below 0 and never above the maximum; the one that is too many is told.
module semaphore_formal #(
    parameter int TOKENS = 3
) (
    input logic clk,
    input logic rst,
    input logic post,
    input logic take
);
  logic there, overflow;
  weft_semaphore #(
      .TOKENS(TOKENS)
  ) semaphore (
      .clk,
      .rst,
      .post,
      .take,
      .there,
      .overflow
  );

  logic started = 1'b0;
  logic signed [5:0] tokens;  // counted here
  always_ff @(posedge clk) begin
    started <= 1'b1;
    if (rst) tokens <= '0;
    else tokens <= tokens + 6'(post) - 6'(take) - 6'(overflow);
  end
  always @* begin
    if (!started) assume (rst);
    if (take) assume (there);
    if (started) begin
      p_not_negative : assert (tokens >= 0);
      p_not_above : assert (tokens <= 6'(TOKENS));
      p_there : assert (there == (tokens != 0));
      p_overflow : assert (overflow == (post && !take && tokens == 6'(TOKENS)));
      p_reached_full : cover (tokens == 6'(TOKENS) && take && post);
      p_reached_overflow : cover (overflow);
    end
  end
endmodule
