// LOAD: DRAM to the on-chip memories (docs/isa.md, docs/microarchitecture.md).
//
//     insn --+-> weft_load_addr --> AR ...... R --> weft_load_slots --+
//            +-> weft_load_words: word by word, what to take --------+--> weft_load_align --> ld_*
//
// The address stage has one instruction at a time, the word sequencer up to LOAD_CONTEXTS in order;
// `insn_ready` says that both have room. A word is unpacked (`moved`) in the cycle in which its
// bytes are there; it is on the ld_* bus T_DMA_WRITE later, and `done` comes one cycle after the
// last word of an instruction was there. AR is driven by registers; R is always accepted. After a
// fault, or with `stop`, no further address is presented and no word written; `quiet` when all open
// reads have brought their last beat.
module weft_load (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       insn_valid,
    input  logic [weft_pkg::INSN-1:0]  insn,
    input  logic [31:0]                insn_index,
    output logic                       insn_ready,
    output logic                       done,
    output logic                       active,
    output logic                       moved,
    output logic                       fault,
    output logic [3:0]                 fault_cause,
    output logic [31:0]                fault_index,
    output logic [63:0]                fault_addr,
    input  logic [8*64-1:0]            region_base,
    input  logic [8*64-1:0]            region_size,
    input  logic                       stop,
    output logic                       quiet,
    output logic                       ar_valid,
    input  logic                       ar_ready,
    output logic [63:0]                ar_addr,
    output logic [7:0]                 ar_len,
    input  logic                       r_valid,
    input  logic [weft_pkg::BUS-1:0]   r_data,
    input  logic                       r_last,
    input  logic [1:0]                 r_resp,
    output logic                       ld_en,
    output logic [2:0]                 ld_mem,
    output logic [weft_pkg::ADDR-1:0]  ld_addr,
    output logic [weft_pkg::LDW-1:0]   ld_be,
    output logic [8*weft_pkg::LDW-1:0] ld_data
);
  logic start, halt, dead;
  assign start = insn_valid && insn_ready;
  assign halt  = stop || dead;

  // --- contexts: instructions from their start to their last word -------------------------------
  localparam int CONTEXTS = weft_pkg::LOAD_CONTEXTS;
  logic [3:0]  count;
  logic [2:0]  next_id, addr_id;  // numbers modulo LOAD_CONTEXTS
  logic [31:0] index_of[0:CONTEXTS-1];
  logic        addr_ready, word_last;
  assign insn_ready = addr_ready && count < 4'(CONTEXTS) && !halt;
  assign active     = start || count != 4'd0;
  always_ff @(posedge clk) begin
    if (start) begin
      index_of[next_id] <= insn_index;
      addr_id           <= next_id;
    end
    if (rst) begin
      count   <= 4'd0;
      next_id <= 3'd0;
    end else begin
      count <= count + 4'(start) - 4'(moved && word_last);
      if (start) next_id <= next_id + 3'd1;
    end
  end

  // --- bursts -----------------------------------------------------------------------------------
  logic        planned, illegal, outside, present, room, idle;
  logic [63:0] burst_addr;
  logic [7:0]  burst_last;
  weft_load_addr bursts (
      .clk(clk),
      .rst(rst),
      .start(start),
      .insn(insn),
      .region_base(region_base),
      .region_size(region_size),
      .halt(halt),
      .slot_room(room),
      .ready(addr_ready),
      .planned(planned),
      .illegal(illegal),
      .outside(outside),
      .present(present),
      .burst_addr(burst_addr),
      .burst_last(burst_last),
      .ar_valid(ar_valid),
      .ar_ready(ar_ready),
      .ar_addr(ar_addr),
      .ar_len(ar_len)
  );
  assign quiet = stop && idle;

  // --- words ------------------------------------------------------------------------------------
  logic                       word_valid, overlap, flip, here;
  logic [6:0]                 from, lo, hi, to, fresh, back;
  logic [7:0]                 pad;
  logic [2:0]                 mem, word_id;
  logic [weft_pkg::WIDE-1:0]  addr;
  logic [8*weft_pkg::LDW-1:0] data;
  weft_load_words words (
      .clk(clk),
      .rst(rst),
      .start(start),
      .insn(insn),
      .start_id(next_id),
      .take(moved),
      .valid(word_valid),
      .from(from),
      .lo(lo),
      .hi(hi),
      .to(to),
      .fresh(fresh),
      .back(back),
      .overlap(overlap),
      .flip(flip),
      .pad(pad),
      .mem(mem),
      .addr(addr),
      .last(word_last),
      .id(word_id)
  );
  // A word of pad bytes, or of bytes of an earlier window, waits for nothing.
  assign moved = word_valid && (fresh == 7'd0 || here) && !halt;

  logic        read_error;
  logic [63:0] read_error_addr;
  logic [2:0]  read_error_id;
  weft_load_slots slots (
      .clk(clk),
      .rst(rst),
      .present(present),
      .present_addr(burst_addr),
      .present_last(burst_last),
      .present_id(addr_id),
      .room(room),
      .idle(idle),
      .r_valid(r_valid),
      .r_data(r_data),
      .r_last(r_last),
      .r_resp(r_resp),
      .error(read_error),
      .error_addr(read_error_addr),
      .error_id(read_error_id),
      .n(fresh),
      .here(here),
      .take(moved && fresh != 7'd0),
      .data(data)
  );

  logic       word_outside;
  logic [2:0] word_outside_id;
  weft_load_align align (
      .clk(clk),
      .rst(rst),
      .take(moved),
      .from(from),
      .lo(lo),
      .hi(hi),
      .to(to),
      .fresh(fresh),
      .back(back),
      .overlap(overlap),
      .flip(flip),
      .pad(pad),
      .mem(mem),
      .addr(addr),
      .last(word_last),
      .id(word_id),
      .data(data),
      .kill(halt),
      .outside(word_outside),
      .outside_id(word_outside_id),
      .ld_en(ld_en),
      .ld_mem(ld_mem),
      .ld_addr(ld_addr),
      .ld_be(ld_be),
      .ld_data(ld_data),
      .done(done)
  );

  // --- faults: the first one ends the run -------------------------------------------------------
  logic refused, any;
  assign refused = planned && illegal;
  assign any     = refused || outside || read_error || word_outside;
  always_ff @(posedge clk) begin
    if (rst) begin
      dead  <= 1'b0;
      fault <= 1'b0;
    end else begin
      dead  <= dead || any;
      fault <= any && !dead;
    end
    if (any) begin
      fault_addr <= 64'd0;
      if (word_outside) begin
        fault_cause <= 4'(weft_pkg::ERROR_ILLEGAL);
        fault_index <= index_of[word_outside_id];
      end else if (read_error) begin
        fault_cause <= 4'(weft_pkg::ERROR_AXI);
        fault_index <= index_of[read_error_id];
        fault_addr  <= read_error_addr;
      end else begin
        fault_cause <= refused ? 4'(weft_pkg::ERROR_ILLEGAL) : 4'(weft_pkg::ERROR_WINDOW);
        fault_index <= index_of[addr_id];
        if (!refused) fault_addr <= burst_addr;
      end
    end
  end
endmodule
