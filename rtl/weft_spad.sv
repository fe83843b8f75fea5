// Scratchpad: banks of one read and one write port, and the units' way to them.
//
// Readers 0..3: GEMM, DW, VEC, STORE. Writers 0..3: LOAD, GEMM, DW, VEC. Bank b holds words
// [b*B, (b+1)*B). A read presented in cycle t gives its word in t + 2: the bank's register, then
// the register behind the multiplexer over the banks. A write presented in t is seen by reads of
// t + 1. Nothing is arbitrated: programs own ports by tokens (docs/isa.md), and two units on one
// port of a bank are a broken program, which the assertions below name.
module weft_spad (
    input  logic                         clk,
    input  logic [3:0]                   rd_en,
    input  logic [4*weft_pkg::ADDR-1:0]  rd_addr,
    output logic [4*weft_pkg::WORD-1:0]  rd_data,
    input  logic [3:0]                   wr_en,
    input  logic [4*weft_pkg::ADDR-1:0]  wr_addr,
    input  logic [4*weft_pkg::W-1:0]     wr_be,
    input  logic [4*weft_pkg::WORD-1:0]  wr_data
);
  localparam int BANKS = weft_pkg::CFG_SCRATCHPAD_BANKS;
  localparam int DEPTH = weft_pkg::CFG_BANK_WORDS;
  localparam int A = weft_pkg::ADDR;
  localparam int LO = $clog2(DEPTH);
  localparam int SEL = $clog2(BANKS);
  localparam int W = weft_pkg::W;
  localparam int WORD = weft_pkg::WORD;

  logic [BANKS*WORD-1:0] bank_data;

  for (genvar b = 0; b < BANKS; b++) begin : g_bank
    logic [3:0]      reads, writes;
    logic [LO-1:0]   raddr, waddr;
    logic [W-1:0]    we;
    logic [WORD-1:0] wdata;
    for (genvar k = 0; k < 4; k++) begin : g_hit
      assign reads[k] = rd_en[k] && rd_addr[A*k+LO+:SEL] == SEL'(b);
      assign writes[k] = wr_en[k] && wr_addr[A*k+LO+:SEL] == SEL'(b);
    end
    always_comb begin
      raddr = '0;
      waddr = '0;
      we = '0;
      wdata = '0;
      for (int k = 0; k < 4; k++) begin
        if (reads[k]) raddr |= rd_addr[A*k+:LO];
        if (writes[k]) begin
          waddr |= wr_addr[A*k+:LO];
          we |= wr_be[W*k+:W];
          wdata |= wr_data[WORD*k+:WORD];
        end
      end
    end
    weft_ram #(
        .DEPTH(DEPTH),
        .BYTES(W)
    ) ram (
        .clk  (clk),
        .we   (we),
        .waddr(waddr),
        .wdata(wdata),
        .re   (|reads),
        .raddr(raddr),
        .rdata(bank_data[WORD*b+:WORD])
    );
`ifndef SYNTHESIS
    always @(posedge clk) begin
      assert ((reads & (reads - 4'd1)) == '0)
      else $error("scratchpad bank %0d: readers %b meet", b, reads);
      assert ((writes & (writes - 4'd1)) == '0)
      else $error("scratchpad bank %0d: writers %b meet", b, writes);
    end
`endif
  end

  for (genvar k = 0; k < 4; k++) begin : g_reader
    logic           valid_q;
    logic [SEL-1:0] bank_q;
    always_ff @(posedge clk) begin
      valid_q <= rd_en[k];
      if (rd_en[k]) bank_q <= rd_addr[A*k+LO+:SEL];
      if (valid_q) rd_data[WORD*k+:WORD] <= bank_data[WORD*32'(bank_q)+:WORD];
    end
  end
  if (A > LO + SEL) begin : g_unused  // units have checked that the address is in range
    logic [3:0] unused;
    for (genvar k = 0; k < 4; k++)
      assign unused[k] = ^{rd_addr[A*k+LO+SEL+:A-LO-SEL], wr_addr[A*k+LO+SEL+:A-LO-SEL]};
  end
endmodule
