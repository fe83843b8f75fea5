// Memory with one write and one read port, byte enables, contents undefined after power-up.
//
// Write: `we` bytes of `wdata` go to word `waddr` at the end of the cycle. Read: `raddr` with `re`
// gives the word in the next cycle, and `rdata` keeps it while `re` is low. A read in the same
// cycle as a write to the same word gives undefined bytes; one cycle later it gives the new ones.
// Latency 1. Maps to block RAM (Yosys: memory_libmap), small depths to LUT RAM; without
// `no_rw_check` Yosys would add registers and multiplexers to give the old bytes.
module weft_ram #(
    parameter int DEPTH = 16,
    parameter int BYTES = 4
) (
    input  logic                     clk,
    input  logic [        BYTES-1:0] we,
    input  logic [$clog2(DEPTH)-1:0] waddr,
    input  logic [      8*BYTES-1:0] wdata,
    input  logic                     re,
    input  logic [$clog2(DEPTH)-1:0] raddr,
    output logic [      8*BYTES-1:0] rdata
);
  (* no_rw_check *)
  logic [8*BYTES-1:0] mem[0:DEPTH-1];
  always_ff @(posedge clk) begin
    for (int i = 0; i < BYTES; i++) if (we[i]) mem[waddr][8*i+:8] <= wdata[8*i+:8];
    if (re) rdata <= mem[raddr];
  end
endmodule
