// STORE: scratchpad to DRAM (docs/isa.md, docs/microarchitecture.md).
//
//     insn --> weft_store_words --> weft_store_pack --> weft_store_write --> AW, B
//               | rd_*   ^ rd_data    | put                | get
//               v        |            +-> weft_store_slots-+--------------> W
//
// One instruction at a time is read and packed, one word a cycle; `insn_ready` again from the cycle
// after its last word. Its bursts leave meanwhile and afterwards; `done` is combinational from the
// response of its last one. After a fault, or with `stop`, no further address is presented; `quiet`
// when all bursts that were have their responses.
module weft_store (
    input  logic                                clk,
    input  logic                                rst,
    input  logic                                insn_valid,
    input  logic [weft_pkg::INSN-1:0]           insn,
    input  logic [31:0]                         insn_index,
    output logic                                insn_ready,
    output logic                                done,
    output logic                                active,
    output logic                                moved,
    output logic                                fault,
    output logic [3:0]                          fault_cause,
    output logic [31:0]                         fault_index,
    output logic [63:0]                         fault_addr,
    input  logic [8*64-1:0]                     region_base,
    input  logic [8*64-1:0]                     region_size,
    input  logic                                stop,
    output logic                                quiet,
    output logic                                rd_en,
    output logic [weft_pkg::ADDR-1:0]           rd_addr,
    input  logic [weft_pkg::WORD-1:0]           rd_data,
    output logic                                aw_valid,
    input  logic                                aw_ready,
    output logic [63:0]                         aw_addr,
    output logic [7:0]                          aw_len,
    output logic                                w_valid,
    input  logic                                w_ready,
    output logic [weft_pkg::BUS-1:0]            w_data,
    output logic [weft_pkg::CFG_DRAM_BYTES-1:0] w_strb,
    output logic                                w_last,
    input  logic                                b_valid,
    input  logic [1:0]                          b_resp
);
  localparam int S = $clog2(weft_pkg::CFG_STORE_SLOTS);
  localparam int BB = $clog2(weft_pkg::CFG_DRAM_BYTES);

  logic        start, halt, dead, working, flip, word_last;
  logic [31:0] index;
  logic [7:0]  count;  // instructions from their start to their last response
  assign start      = insn_valid && insn_ready;
  assign halt       = stop || dead;
  assign insn_ready = !working && !halt;
  assign active     = start || count > {7'd0, done};
  always_ff @(posedge clk) begin
    if (start) begin
      index <= insn_index;
      flip  <= insn[weft_pkg::STORE_FLIP_LSB];
    end
    if (rst) begin
      working <= 1'b0;
      count   <= 8'd0;
    end else begin
      if (start) working <= 1'b1;
      else if (moved && word_last) working <= 1'b0;
      count <= count + 8'(start) - 8'(done);
    end
  end

  // --- words ------------------------------------------------------------------------------------
  logic                      planned, illegal, word_valid, word_ends, outside, beyond, good;
  logic [63:0]               base, word_addr;
  logic [weft_pkg::WORD-1:0] word;
  logic [39:0]               rel;
  logic [6:0]                n, from;
  weft_store_words words (
      .clk(clk),
      .rst(rst),
      .start(start),
      .insn(insn),
      .region_base(region_base),
      .region_size(region_size),
      .halt(halt),
      .planned(planned),
      .illegal(illegal),
      .base(base),
      .rd_en(rd_en),
      .rd_addr(rd_addr),
      .rd_data(rd_data),
      .valid(word_valid),
      .data(word),
      .rel(rel),
      .n(n),
      .from(from),
      .ends(word_ends),
      .last(word_last),
      .outside(outside),
      .beyond(beyond),
      .take(moved)
  );
  assign word_addr = base + 64'(rel);
  assign good      = word_valid && !outside && !beyond;

  // --- slots ------------------------------------------------------------------------------------
  logic          put, close, freed, get, burst_ends;
  logic [S-1:0]  put_slot, get_slot;
  logic [7:0]    put_offset, burst_last;
  logic [6:0]    put_from, put_to;
  logic [7-BB:0] get_beat;
  logic [63:0]   burst_addr;
  weft_store_pack pack (
      .clk(clk),
      .rst(rst),
      .halt(halt),
      .valid(good),
      .addr(word_addr),
      .n(n),
      .from(from),
      .ends(word_ends),
      .last(word_last),
      .take(moved),
      .freed(freed),
      .put(put),
      .slot(put_slot),
      .offset(put_offset),
      .put_from(put_from),
      .put_to(put_to),
      .close(close),
      .burst_addr(burst_addr),
      .burst_last(burst_last),
      .burst_ends(burst_ends)
  );
  weft_store_slots slots (
      .clk(clk),
      .put(put),
      .word(word),
      .flip(flip),
      .put_slot(put_slot),
      .put_offset(put_offset),
      .put_from(put_from),
      .put_to(put_to),
      .get(get),
      .get_slot(get_slot),
      .get_beat(get_beat),
      .beat(w_data)
  );

  // --- bus --------------------------------------------------------------------------------------
  logic        idle, write_error;
  logic [31:0] write_error_index;
  logic [63:0] write_error_addr;
  weft_store_write bus (
      .clk(clk),
      .rst(rst),
      .halt(halt),
      .close(close),
      .burst_addr(burst_addr),
      .burst_last(burst_last),
      .burst_ends(burst_ends),
      .burst_index(index),
      .freed(freed),
      .idle(idle),
      .done(done),
      .error(write_error),
      .error_index(write_error_index),
      .error_addr(write_error_addr),
      .get(get),
      .get_slot(get_slot),
      .get_beat(get_beat),
      .aw_valid(aw_valid),
      .aw_ready(aw_ready),
      .aw_addr(aw_addr),
      .aw_len(aw_len),
      .w_valid(w_valid),
      .w_ready(w_ready),
      .w_strb(w_strb),
      .w_last(w_last),
      .b_valid(b_valid),
      .b_resp(b_resp)
  );
  assign quiet = stop && idle;

  // --- faults: the first one ends the run -------------------------------------------------------
  logic refused, left_region, any;
  assign refused     = (planned && illegal) || (word_valid && outside);
  assign left_region = word_valid && beyond;
  assign any         = refused || left_region || write_error;
  always_ff @(posedge clk) begin
    if (rst) begin
      dead  <= 1'b0;
      fault <= 1'b0;
    end else begin
      dead  <= dead || any;
      fault <= any && !dead;
    end
    if (any) begin
      fault_index <= write_error ? write_error_index : index;
      fault_addr  <= write_error ? write_error_addr : refused ? 64'd0 : word_addr;
      fault_cause <= write_error ? 4'(weft_pkg::ERROR_AXI) :
          refused ? 4'(weft_pkg::ERROR_ILLEGAL) : 4'(weft_pkg::ERROR_WINDOW);
    end
  end
endmodule
