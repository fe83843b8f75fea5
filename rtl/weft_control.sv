// A run from the doorbell to the interrupt: STATUS, cycles, errors, the way down.
//
//   IDLE -> CHECK -> RUN -> IDLE          doorbell; region 0 holds the program; END
//             |       |
//             +-------+-> STOP -> FLUSH -> IDLE     an error, or a soft reset (from IDLE too)
//
// `begin_run` is high in CHECK, the cycle before cycle 0; `run` in cycles 0, 1, ... `cycles` counts
// the cycles with `running`: it is t in cycle t, and the run's cycles afterwards. In STOP `stop`
// keeps fetch, LOAD and STORE from opening AXI transactions; when all are quiet, FLUSH resets the
// core. A doorbell while a program runs is ignored; one during a soft reset waits for its end.
//
// Errors: the first one counts. Of several in the same cycle: the lowest unit's fault, semaphore
// overflow (lowest unit), fetch's AXI error, tokens left, an illegal instruction, a missing END,
// the watchdog. Watchdog: END must have been dispatched in cycle WATCHDOG at the latest.
module weft_control (
    input  logic                          clk,
    input  logic                          rst,
    // registers
    input  logic                          doorbell,
    input  logic                          soft_reset,
    input  logic                          irq_clear,
    input  logic                          irq_enable,
    input  logic [                  31:0] program_offset,
    input  logic [                  31:0] program_count,
    input  logic [                  31:0] watchdog,
    input  logic                          base_aligned,
    input  logic [                  63:0] region_size,
    output logic [                   3:0] status,
    output logic                          resetting,
    output logic [                   3:0] error_cause,
    output logic [                  31:0] error_insn,
    output logic [                  63:0] error_addr,
    output logic [                  63:0] cycles,
    // the core
    output logic                          begin_run,
    output logic                          run,
    output logic                          running,
    output logic                          stop,
    output logic                          core_rst,
    input  logic                          fetch_quiet,
    input  logic [                   1:0] dma_quiet,
    // dispatch
    input  logic [                  31:0] index,
    input  logic                          ending,
    input  logic                          finish,
    input  logic                          illegal,
    input  logic                          no_end,
    // other errors; `post_index`: of the instruction that is done
    input  logic                          fetch_fault,
    input  logic [                  31:0] fetch_index,
    input  logic [                  63:0] fetch_addr,
    input  logic [   weft_pkg::UNITS-1:0] overflow,
    input  logic [weft_pkg::UNITS*32-1:0] post_index,
    input  logic                          tokens_left,
    input  logic [   weft_pkg::UNITS-1:0] fault,
    input  logic [ weft_pkg::UNITS*4-1:0] fault_cause,
    input  logic [weft_pkg::UNITS*32-1:0] fault_index,
    input  logic [weft_pkg::UNITS*64-1:0] fault_addr
);
  localparam int U = weft_pkg::UNITS;
  localparam int BB = $clog2(weft_pkg::BURST_BYTES);
  // Cycles of `stop` before `quiet` is believed: what a unit was about to open is open by then.
  localparam int SETTLE = 4;

  typedef enum logic [2:0] {
    IDLE,
    CHECK,
    RUN,
    STOP,
    FLUSH
  } state_t;
  state_t state;
  logic bell, busy, done, failed, irq;  // bell: a doorbell not answered yet
  logic [$clog2(SETTLE+1)-1:0] settle;
  logic quiet, late;
  logic [38:0] program_end;  // in region 0
  logic bad_program;

  assign status    = {irq, failed, done, busy};
  assign begin_run = state == CHECK;
  assign run       = state == RUN;
  assign running   = state == RUN | (stop & ~resetting);
  assign stop      = state == STOP | state == FLUSH;
  assign core_rst  = rst | state == FLUSH;
  assign quiet     = settle == '0 & fetch_quiet & (&dma_quiet);

  assign bad_program = ~base_aligned | program_offset[BB-1:0] != '0 |
                       64'(program_end) > region_size;

  // --- the first error ---------------------------------------------------------------------------
  logic error;
  logic [3:0] cause;
  logic [31:0] insn;
  logic [63:0] addr;

  always_comb begin
    error = 1'b0;
    cause = 4'(weft_pkg::ERROR_NONE);
    insn  = index;
    addr  = '0;
    if (begin_run) begin
      error = bad_program;
      cause = 4'(weft_pkg::ERROR_WINDOW);
      insn  = '0;
    end else if (run) begin
      if (late & ~ending) begin
        error = 1'b1;
        cause = 4'(weft_pkg::ERROR_WATCHDOG);
      end
      if (no_end) begin
        error = 1'b1;
        cause = 4'(weft_pkg::ERROR_NO_END);
      end
      if (illegal) begin
        error = 1'b1;
        cause = 4'(weft_pkg::ERROR_ILLEGAL);
      end
      if (finish & tokens_left) begin
        error = 1'b1;
        cause = 4'(weft_pkg::ERROR_TOKEN);
        insn  = index - 1'b1;  // END itself
      end
      if (fetch_fault & ~ending) begin
        error = 1'b1;
        cause = 4'(weft_pkg::ERROR_AXI);
        insn  = fetch_index;
        addr  = fetch_addr;
      end
      if (overflow != '0) begin
        error = 1'b1;
        cause = 4'(weft_pkg::ERROR_TOKEN);
        for (int u = U - 1; u >= 0; u--) if (overflow[u]) insn = post_index[32*u+:32];
        addr  = '0;
      end
      if (fault != '0) begin
        error = 1'b1;
        for (int u = U - 1; u >= 0; u--) begin
          if (fault[u]) begin
            cause = fault_cause[4*u+:4];
            insn  = fault_index[32*u+:32];
            addr  = fault_addr[64*u+:64];
          end
        end
      end
    end
  end

  // --- states ------------------------------------------------------------------------------------
  always_ff @(posedge clk) begin
    if (rst) begin
      state     <= IDLE;
      resetting <= 1'b0;
      settle    <= '0;
    end else begin
      settle <= stop ? (settle != '0 ? settle - 1'b1 : '0) : ($clog2(SETTLE + 1))'(SETTLE);
      case (state)
        IDLE: if (resetting) state <= STOP;
              else if (bell & fetch_quiet) state <= CHECK;  // no data of the last program to come
        CHECK: state <= resetting | error ? STOP : RUN;
        RUN: if (resetting | error) state <= STOP;
             else if (finish) state <= IDLE;
        STOP: if (quiet) state <= FLUSH;
        default: state <= IDLE;
      endcase
      if (soft_reset) resetting <= 1'b1;
      else if (state == FLUSH) resetting <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst | soft_reset) begin
      bell   <= 1'b0;
      busy   <= 1'b0;
      done   <= 1'b0;
      failed <= 1'b0;
      irq    <= 1'b0;
    end else if (doorbell & ~busy) begin
      bell   <= 1'b1;
      busy   <= 1'b1;
      done   <= 1'b0;
      failed <= 1'b0;
      irq    <= 1'b0;
    end else if (~resetting & (state == FLUSH | (run & finish & ~error))) begin
      busy   <= 1'b0;
      done   <= 1'b1;
      failed <= state == FLUSH;
      irq    <= irq_enable;
    end else begin
      if (begin_run) bell <= 1'b0;
      if (irq_clear) begin
        done   <= 1'b0;
        failed <= 1'b0;
        irq    <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst | begin_run) begin
      error_cause <= '0;
      error_insn  <= '0;
      error_addr  <= '0;
      cycles      <= '0;
      late        <= 1'b0;
    end else if (running) begin
      cycles <= cycles + 1'b1;
      late   <= watchdog != '0 & cycles == 64'(watchdog);
    end
    if (error & ~rst) begin  // in CHECK too, where it wins over the clearing
      error_cause <= cause;
      error_insn  <= insn;
      error_addr  <= addr;
    end
    if (state == IDLE)
      program_end <= 39'(program_offset) + (39'(program_count) << $clog2(weft_pkg::INSN_BYTES));
  end
endmodule
