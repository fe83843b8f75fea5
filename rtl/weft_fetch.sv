// Instruction fetch: reads the program in bursts of 256 bytes into CFG_FETCH_SLOTS slots and shows
// the instructions in order.
//
// `begin_run` takes address and count; from the next cycle on, while `run`, addresses are
// presented: one burst for each free slot, the last one as short as the program. A slot is free
// again in the cycle after `take` of its last instruction. `insn` is there (`insn_valid`) in the
// cycle after the beat that brought its last byte; `take` moves on to the next.
//
// Without `run` no new burst begins; one that is presented stays until it is taken, data that still
// come are dropped, and `quiet` says when no more can come. `fault`: a beat of the running program
// came with an error response.
//
// The program begins at a multiple of 256 (checked before the run): burst k is instructions 4 k to
// 4 k + 3, and the slots one after the other are a ring of instructions.
module weft_fetch (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      begin_run,
    input  logic [              63:0] program_addr,
    input  logic [              31:0] program_count,
    input  logic                      run,
    output logic                      ar_valid,
    input  logic                      ar_ready,
    output logic [              63:0] ar_addr,
    output logic [               7:0] ar_len,
    input  logic                      r_valid,
    input  logic [ weft_pkg::BUS-1:0] r_data,
    input  logic                      r_last,
    input  logic [               1:0] r_resp,
    output logic                      insn_valid,
    output logic [weft_pkg::INSN-1:0] insn,
    input  logic                      take,
    output logic                      quiet,
    output logic                      fault,
    output logic [              31:0] fault_index,
    output logic [              63:0] fault_addr
);
  localparam int SLOTS = weft_pkg::CFG_FETCH_SLOTS;
  localparam int SLOT_INSNS = weft_pkg::BURST_BYTES / weft_pkg::INSN_BYTES;
  localparam int SI = $clog2(SLOT_INSNS);
  localparam int DEPTH = SLOTS * SLOT_INSNS;
  localparam int A = $clog2(DEPTH);
  localparam int N = $clog2(DEPTH + 1);
  localparam int S = $clog2(SLOTS + 1);
  localparam int BEATS = weft_pkg::INSN_BYTES / weft_pkg::CFG_DRAM_BYTES;  // of one instruction
  localparam int BW = BEATS > 1 ? $clog2(BEATS) : 1;

  // --- addresses ---------------------------------------------------------------------------------
  logic [31:0] left;  // instructions not asked for yet
  logic [S-1:0] used, open;  // slots that are not free; bursts whose data are still to come
  logic held;  // presented and not taken: it has to stay
  logic [SI:0] burst_insns;
  logic asked, release_slot, received;

  assign burst_insns = left >= 32'(SLOT_INSNS) ? (SI + 1)'(SLOT_INSNS) : left[SI:0];
  assign ar_valid    = held | (run & left != '0 & used != S'(SLOTS));
  assign ar_len      = 8'(burst_insns) * 8'(BEATS) - 8'd1;
  assign asked       = ar_valid & ar_ready;
  assign received    = r_valid & r_last;
  assign quiet       = ~ar_valid & open == '0;

  always_ff @(posedge clk) begin
    if (rst) begin
      held <= 1'b0;
      open <= '0;
    end else begin
      held <= ar_valid & ~ar_ready;
      if (asked != received) open <= asked ? open + 1'b1 : open - 1'b1;
    end
    if (rst | begin_run) used <= '0;
    else if (asked != release_slot) used <= asked ? used + 1'b1 : used - 1'b1;
    if (rst) left <= '0;
    else if (begin_run) left <= program_count;
    else if (asked) left <= left - 32'(burst_insns);
    if (begin_run) ar_addr <= program_addr;
    else if (asked) ar_addr <= ar_addr + 64'(weft_pkg::BURST_BYTES);
  end

  // --- data --------------------------------------------------------------------------------------
  logic [BW-1:0] beat;
  logic [A-1:0] write_at, read_at;
  logic [N-1:0] ready;  // complete instructions
  logic beat_in, insn_in;

  assign beat_in      = r_valid & run;
  assign insn_in      = beat_in & beat == BW'(BEATS - 1);
  assign insn_valid   = ready != '0;
  assign release_slot = take & (&read_at[SI-1:0]);

  for (genvar b = 0; b < BEATS; b++) begin : gen_beat
    // read without a clock: the instruction must be in sight in the cycle after its last beat
    logic [weft_pkg::BUS-1:0] mem[0:DEPTH-1];
    always_ff @(posedge clk) if (beat_in & beat == BW'(b)) mem[write_at] <= r_data;
    assign insn[weft_pkg::BUS*b+:weft_pkg::BUS] = mem[read_at];
  end

  always_ff @(posedge clk) begin
    if (rst | begin_run) begin
      beat        <= '0;
      write_at    <= '0;
      read_at     <= '0;
      ready       <= '0;
      fault_index <= '0;
    end else begin
      if (beat_in) beat <= insn_in ? '0 : beat + 1'b1;
      if (insn_in) begin
        write_at    <= write_at == A'(DEPTH - 1) ? '0 : write_at + 1'b1;
        fault_index <= fault_index + 1'b1;
      end
      if (take) read_at <= read_at == A'(DEPTH - 1) ? '0 : read_at + 1'b1;
      if (insn_in != take) ready <= insn_in ? ready + 1'b1 : ready - 1'b1;
    end
    if (begin_run) fault_addr <= program_addr;
    else if (beat_in) fault_addr <= fault_addr + 64'(weft_pkg::CFG_DRAM_BYTES);
  end
  // index and address are those of the beat that comes next
  assign fault = beat_in & r_resp[1];

  logic unused;
  assign unused = r_resp[0];  // OKAY and EXOKAY are both good
endmodule
