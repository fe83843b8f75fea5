// STORE's slots: CFG_STORE_SLOTS buffers of 256 bytes. Writes bytes of a word at any offset, reads
// beats of the bus.
//
// `put`: bytes put_from .. put_to - 1 of `word` (bit 7 inverted with `flip`) go to slot `put_slot`,
// the first of them to offset `put_offset`; all of them lie in the slot. `get` reads beat
// `get_beat` of slot `get_slot`; `beat` shows it from the next cycle on, until the next `get`. A
// byte put in cycle t can be read from t + 1 on.
//
// A line of both banks is at least two words, so the bytes of a word touch each bank once.
module weft_store_slots (
    input  logic                      clk,
    input  logic                      put,
    input  logic [weft_pkg::WORD-1:0] word,
    input  logic                      flip,
    input  logic [$clog2(weft_pkg::CFG_STORE_SLOTS)-1:0] put_slot,
    input  logic [7:0]                put_offset,
    input  logic [6:0]                put_from,
    input  logic [6:0]                put_to,
    input  logic                      get,
    input  logic [$clog2(weft_pkg::CFG_STORE_SLOTS)-1:0] get_slot,
    input  logic [7-$clog2(weft_pkg::CFG_DRAM_BYTES):0]  get_beat,
    output logic [weft_pkg::BUS-1:0]  beat
);
  localparam int W = weft_pkg::W;
  localparam int BYTES = weft_pkg::CFG_DRAM_BYTES;
  localparam int BB = $clog2(BYTES);
  localparam int BANK = W > BYTES ? W : BYTES;  // bytes of a bank's word
  localparam int LINE = 2 * BANK;
  localparam int LB = $clog2(LINE);
  localparam int LINES = weft_pkg::CFG_STORE_SLOTS * weft_pkg::BURST_BYTES / LINE;
  localparam int A = $clog2(LINES);

  logic [LB-1:0]     turn;  // word byte b goes to line byte b + turn
  logic [8*LINE-1:0] spread, turned;
  logic [LINE-1:0]   mask, enable;
  logic [A-1:0]      put_line;
  logic              odd;  // begins in the second bank: the first one's bytes are of the next line
  assign turn     = put_offset[LB-1:0] - LB'(put_from);
  assign spread   = {{(8 * (LINE - W)) {1'b0}}, word ^ {W{flip, 7'd0}}};
  assign mask     = {{(LINE - W) {1'b0}}, below(put_to) & ~below(put_from)};
  assign turned   = (spread << {turn, 3'b000}) | (spread >> {{1'b1, {LB{1'b0}}} - turn, 3'b000});
  assign enable   = (mask << turn) | (mask >> ({1'b1, {LB{1'b0}}} - turn));
  assign put_line = A'({put_slot, put_offset[7:LB]});
  assign odd      = put_offset[LB-1];

  logic [8*BANK-1:0] got_even, got_odd;
  logic [8*LINE-1:0] got;
  logic [LB-1:BB]    which;  // beat of the line
  logic [A-1:0]      get_line;
  assign get_line = A'({get_slot, get_beat[7-BB:LB-BB]});
  assign got      = {got_odd, got_even};
  weft_ram #(
      .DEPTH(LINES),
      .BYTES(BANK)
  ) even (
      .clk(clk),
      .we(put ? enable[BANK-1:0] : '0),
      .waddr(odd ? put_line + 1'b1 : put_line),
      .wdata(turned[8*BANK-1:0]),
      .re(get && !get_beat[LB-1-BB]),
      .raddr(get_line),
      .rdata(got_even)
  );
  weft_ram #(
      .DEPTH(LINES),
      .BYTES(BANK)
  ) other (
      .clk(clk),
      .we(put ? enable[LINE-1:BANK] : '0),
      .waddr(put_line),
      .wdata(turned[8*LINE-1:8*BANK]),
      .re(get && get_beat[LB-1-BB]),
      .raddr(get_line),
      .rdata(got_odd)
  );
  always_ff @(posedge clk) if (get) which <= get_beat[LB-1-BB:0];
  assign beat = got[8*BYTES*which+:8*BYTES];

  // Bytes 0 to k - 1 of a word.
  function automatic logic [W-1:0] below(input logic [6:0] k);
    below = ~({W{1'b1}} << k);
  endfunction
endmodule
