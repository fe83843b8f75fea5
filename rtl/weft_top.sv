// The device: units, scratchpad and frontend, wired. No logic of its own.
//
// Outside: an AXI4-Lite slave for the registers (docs/isa.md, "Registers"), an AXI4 master to DRAM
// (docs/rtl.md, "AXI"), a level interrupt, and trace pins that show when instructions start and end
// (simulation and logic analysers; leave them open otherwise).
module weft_top (
    input  logic                          clk,
    input  logic                          rst,
    // AXI4-Lite slave
    input  logic [11:0]                   s_awaddr,
    input  logic                          s_awvalid,
    output logic                          s_awready,
    input  logic [31:0]                   s_wdata,
    input  logic [3:0]                    s_wstrb,
    input  logic                          s_wvalid,
    output logic                          s_wready,
    output logic [1:0]                    s_bresp,
    output logic                          s_bvalid,
    input  logic                          s_bready,
    input  logic [11:0]                   s_araddr,
    input  logic                          s_arvalid,
    output logic                          s_arready,
    output logic [31:0]                   s_rdata,
    output logic [1:0]                    s_rresp,
    output logic                          s_rvalid,
    input  logic                          s_rready,
    output logic                          irq,
    // AXI4 master
    output logic [0:0]                    m_arid,
    output logic [63:0]                   m_araddr,
    output logic [7:0]                    m_arlen,
    output logic [2:0]                    m_arsize,
    output logic [1:0]                    m_arburst,
    output logic                          m_arvalid,
    input  logic                          m_arready,
    input  logic [0:0]                    m_rid,
    input  logic [weft_pkg::BUS-1:0]      m_rdata,
    input  logic [1:0]                    m_rresp,
    input  logic                          m_rlast,
    input  logic                          m_rvalid,
    output logic                          m_rready,
    output logic [0:0]                    m_awid,
    output logic [63:0]                   m_awaddr,
    output logic [7:0]                    m_awlen,
    output logic [2:0]                    m_awsize,
    output logic [1:0]                    m_awburst,
    output logic                          m_awvalid,
    input  logic                          m_awready,
    output logic [weft_pkg::BUS-1:0]      m_wdata,
    output logic [weft_pkg::BUS/8-1:0]    m_wstrb,
    output logic                          m_wlast,
    output logic                          m_wvalid,
    input  logic                          m_wready,
    input  logic [0:0]                    m_bid,
    input  logic [1:0]                    m_bresp,
    input  logic                          m_bvalid,
    output logic                          m_bready,
    // trace
    output logic                          trace_running,
    output logic [63:0]                   trace_cycle,
    output logic [4:0]                    trace_start,
    output logic [4:0]                    trace_done,
    output logic                          trace_dispatch,
    output logic                          trace_end
);
  localparam int ADDR = weft_pkg::ADDR;
  localparam int INSN = weft_pkg::INSN;
  localparam int W = weft_pkg::W;
  localparam int WORD = weft_pkg::WORD;
  localparam int LDW = weft_pkg::LDW;
  localparam int BUS = weft_pkg::BUS;
  localparam int UNITS = weft_pkg::UNITS;
  localparam int LOAD = weft_pkg::UNIT_LOAD;
  localparam int GEMM = weft_pkg::UNIT_GEMM;
  localparam int DW = weft_pkg::UNIT_DW;
  localparam int VEC = weft_pkg::UNIT_VEC;
  localparam int STORE = weft_pkg::UNIT_STORE;
  localparam logic [2:0] SIZE = 3'($clog2(BUS / 8));

  // Issue ports, unit u at [u].
  logic [UNITS-1:0] issue_valid, issue_ready, done, active, moved, fault;
  logic [UNITS*INSN-1:0] issue_insn;
  logic [UNITS*32-1:0] issue_index, fault_index;
  logic [UNITS*4-1:0] fault_cause;
  logic [UNITS*64-1:0] fault_addr;
  logic [8*64-1:0] region_base, region_size;
  logic core_rst, stop, load_quiet, store_quiet;

  // LOAD's write bus
  logic ld_en;
  logic [2:0] ld_mem;
  logic [ADDR-1:0] ld_addr;
  logic [LDW-1:0] ld_be;
  logic [8*LDW-1:0] ld_data;

  // Scratchpad ports: readers GEMM, DW, VEC, STORE; writers LOAD, GEMM, DW, VEC. The simulation
  // shows the writes to the driver (driver/rtl_shim.cc).
  logic [3:0] rd_en;
  logic [4*ADDR-1:0] rd_addr;
  logic [4*WORD-1:0] rd_data;
  logic [3:0] wr_en  /* verilator public_flat_rd */;
  logic [4*ADDR-1:0] wr_addr  /* verilator public_flat_rd */;
  logic [4*W-1:0] wr_be  /* verilator public_flat_rd */;
  logic [4*WORD-1:0] wr_data  /* verilator public_flat_rd */;

  // Read channels: 0 fetch, 1 LOAD
  logic [1:0] q_valid, q_ready, a_valid;
  logic [2*64-1:0] q_addr;
  logic [2*8-1:0] q_len;
  logic [BUS-1:0] a_data;
  logic a_last;
  logic [1:0] a_resp;

  assign trace_start = issue_valid & issue_ready;
  assign trace_done = done;
  assign {moved[GEMM], moved[DW], moved[VEC]} = '0;
  assign wr_en[0] = ld_en && ld_mem == 3'(weft_pkg::MEM_SPAD);
  assign wr_addr[0+:ADDR] = ld_addr;
  assign wr_be[0+:W] = ld_be[W-1:0];
  assign wr_data[0+:WORD] = ld_data[WORD-1:0];
  assign {m_arsize, m_awsize} = {SIZE, SIZE};
  assign {m_arburst, m_awburst} = {2'b01, 2'b01};  // INCR
  assign m_awid = 1'b0;
  assign m_bready = 1'b1;
  logic unused;
  assign unused = ^m_bid;

  weft_frontend frontend (
      .clk(clk),
      .rst(rst),
      .s_awaddr(s_awaddr),
      .s_awvalid(s_awvalid),
      .s_awready(s_awready),
      .s_wdata(s_wdata),
      .s_wstrb(s_wstrb),
      .s_wvalid(s_wvalid),
      .s_wready(s_wready),
      .s_bresp(s_bresp),
      .s_bvalid(s_bvalid),
      .s_bready(s_bready),
      .s_araddr(s_araddr),
      .s_arvalid(s_arvalid),
      .s_arready(s_arready),
      .s_rdata(s_rdata),
      .s_rresp(s_rresp),
      .s_rvalid(s_rvalid),
      .s_rready(s_rready),
      .irq(irq),
      .ar_valid(q_valid[0]),
      .ar_ready(q_ready[0]),
      .ar_addr(q_addr[0+:64]),
      .ar_len(q_len[0+:8]),
      .r_valid(a_valid[0]),
      .r_data(a_data),
      .r_last(a_last),
      .r_resp(a_resp),
      .issue_valid(issue_valid),
      .issue_insn(issue_insn),
      .issue_index(issue_index),
      .issue_ready(issue_ready),
      .unit_done(done),
      .unit_active(active),
      .unit_moved(moved),
      .unit_fault(fault),
      .unit_fault_cause(fault_cause),
      .unit_fault_index(fault_index),
      .unit_fault_addr(fault_addr),
      .region_base(region_base),
      .region_size(region_size),
      .core_rst(core_rst),
      .stop(stop),
      .quiet({store_quiet, load_quiet}),
      .rd_beat(m_rvalid & m_rready),
      .wr_beat(m_wvalid & m_wready),
      .trace_running(trace_running),
      .trace_cycle(trace_cycle),
      .trace_dispatch(trace_dispatch),
      .trace_end(trace_end)
  );

  weft_axi_read axi_read (
      .clk(clk),
      .rst(rst),
      .q_valid(q_valid),
      .q_ready(q_ready),
      .q_addr(q_addr),
      .q_len(q_len),
      .m_arvalid(m_arvalid),
      .m_arready(m_arready),
      .m_araddr(m_araddr),
      .m_arlen(m_arlen),
      .m_arid(m_arid),
      .m_rvalid(m_rvalid),
      .m_rready(m_rready),
      .m_rid(m_rid),
      .m_rdata(m_rdata),
      .m_rlast(m_rlast),
      .m_rresp(m_rresp),
      .a_valid(a_valid),
      .a_data(a_data),
      .a_last(a_last),
      .a_resp(a_resp)
  );

  weft_load load (
      .clk(clk),
      .rst(core_rst),
      .insn_valid(issue_valid[LOAD]),
      .insn(issue_insn[INSN*LOAD+:INSN]),
      .insn_index(issue_index[32*LOAD+:32]),
      .insn_ready(issue_ready[LOAD]),
      .done(done[LOAD]),
      .active(active[LOAD]),
      .fault(fault[LOAD]),
      .fault_cause(fault_cause[4*LOAD+:4]),
      .fault_index(fault_index[32*LOAD+:32]),
      .fault_addr(fault_addr[64*LOAD+:64]),
      .moved(moved[LOAD]),
      .region_base(region_base),
      .region_size(region_size),
      .stop(stop),
      .quiet(load_quiet),
      .ar_valid(q_valid[1]),
      .ar_ready(q_ready[1]),
      .ar_addr(q_addr[64+:64]),
      .ar_len(q_len[8+:8]),
      .r_valid(a_valid[1]),
      .r_data(a_data),
      .r_last(a_last),
      .r_resp(a_resp),
      .ld_en(ld_en),
      .ld_mem(ld_mem),
      .ld_addr(ld_addr),
      .ld_be(ld_be),
      .ld_data(ld_data)
  );

  weft_gemm gemm (
      .clk(clk),
      .rst(core_rst),
      .insn_valid(issue_valid[GEMM]),
      .insn(issue_insn[INSN*GEMM+:INSN]),
      .insn_index(issue_index[32*GEMM+:32]),
      .insn_ready(issue_ready[GEMM]),
      .done(done[GEMM]),
      .active(active[GEMM]),
      .fault(fault[GEMM]),
      .fault_cause(fault_cause[4*GEMM+:4]),
      .fault_index(fault_index[32*GEMM+:32]),
      .fault_addr(fault_addr[64*GEMM+:64]),
      .rd_en(rd_en[0]),
      .rd_addr(rd_addr[ADDR*0+:ADDR]),
      .rd_data(rd_data[WORD*0+:WORD]),
      .wr_en(wr_en[1]),
      .wr_addr(wr_addr[ADDR*1+:ADDR]),
      .wr_be(wr_be[W*1+:W]),
      .wr_data(wr_data[WORD*1+:WORD]),
      .ld_en(ld_en),
      .ld_mem(ld_mem),
      .ld_addr(ld_addr),
      .ld_be(ld_be),
      .ld_data(ld_data)
  );

  weft_dw dw (
      .clk(clk),
      .rst(core_rst),
      .insn_valid(issue_valid[DW]),
      .insn(issue_insn[INSN*DW+:INSN]),
      .insn_index(issue_index[32*DW+:32]),
      .insn_ready(issue_ready[DW]),
      .done(done[DW]),
      .active(active[DW]),
      .fault(fault[DW]),
      .fault_cause(fault_cause[4*DW+:4]),
      .fault_index(fault_index[32*DW+:32]),
      .fault_addr(fault_addr[64*DW+:64]),
      .rd_en(rd_en[1]),
      .rd_addr(rd_addr[ADDR*1+:ADDR]),
      .rd_data(rd_data[WORD*1+:WORD]),
      .wr_en(wr_en[2]),
      .wr_addr(wr_addr[ADDR*2+:ADDR]),
      .wr_be(wr_be[W*2+:W]),
      .wr_data(wr_data[WORD*2+:WORD]),
      .ld_en(ld_en),
      .ld_mem(ld_mem),
      .ld_addr(ld_addr),
      .ld_be(ld_be),
      .ld_data(ld_data)
  );

  weft_vec vec (
      .clk(clk),
      .rst(core_rst),
      .insn_valid(issue_valid[VEC]),
      .insn(issue_insn[INSN*VEC+:INSN]),
      .insn_index(issue_index[32*VEC+:32]),
      .insn_ready(issue_ready[VEC]),
      .done(done[VEC]),
      .active(active[VEC]),
      .fault(fault[VEC]),
      .fault_cause(fault_cause[4*VEC+:4]),
      .fault_index(fault_index[32*VEC+:32]),
      .fault_addr(fault_addr[64*VEC+:64]),
      .rd_en(rd_en[2]),
      .rd_addr(rd_addr[ADDR*2+:ADDR]),
      .rd_data(rd_data[WORD*2+:WORD]),
      .wr_en(wr_en[3]),
      .wr_addr(wr_addr[ADDR*3+:ADDR]),
      .wr_be(wr_be[W*3+:W]),
      .wr_data(wr_data[WORD*3+:WORD]),
      .ld_en(ld_en),
      .ld_mem(ld_mem),
      .ld_addr(ld_addr),
      .ld_be(ld_be),
      .ld_data(ld_data)
  );

  weft_store store (
      .clk(clk),
      .rst(core_rst),
      .insn_valid(issue_valid[STORE]),
      .insn(issue_insn[INSN*STORE+:INSN]),
      .insn_index(issue_index[32*STORE+:32]),
      .insn_ready(issue_ready[STORE]),
      .done(done[STORE]),
      .active(active[STORE]),
      .fault(fault[STORE]),
      .fault_cause(fault_cause[4*STORE+:4]),
      .fault_index(fault_index[32*STORE+:32]),
      .fault_addr(fault_addr[64*STORE+:64]),
      .moved(moved[STORE]),
      .region_base(region_base),
      .region_size(region_size),
      .stop(stop),
      .quiet(store_quiet),
      .rd_en(rd_en[3]),
      .rd_addr(rd_addr[ADDR*3+:ADDR]),
      .rd_data(rd_data[WORD*3+:WORD]),
      .aw_valid(m_awvalid),
      .aw_ready(m_awready),
      .aw_addr(m_awaddr),
      .aw_len(m_awlen),
      .w_valid(m_wvalid),
      .w_ready(m_wready),
      .w_data(m_wdata),
      .w_strb(m_wstrb),
      .w_last(m_wlast),
      .b_valid(m_bvalid),
      .b_resp(m_bresp)
  );

  weft_spad spad (
      .clk(clk),
      .rd_en(rd_en),
      .rd_addr(rd_addr),
      .rd_data(rd_data),
      .wr_en(wr_en),
      .wr_addr(wr_addr),
      .wr_be(wr_be),
      .wr_data(wr_data)
  );
endmodule
