// Accumulators of the GEMM unit: CFG_ACC_ROWS rows of C sums, read, added to and written.
//
// A pixel's sums come from the array in cycle t (`valid`, with its `tag`); in t + T_GEMM_ACC = t +
// 2 `result` holds the sum of all passes so far and is written back, or is the output stage's input
// (it stays until the next pixel's). Row addresses count along with the pixels: back to the first
// row after a pass, on to the next column block's rows when the sums are kept.
//
//     t       row read         t + 1     array's sums + row         t + 2     result written
//
// A row may be read again in any cycle after t: within an instruction that is at least R cycles
// later, but the next one may begin anywhere in the rows that this one leaves (acc_in after
// acc_out). A result that is not readable yet is taken from the pipeline.
module weft_gemm_acc (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      valid,
    input  logic [6:0]                tag,
    input  logic [32*weft_pkg::C-1:0] sum,
    // of the pixel's instruction
    input  logic [15:0]               acc_base,
    input  logic                      acc_in,
    input  logic                      acc_out,
    output logic [32*weft_pkg::C-1:0] result,
    output logic                      kept_last,  // t + 2: an acc_out instruction's last write
    output logic                      fault       // t: row outside of the accumulators
);
  localparam int C = weft_pkg::C;
  localparam int ROWS = weft_pkg::CFG_ACC_ROWS;
  localparam int A = $clog2(ROWS);
  initial if (weft_pkg::T_GEMM_ACC != 2) $error("weft_gemm_acc has 2 stages, T_GEMM_ACC not");

  logic block_last, block_first, pass_last, pass_first, pass_end, begins;
  assign {block_last, block_first, pass_last, pass_first, pass_end} = tag[6:2];
  assign begins = tag[0];
  logic unused;
  assign unused = &{1'b0, tag[1]};

  // ---- t: address ----
  logic [16:0] row_q, row, block_q, block;
  logic        new_insn, add, keep;
  assign new_insn = begins & pass_first & block_first;
  assign row      = new_insn ? 17'(acc_base) : row_q;
  assign block    = new_insn ? 17'(acc_base) : block_q;
  assign add      = valid & (~pass_first | acc_in);
  assign keep     = valid & (~pass_last | acc_out);
  assign fault    = (add | keep) & row >= 17'(ROWS);

  always_ff @(posedge clk) begin
    if (valid) begin
      block_q <= block;
      row_q   <= row + 1'b1;
      if (pass_end) begin
        if (pass_last && (acc_in | acc_out)) block_q <= row + 1'b1;
        else row_q <= block;
      end
    end
  end

  // ---- t + 1: row and sums; t + 2: result ----
  logic [32*C-1:0] sum_1, stored, bypass, other;
  logic [A-1:0]    row_1, row_2;
  logic            valid_1, add_1, keep_1, keep_2, from_result, from_bypass, last_1;
  logic            same_1, same_2;
  assign same_1 = keep_1 && row_1 == row[A-1:0];  // in `result` in t + 1
  assign same_2 = keep_2 && row_2 == row[A-1:0];  // being written now
  assign other  = from_result ? result : from_bypass ? bypass : stored;

  always_ff @(posedge clk) begin
    if (valid) begin
      sum_1       <= sum;
      row_1       <= row[A-1:0];
      add_1       <= add;
      from_result <= same_1;
      from_bypass <= same_2;
    end
    if (add && same_2) bypass <= result;
    if (valid_1) begin
      row_2 <= row_1;
      for (int c = 0; c < C; c++)
        result[32*c+:32] <= sum_1[32*c+:32] + (add_1 ? other[32*c+:32] : 32'd0);
    end
    valid_1   <= valid;
    keep_1    <= keep & ~fault;
    last_1    <= valid & acc_out & pass_end & pass_last & block_last;
    keep_2    <= keep_1;
    kept_last <= last_1;
    if (rst) begin
      valid_1   <= 1'b0;
      keep_1    <= 1'b0;
      last_1    <= 1'b0;
      keep_2    <= 1'b0;
      kept_last <= 1'b0;
    end
  end

  // Memories of at most 16 sums (a simulator unrolls the byte enables of wider ones no more).
  localparam int SUMS = C < 16 ? C : 16;
  for (genvar k = 0; k < C / SUMS; k++) begin : g_rows
    weft_ram #(.DEPTH(ROWS), .BYTES(4 * SUMS)) u_rows (
        .clk,
        .we   ({4 * SUMS{keep_2}}),
        .waddr(row_2),
        .wdata(result[32*SUMS*k+:32*SUMS]),
        .re   (add & ~fault),
        .raddr(row[A-1:0]),
        .rdata(stored[32*SUMS*k+:32*SUMS])
    );
  end
endmodule
