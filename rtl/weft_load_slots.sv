// LOAD's slots: CFG_DMA_SLOTS buffers of 256 bytes between the DRAM bus and the unpacker.
//
// `present` reserves the next slot for a burst (the slot holds the image of its 256-byte block, so
// a byte lies at its address modulo 256); `room` says that one is free in the next cycle. The beats
// of R go to the slots in order. The reader takes `n` bytes of the stream at a time with `take`,
// allowed when `here`; a beat of cycle t can be taken from t + 1 on. `data` shows the taken bytes
// in the cycle after `take`, from byte 0 on. Bytes taken together continue each other in DRAM, so
// they lie in one slot or at the end of one and the beginning of the next. A slot is free from the
// cycle after the take of its last byte.
//
// Beats are interleaved over banks of the bus's width, enough of them that one access to each
// brings any LDW bytes; a beat that arrives never touches a bank's word that is being read.
module weft_load_slots (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       present,
    input  logic [63:0]                present_addr,
    input  logic [7:0]                 present_last,
    input  logic [2:0]                 present_id,
    output logic                       room,
    output logic                       idle,  // no burst is open
    input  logic                       r_valid,
    input  logic [weft_pkg::BUS-1:0]   r_data,
    input  logic                       r_last,
    input  logic [1:0]                 r_resp,
    output logic                       error,
    output logic [63:0]                error_addr,
    output logic [2:0]                 error_id,
    input  logic [6:0]                 n,
    output logic                       here,
    input  logic                       take,
    output logic [8*weft_pkg::LDW-1:0] data
);
  localparam int SLOTS = weft_pkg::CFG_DMA_SLOTS;
  localparam int S = $clog2(SLOTS);
  localparam int BYTES = weft_pkg::CFG_DRAM_BYTES;
  localparam int BB = $clog2(BYTES);
  localparam int LDW = weft_pkg::LDW;
  localparam int HALF = (1 << $clog2(LDW)) > BYTES ? 1 << $clog2(LDW) : BYTES;
  localparam int LINE = 2 * HALF;  // bytes of all banks together
  localparam int LB = $clog2(LINE);
  localparam int BANKS = LINE / BYTES;
  localparam int LINES = SLOTS * weft_pkg::BURST_BYTES / LINE;
  localparam int A = $clog2(LINES);

  // What a slot holds: block offsets of its first and last byte; whose it is, for errors.
  logic [7:0]  first_of[0:SLOTS-1];
  logic [7:0]  last_of [0:SLOTS-1];
  logic [58:0] whose   [0:SLOTS-1];
  logic [S-1:0] issue, fill, drain, drain1;  // slots: next to reserve, filled, read and the next
  logic [6:0]   used, open, full;  // reserved: all; without their last beat; with it
  logic [1:0]   freed;
  logic         arrived;  // last beat of a burst

  always_ff @(posedge clk) begin
    if (present) begin
      first_of[issue] <= present_addr[7:0];
      last_of[issue]  <= present_last;
      whose[issue]    <= {present_id, present_addr[63:8]};
    end
    if (rst) begin
      issue <= '0;
      used  <= 7'd0;
      open  <= 7'd0;
      full  <= 7'd0;
    end else begin
      if (present) issue <= following(issue);
      used <= used + 7'(present) - 7'(freed);
      open <= open + 7'(present) - 7'(arrived);
      full <= full + 7'(arrived) - 7'(freed);
    end
  end
  assign room = used < 7'(SLOTS) || freed != 2'd0;
  assign idle = open == 7'd0;

  // --- beats in ---------------------------------------------------------------------------------
  logic          begun;  // the burst being filled has a beat
  logic [7-BB:0] next_beat, beat;  // of the block
  assign arrived    = r_valid && r_last && !idle;
  assign beat       = begun ? next_beat : first_of[fill][7:BB];
  assign error      = r_valid && r_resp != 2'd0 && !idle;
  assign error_id   = whose[fill][58:56];
  assign error_addr = {whose[fill][55:0], first_of[fill]};
  always_ff @(posedge clk) begin
    if (rst) begin
      fill  <= '0;
      begun <= 1'b0;
    end else if (r_valid && !idle) begin
      begun <= !r_last;
      if (r_last) fill <= following(fill);
    end
    if (r_valid) next_beat <= beat + 1'b1;
  end

  // --- bytes out --------------------------------------------------------------------------------
  logic       touched;  // a byte of the slot being read was taken
  logic [7:0] resume, offset, end_offset;  // next byte when touched; first and last byte to take
  logic       crosses, ends, beat_here;
  assign drain1 = following(drain);
  assign offset = touched ? resume : first_of[drain];
  assign {crosses, end_offset} = {1'b0, offset} + 9'(n) - 9'd1;
  assign ends      = end_offset == (crosses ? last_of[drain1] : last_of[drain]);
  assign beat_here = begun && end_offset[7:BB] < next_beat;
  assign here = full > 7'd1 || (full == 7'd1 && !crosses) ||
      (beat_here && full == {6'd0, crosses});
  assign freed = take ? {1'b0, crosses} + {1'b0, ends} : 2'd0;
  always_ff @(posedge clk) begin
    if (rst) begin
      drain   <= '0;
      touched <= 1'b0;
    end else if (take) begin
      touched <= !ends;
      if (freed == 2'd1) drain <= drain1;
      if (freed == 2'd2) drain <= following(drain1);
    end
    if (take) resume <= end_offset + 8'd1;
  end

  // --- banks ------------------------------------------------------------------------------------
  logic [8*LINE-1:0] line;
  logic [LB-1:0]     turn;  // of the line, to bring the first byte to the front
  logic [A-1:0]      write_line, read_line, next_line;
  assign write_line = A'({fill, beat[7-BB:LB-BB]});
  assign read_line  = A'({drain, offset[7:LB]});
  assign next_line  = &offset[7:LB] ? A'({drain1, {(8 - LB) {1'b0}}}) : read_line + 1'b1;
  for (genvar b = 0; b < BANKS; b++) begin : g_bank
    logic write;
    assign write = r_valid && !idle && beat[LB-BB-1:0] == (LB - BB)'(b);
    weft_ram #(
        .DEPTH(LINES),
        .BYTES(BYTES)
    ) ram (
        .clk(clk),
        .we({BYTES{write}}),
        .waddr(write_line),
        .wdata(r_data),
        .re(take),
        .raddr((LB - BB + 1)'(b) < {1'b0, offset[LB-1:BB]} ? next_line : read_line),
        .rdata(line[8*BYTES*b+:8*BYTES])
    );
  end
  always_ff @(posedge clk) if (take) turn <= offset[LB-1:0];
  assign data = (8 * LDW)'({line[8*LDW-1:0], line} >> {turn, 3'b000});

  function automatic logic [S-1:0] following(input logic [S-1:0] slot);
    following = slot == S'(SLOTS - 1) ? '0 : slot + 1'b1;
  endfunction
endmodule
