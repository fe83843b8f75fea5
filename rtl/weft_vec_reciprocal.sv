// Reciprocals for averages: round(2^26 / n) for n = 1 to 256, from entry n - 1 of a read-only
// memory. Latency 1: `entry` in cycle t with `re` gives `q` in cycle t + 1, which stays until the
// next read. The initial contents are constants, not state; one block RAM on an FPGA.
module weft_vec_reciprocal (
    input  logic        clk,
    input  logic        re,
    input  logic [ 7:0] entry,
    output logic [26:0] q
);
  logic [26:0] rom[0:255];
  initial for (int n = 1; n <= 256; n++) rom[n-1] = 27'((2 ** 27 / n + 1) / 2);
  always_ff @(posedge clk) if (re) q <= rom[entry];
endmodule
