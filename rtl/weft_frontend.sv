// Everything between AXI4-Lite and the units' issue ports: registers, instruction fetch, decode,
// dispatch, the five queues, semaphores, counters, errors, interrupt.
//
//   weft_regs --doorbell--> weft_control --run--> weft_fetch --> weft_dispatch --> weft_queue x 5
//                                                                                      |
//        unit <--issue_valid, issue_insn, issue_index-- weft_semaphores <--head, waits-+
//        unit --unit_done--> weft_queue x 5 (posts of what was started) --> tokens
//
// Vectors over the units hold unit u (UNIT_*) at bit u or at [n * u +: n]. The times are those of
// docs/microarchitecture.md: last beat in t, dispatch in t + 1, issue in t + 2; a token of a `done`
// in t is taken in t + 1. The trace outputs: `trace_cycle` is t in cycle t of a run, and its length
// afterwards; `trace_end` is the cycle in which DONE and the interrupt show.
module weft_frontend (
    input  logic                                    clk,
    input  logic                                    rst,
    // AXI4-Lite
    input  logic [                            11:0] s_awaddr,
    input  logic                                    s_awvalid,
    output logic                                    s_awready,
    input  logic [                            31:0] s_wdata,
    input  logic [                             3:0] s_wstrb,
    input  logic                                    s_wvalid,
    output logic                                    s_wready,
    output logic [                             1:0] s_bresp,
    output logic                                    s_bvalid,
    input  logic                                    s_bready,
    input  logic [                            11:0] s_araddr,
    input  logic                                    s_arvalid,
    output logic                                    s_arready,
    output logic [                            31:0] s_rdata,
    output logic [                             1:0] s_rresp,
    output logic                                    s_rvalid,
    input  logic                                    s_rready,
    output logic                                    irq,
    // fetch's side of weft_axi_read
    output logic                                    ar_valid,
    input  logic                                    ar_ready,
    output logic [                            63:0] ar_addr,
    output logic [                             7:0] ar_len,
    input  logic                                    r_valid,
    input  logic [               weft_pkg::BUS-1:0] r_data,
    input  logic                                    r_last,
    input  logic [                             1:0] r_resp,
    // units
    output logic [             weft_pkg::UNITS-1:0] issue_valid,
    output logic [weft_pkg::UNITS*weft_pkg::INSN-1:0] issue_insn,
    output logic [          weft_pkg::UNITS*32-1:0] issue_index,
    input  logic [             weft_pkg::UNITS-1:0] issue_ready,
    input  logic [             weft_pkg::UNITS-1:0] unit_done,
    input  logic [             weft_pkg::UNITS-1:0] unit_active,
    input  logic [             weft_pkg::UNITS-1:0] unit_moved,
    input  logic [             weft_pkg::UNITS-1:0] unit_fault,
    input  logic [           weft_pkg::UNITS*4-1:0] unit_fault_cause,
    input  logic [          weft_pkg::UNITS*32-1:0] unit_fault_index,
    input  logic [          weft_pkg::UNITS*64-1:0] unit_fault_addr,
    output logic [        weft_pkg::REGIONS*64-1:0] region_base,
    output logic [        weft_pkg::REGIONS*64-1:0] region_size,
    output logic                                    core_rst,
    output logic                                    stop,
    input  logic [                             1:0] quiet,
    // data beats on the bus in this cycle
    input  logic                                    rd_beat,
    input  logic                                    wr_beat,
    // for tracing a simulation
    output logic                                    trace_running,
    output logic [                            63:0] trace_cycle,
    output logic                                    trace_dispatch,
    output logic                                    trace_end
);
  localparam int U = weft_pkg::UNITS;
  localparam int INSN = weft_pkg::INSN;
  // Instructions between start and end that a unit may have; it waits if it wants more.
  localparam int STARTED = 64;
  localparam int SN = $clog2(STARTED + 1);

  logic doorbell, soft_reset, irq_clear, irq_enable, resetting;
  logic [3:0] status, error_cause;
  logic [31:0] program_offset, program_count, watchdog, error_insn;
  logic [63:0] error_addr, rd_beats, wr_beats;
  logic [(U+1)*256-1:0] counters;

  logic begin_run, run, fetch_quiet, fetch_fault;
  logic [31:0] fetch_index;
  logic [63:0] fetch_addr;
  logic insn_valid, take;
  logic [INSN-1:0] insn;
  logic [31:0] index;

  logic [U-1:0] full, push, ended, queued, room, start, overflow;
  logic [U*U-1:0] waits, posts;
  logic [U*32-1:0] post_index;
  logic ending, finish, blocked, starved, illegal, no_end, tokens_left;

  assign irq = status[3];

  weft_regs regs (
      .clk,
      .rst,
      .s_awaddr,
      .s_awvalid,
      .s_awready,
      .s_wdata,
      .s_wstrb,
      .s_wvalid,
      .s_wready,
      .s_bresp,
      .s_bvalid,
      .s_bready,
      .s_araddr,
      .s_arvalid,
      .s_arready,
      .s_rdata,
      .s_rresp,
      .s_rvalid,
      .s_rready,
      .doorbell,
      .soft_reset,
      .irq_clear,
      .irq_enable,
      .program_offset,
      .program_count,
      .watchdog,
      .region_base,
      .region_size,
      .status,
      .resetting,
      .error_cause,
      .error_insn,
      .error_addr,
      .cycles(trace_cycle),
      .rd_beats,
      .wr_beats,
      .counters
  );

  weft_control control (
      .clk,
      .rst,
      .doorbell,
      .soft_reset,
      .irq_clear,
      .irq_enable,
      .program_offset,
      .program_count,
      .watchdog,
      .base_aligned(region_base[$clog2(weft_pkg::BURST_BYTES)-1:0] == '0),
      .region_size(region_size[63:0]),
      .status,
      .resetting,
      .error_cause,
      .error_insn,
      .error_addr,
      .cycles     (trace_cycle),
      .begin_run,
      .run,
      .running    (trace_running),
      .stop,
      .core_rst,
      .fetch_quiet,
      .dma_quiet  (quiet),
      .index,
      .ending,
      .finish,
      .illegal,
      .no_end,
      .fetch_fault,
      .fetch_index,
      .fetch_addr,
      .overflow,
      .post_index,
      .tokens_left,
      .fault      (unit_fault),
      .fault_cause(unit_fault_cause),
      .fault_index(unit_fault_index),
      .fault_addr (unit_fault_addr)
  );

  weft_fetch fetch (
      .clk,
      .rst         (core_rst),
      .begin_run,
      .program_addr(region_base[63:0] + 64'(program_offset)),
      .program_count,
      .run         (run & ~ending),
      .ar_valid,
      .ar_ready,
      .ar_addr,
      .ar_len,
      .r_valid,
      .r_data,
      .r_last,
      .r_resp,
      .insn_valid,
      .insn,
      .take,
      .quiet       (fetch_quiet),
      .fault       (fetch_fault),
      .fault_index (fetch_index),
      .fault_addr  (fetch_addr)
  );

  weft_dispatch dispatch (
      .clk,
      .rst     (core_rst),
      .begin_run,
      .run,
      .program_count,
      .insn_valid,
      .insn,
      .take,
      .index,
      .full,
      .push,
      .idle    (&ended),
      .sync_now(trace_dispatch),
      .sync_end(trace_end),
      .ending,
      .finish,
      .blocked,
      .starved,
      .illegal,
      .no_end
  );

  for (genvar u = 0; u < U; u++) begin : gen_unit
    // Only the bits that this unit's instructions have; the rest is known to be zero.
    localparam int VEC_BITS = weft_pkg::VEW_BITS > weft_pkg::VPOOL_BITS ?
        (weft_pkg::VEW_BITS > weft_pkg::VROW_BITS ? weft_pkg::VEW_BITS : weft_pkg::VROW_BITS) :
        (weft_pkg::VPOOL_BITS > weft_pkg::VROW_BITS ? weft_pkg::VPOOL_BITS : weft_pkg::VROW_BITS);
    localparam int BITS = u == weft_pkg::UNIT_LOAD ? weft_pkg::LOAD_BITS :
        u == weft_pkg::UNIT_STORE ? weft_pkg::STORE_BITS :
        u == weft_pkg::UNIT_GEMM ? weft_pkg::GEMM_BITS :
        u == weft_pkg::UNIT_DW ? weft_pkg::DW_BITS : VEC_BITS;
    logic [BITS-1:0] head;
    logic [$clog2(weft_pkg::CFG_QUEUE_DEPTH + 1)-1:0] count_unused;
    logic [U-1:0] head_post;
    logic started_valid, started_full;
    logic [SN-1:0] started;

    weft_queue #(
        .DEPTH(weft_pkg::CFG_QUEUE_DEPTH),
        .WIDTH(32 + BITS)
    ) waiting (
        .clk,
        .rst      (core_rst),
        .push     (push[u]),
        .push_data({index, insn[BITS-1:0]}),
        .pop      (start[u]),
        .valid    (queued[u]),
        .full     (full[u]),
        .count    (count_unused),
        .head     ({issue_index[32*u+:32], head})
    );
    assign issue_insn[INSN*u+:INSN] = INSN'(head);
    assign waits[U*u+:U] = head[weft_pkg::LOAD_WAIT_LSB+:U];  // a header that all have
    assign head_post = head[weft_pkg::LOAD_POST_LSB+:U];
    assign room[u] = run & queued[u] & ~started_full;

    // What was started and has not ended, in order: the tokens that it will post.
    weft_queue #(
        .DEPTH(STARTED),
        .WIDTH(32 + U)
    ) working (
        .clk,
        .rst      (core_rst),
        .push     (start[u]),
        .push_data({issue_index[32*u+:32], head_post}),
        .pop      (unit_done[u] & started_valid),
        .valid    (started_valid),
        .full     (started_full),
        .count    (started),
        .head     ({post_index[32*u+:32], posts[U*u+:U]})
    );
    assign ended[u] = ~queued[u] & (~started_valid | (started == SN'(1) & unit_done[u]));
  end

  weft_semaphores semaphores (
      .clk,
      .rst  (core_rst),
      .head (room),
      .waits,
      .ready(issue_ready),
      .issue_valid,
      .start,
      .done (unit_done),
      .posts,
      .overflow,
      .left (tokens_left)
  );

  weft_counters performance (
      .clk,
      .clear     (begin_run),
      .run       (trace_running),
      .active    (unit_active),
      .moved     (unit_moved),
      .queued,
      .dispatched(take),
      .blocked,
      .starved,
      .rd_beat,
      .wr_beat,
      .counters,
      .rd_beats,
      .wr_beats
  );
endmodule
