// STORE's bus side: closed slots to AW and W, responses from B.
//
// `close` queues the burst of the next slot: a cycle later its first beat is read, another cycle
// later (T_DMA_PACK after the cycle of `close`) AW and W present it. Both are driven by registers.
// W never begins a burst before AW has presented it; beats follow each other, and the next burst's
// those of the one before, as fast as `w_ready` allows. `freed`: the last beat leaves in this
// cycle. AW may run ahead of W, as far as RESPONSES bursts from AW to B. `done`: the response of an
// instruction's last burst is here. With `halt` no further address is presented; `idle` when all
// presented bursts have their response.
module weft_store_write (
    input  logic                            clk,
    input  logic                            rst,
    input  logic                            halt,
    input  logic                            close,
    input  logic [63:0]                     burst_addr,
    input  logic [7:0]                      burst_last,
    input  logic                            burst_ends,
    input  logic [31:0]                     burst_index,
    output logic                            freed,
    output logic                            idle,
    output logic                            done,
    output logic                            error,
    output logic [31:0]                     error_index,
    output logic [63:0]                     error_addr,
    output logic                            get,
    output logic [$clog2(weft_pkg::CFG_STORE_SLOTS)-1:0] get_slot,
    output logic [7-$clog2(weft_pkg::CFG_DRAM_BYTES):0]  get_beat,
    output logic                            aw_valid,
    input  logic                            aw_ready,
    output logic [63:0]                     aw_addr,
    output logic [7:0]                      aw_len,
    output logic                            w_valid,
    input  logic                            w_ready,
    output logic [weft_pkg::CFG_DRAM_BYTES-1:0] w_strb,
    output logic                            w_last,
    input  logic                            b_valid,
    input  logic [1:0]                      b_resp
);
  localparam int SLOTS = weft_pkg::CFG_STORE_SLOTS;
  localparam int S = $clog2(SLOTS);
  localparam int BYTES = weft_pkg::CFG_DRAM_BYTES;
  localparam int BB = $clog2(BYTES);
  localparam int RESPONSES = 64;

  // --- what the closed slots hold ---------------------------------------------------------------
  logic [63:0]  addr_of [0:SLOTS-1];
  logic [7:0]   last_of [0:SLOTS-1];
  logic [31:0]  index_of[0:SLOTS-1];
  logic         ends_of [0:SLOTS-1];
  logic [S-1:0] closed, asked, sent;  // next slot to close, for AW, for W
  logic [4:0]   to_ask, to_send;  // closed ones not on AW; those not begun on W
  logic         ask, send;
  always_ff @(posedge clk) begin
    if (close) begin
      addr_of[closed]  <= burst_addr;
      last_of[closed]  <= burst_last;
      index_of[closed] <= burst_index;
      ends_of[closed]  <= burst_ends;
    end
    if (rst) begin
      closed  <= '0;
      asked   <= '0;
      sent    <= '0;
      to_ask  <= 5'd0;
      to_send <= 5'd0;
    end else begin
      if (close) closed <= following(closed);
      if (ask) asked <= following(asked);
      if (send) sent <= following(sent);
      to_ask  <= to_ask + 5'(close) - 5'(ask);
      to_send <= to_send + 5'(ask) - 5'(send);
    end
  end

  // --- AW ---------------------------------------------------------------------------------------
  logic [6:0] open;  // bursts between AW and B
  assign ask = to_ask != 5'd0 && (!aw_valid || aw_ready) && open < 7'(RESPONSES) && !halt;
  always_ff @(posedge clk) begin
    if (ask) begin
      aw_addr <= addr_of[asked];
      aw_len  <= 8'(last_of[asked] >> BB) - 8'(addr_of[asked][7:0] >> BB);
    end
    if (rst) aw_valid <= 1'b0;
    else if (ask) aw_valid <= 1'b1;
    else if (aw_ready) aw_valid <= 1'b0;
  end

  // --- W: the next beat is read while the one before it leaves ----------------------------------
  logic [7:0]    first, last;  // offsets of the first and last byte of the burst to begin
  logic [7:0]    last_q;
  logic [S-1:0]  slot;
  logic [7-BB:0] at;  // beat on W
  logic          goes, more, ends;
  logic [BYTES-1:0] head, tail;
  assign first    = addr_of[sent][7:0];
  assign last     = last_of[sent];
  assign goes     = !w_valid || w_ready;
  assign more     = w_valid && !w_last;
  assign send     = goes && !more && (to_send != 5'd0 || ask);
  assign get      = send || (goes && more);
  assign get_slot = more ? slot : sent;
  assign get_beat = more ? at + 1'b1 : first[7:BB];
  assign ends     = get_beat == (more ? last_q[7:BB] : last[7:BB]);
  assign head     = more ? '1 : {BYTES{1'b1}} << first[BB-1:0];
  assign tail     = !ends ? '1 : ~({BYTES{1'b1}} << 1 << (more ? last_q[BB-1:0] : last[BB-1:0]));
  assign freed    = w_valid && w_ready && w_last;
  always_ff @(posedge clk) begin
    if (rst) w_valid <= 1'b0;
    else if (goes) w_valid <= get;
    if (get) begin
      at     <= get_beat;
      w_last <= ends;
      w_strb <= head & tail;
    end
    if (send) begin
      slot   <= sent;
      last_q <= last;
    end
  end

  // --- B ----------------------------------------------------------------------------------------
  localparam int Q = $clog2(RESPONSES);
  logic [96:0]  waiting[0:RESPONSES-1];  // ends, index, address
  logic [Q-1:0] in, out;
  logic         answer, ends_insn;
  assign answer = b_valid && !idle;
  assign {ends_insn, error_index, error_addr} = waiting[out];
  assign idle  = open == 7'd0;
  assign done  = answer && ends_insn && b_resp == 2'd0;
  assign error = answer && b_resp != 2'd0;
  always_ff @(posedge clk) begin
    if (ask) waiting[in] <= {ends_of[asked], index_of[asked], addr_of[asked]};
    if (rst) begin
      in   <= '0;
      out  <= '0;
      open <= 7'd0;
    end else begin
      if (ask) in <= in + 1'b1;
      if (answer) out <= out + 1'b1;
      open <= open + 7'(ask) - 7'(answer);
    end
  end

  function automatic logic [S-1:0] following(input logic [S-1:0] k);
    following = k == S'(SLOTS - 1) ? '0 : k + 1'b1;
  endfunction
endmodule
