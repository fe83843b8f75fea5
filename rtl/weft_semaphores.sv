// The semaphores: one for each pair of a posting and a waiting unit, and with them the gate through
// which instructions start.
//
// `head[u]`: unit u's queue has an instruction, and nothing else keeps it back; `waits` and `posts`
// hold UNITS bits for each unit. `issue_valid[u]` says that in addition all tokens are there that
// its head waits for (combinational from registers); `start[u]` = `issue_valid[u] & ready[u]` takes
// them in this cycle. `done[p]` in cycle t posts the tokens of `posts` of unit p, to be taken from
// t + T_POST = t + 1 on. `overflow[p]`: unit p posts in this cycle one token more than a semaphore
// holds (it keeps TOKENS then). `left`: a semaphore is not empty.
module weft_semaphores #(
    parameter int TOKENS = weft_pkg::TOKEN_MAX
) (
    input  logic                                     clk,
    input  logic                                     rst,
    input  logic [                weft_pkg::UNITS-1:0] head,
    input  logic [weft_pkg::UNITS*weft_pkg::UNITS-1:0] waits,
    input  logic [                weft_pkg::UNITS-1:0] ready,
    output logic [                weft_pkg::UNITS-1:0] issue_valid,
    output logic [                weft_pkg::UNITS-1:0] start,
    input  logic [                weft_pkg::UNITS-1:0] done,
    input  logic [weft_pkg::UNITS*weft_pkg::UNITS-1:0] posts,
    output logic [                weft_pkg::UNITS-1:0] overflow,
    output logic                                     left
);
  localparam int U = weft_pkg::UNITS;
  // Pair (p, u), posted by p and taken by u, is bit U * u + p, as `waits` has it; in `beyond`, as
  // `posts` has it, U * p + u.
  logic [U*U-1:0] there, post, take, beyond;

  for (genvar u = 0; u < U; u++) begin : gen_waiter
    assign issue_valid[u] = head[u] && (waits[U*u+:U] & ~there[U*u+:U]) == '0;
    assign start[u]       = issue_valid[u] & ready[u];
    assign take[U*u+:U]   = start[u] ? waits[U*u+:U] : '0;
    for (genvar p = 0; p < U; p++) begin : gen_poster
      assign post[U*u+p] = done[p] & posts[U*p+u];
      weft_semaphore #(
          .TOKENS(TOKENS)
      ) count (
          .clk,
          .rst,
          .post    (post[U*u+p]),
          .take    (take[U*u+p]),
          .there   (there[U*u+p]),
          .overflow(beyond[U*p+u])
      );
    end
    assign overflow[u] = beyond[U*u+:U] != '0;
  end
  assign left = there != '0;

  if (weft_pkg::T_POST != 1) begin : gen_check
    initial $error("weft_semaphores is built for T_POST = 1");
  end

`ifdef FORMAL
  // What weft_semaphore asks for, and that a start takes all that its instruction waits for.
  logic [U-1:0] missed;
  for (genvar u = 0; u < U; u++) begin : gen_formal
    assign missed[u] = start[u] & take[U*u+:U] != waits[U*u+:U];
  end
  always @* begin
    p_taken_are_there : assert ((take & ~there) == '0);
    p_start_only_if_ready : assert ((start & ~(head & ready)) == '0);
    p_all_are_taken : assert (missed == '0);
  end
`endif
endmodule
