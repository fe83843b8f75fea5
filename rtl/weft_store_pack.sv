// STORE's packer: words into slots, the open slot into a burst.
//
// A word goes to the open slot while it continues the slot's bytes in DRAM, one word a cycle; a
// word that crosses a multiple of 256 is split and takes two cycles. `put`: bytes are written to
// slot `slot` in this cycle, from offset `offset` on. A slot closes (`close`) when it reaches a
// multiple of 256, and when `ends` says that the next word does not continue it; burst_* describe
// its burst then. `freed` gives back the slot that was opened first; it can be opened in the next
// cycle. `take`: the word is used up.
module weft_store_pack (
    input  logic        clk,
    input  logic        rst,
    input  logic        halt,
    input  logic        valid,
    input  logic [63:0] addr,  // of the word's first byte
    input  logic [6:0]  n,
    input  logic [6:0]  from,
    input  logic        ends,
    input  logic        last,
    output logic        take,
    input  logic        freed,
    output logic        put,
    output logic [$clog2(weft_pkg::CFG_STORE_SLOTS)-1:0] slot,
    output logic [7:0]  offset,
    output logic [6:0]  put_from,  // bytes put_from .. put_to - 1 of the word
    output logic [6:0]  put_to,
    output logic        close,
    output logic [63:0] burst_addr,
    output logic [7:0]  burst_last,  // offset of the last byte
    output logic        burst_ends  // the instruction
);
  localparam int SLOTS = weft_pkg::CFG_STORE_SLOTS;
  localparam int S = $clog2(SLOTS);
  logic        second;  // part of a split word
  logic        is_open, whole, full, may_open;
  logic [4:0]  used;
  logic [8:0]  to_word, to;  // offset behind the word; behind the part
  logic [63:0] open_addr, part_addr;
  assign to_word    = {1'b0, addr[7:0]} + 9'(n);
  assign whole      = second || to_word <= 9'd256;
  assign to         = second ? to_word - 9'd256 : whole ? to_word : 9'd256;
  assign full       = to == 9'd256;
  assign offset     = second ? 8'd0 : addr[7:0];
  assign part_addr  = second ? {addr[63:8] + 56'd1, 8'd0} : addr;
  assign put_from   = second ? from + n - to[6:0] : from;
  assign put_to     = whole ? from + n : from + 7'(9'd256 - {1'b0, addr[7:0]});
  assign may_open   = used < 5'(SLOTS);
  assign put        = valid && (is_open || may_open) && !halt;
  assign take       = put && whole;
  assign close      = put && (full || (whole && ends));
  assign burst_addr = is_open ? open_addr : part_addr;
  assign burst_last = 8'(to - 9'd1);
  assign burst_ends = whole && last;
  always_ff @(posedge clk) begin
    if (rst) begin
      second  <= 1'b0;
      is_open <= 1'b0;
      used    <= 5'd0;
      slot    <= '0;
    end else begin
      used <= used + 5'(put && !is_open) - 5'(freed);
      if (put) begin
        second  <= !whole;
        is_open <= !close;
      end
      if (close) slot <= slot == S'(SLOTS - 1) ? '0 : slot + 1'b1;
    end
    if (put && !is_open) open_addr <= part_addr;
  end
endmodule
