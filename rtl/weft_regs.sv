// The registers (arch/regs.def) behind AXI4-Lite.
//
// A write is done in the cycle after both its address and its data have been taken, and answered in
// the next; a read is answered two cycles after its address was taken. One of each at a time. The
// answer is always OKAY: offsets without a register read 0 and ignore writes. `doorbell`,
// `soft_reset`, `irq_clear`: pulses of one cycle.
module weft_regs (
    input  logic                               clk,
    input  logic                               rst,
    // AXI4-Lite
    input  logic [                       11:0] s_awaddr,
    input  logic                               s_awvalid,
    output logic                               s_awready,
    input  logic [                       31:0] s_wdata,
    input  logic [                        3:0] s_wstrb,
    input  logic                               s_wvalid,
    output logic                               s_wready,
    output logic [                        1:0] s_bresp,
    output logic                               s_bvalid,
    input  logic                               s_bready,
    input  logic [                       11:0] s_araddr,
    input  logic                               s_arvalid,
    output logic                               s_arready,
    output logic [                       31:0] s_rdata,
    output logic [                        1:0] s_rresp,
    output logic                               s_rvalid,
    input  logic                               s_rready,
    // what the host sets
    output logic                               doorbell,
    output logic                               soft_reset,
    output logic                               irq_clear,
    output logic                               irq_enable,
    output logic [                       31:0] program_offset,
    output logic [                       31:0] program_count,
    output logic [                       31:0] watchdog,
    output logic [    weft_pkg::REGIONS*64-1:0] region_base,
    output logic [    weft_pkg::REGIONS*64-1:0] region_size,
    // what it reads
    input  logic [                        3:0] status,
    input  logic                               resetting,
    input  logic [                        3:0] error_cause,
    input  logic [                       31:0] error_insn,
    input  logic [                       63:0] error_addr,
    input  logic [                       63:0] cycles,
    input  logic [                       63:0] rd_beats,
    input  logic [                       63:0] wr_beats,
    input  logic [(weft_pkg::UNITS+1)*256-1:0] counters
);
  localparam int REGIONS = weft_pkg::REGIONS;
  localparam int RW = $clog2(REGIONS);
  localparam int BASE_AT = 32'(weft_pkg::REG_BASE) / 16;  // in units of a region's 16 bytes
  localparam int CONFIG_AT = 32'(weft_pkg::REG_CONFIG) / 4;  // in registers
  localparam int COUNTER_AT = 32'(weft_pkg::REG_COUNTER) / 4;
  localparam int COUNTERS = 8 * (weft_pkg::UNITS + 1);  // registers of 32 bits
  localparam int BEAT = $clog2(weft_pkg::CFG_DRAM_BYTES);
  localparam int KEYS = 25;

  // --- write -------------------------------------------------------------------------------------
  logic have_addr, have_data, write;
  logic [11:0] at;
  logic [31:0] data;
  logic [3:0] strobe;

  assign s_awready = ~have_addr;
  assign s_wready  = ~have_data;
  assign s_bresp   = 2'b00;
  assign write     = have_addr & have_data & ~s_bvalid;

  always_ff @(posedge clk) begin
    if (rst) begin
      have_addr <= 1'b0;
      have_data <= 1'b0;
      s_bvalid  <= 1'b0;
    end else begin
      if (write) begin
        have_addr <= 1'b0;
        have_data <= 1'b0;
      end
      if (s_awvalid & s_awready) have_addr <= 1'b1;
      if (s_wvalid & s_wready) have_data <= 1'b1;
      if (write) s_bvalid <= 1'b1;
      else if (s_bready) s_bvalid <= 1'b0;
    end
    if (s_awvalid & s_awready) at <= {s_awaddr[11:2], 2'b00};
    if (s_wvalid & s_wready) begin
      data   <= s_wdata;
      strobe <= s_wstrb;
    end
  end

  // Takes the bytes of `data` whose strobe is set.
  function automatic logic [31:0] written(input logic [31:0] old);
    for (int i = 0; i < 4; i++) written[8*i+:8] = strobe[i] ? data[8*i+:8] : old[8*i+:8];
  endfunction

  logic bit0;  // write of a 1 to bit 0
  assign bit0       = write & strobe[0] & data[0];
  assign doorbell   = bit0 & at == weft_pkg::REG_DOORBELL;
  assign irq_clear  = bit0 & at == weft_pkg::REG_IRQ_CLEAR;
  assign soft_reset = bit0 & at == weft_pkg::REG_CONTROL;

  always_ff @(posedge clk) begin
    if (rst) begin
      irq_enable     <= 1'b0;
      program_offset <= '0;
      program_count  <= '0;
      watchdog       <= '0;
    end else if (write) begin
      if (at == weft_pkg::REG_CONTROL & strobe[0]) irq_enable <= data[1];
      if (at == weft_pkg::REG_PROGRAM_OFFSET) program_offset <= written(program_offset);
      if (at == weft_pkg::REG_PROGRAM_COUNT) program_count <= written(program_count);
      if (at == weft_pkg::REG_WATCHDOG) watchdog <= written(watchdog);
    end
  end
  for (genvar r = 0; r < REGIONS; r++) begin : gen_region
    logic [63:0] base, size;
    logic mine;
    assign mine = write & at[11:4] == 8'(BASE_AT + r);
    always_ff @(posedge clk) begin
      if (rst) begin
        base <= '0;
        size <= '0;
      end else if (mine) begin
        case (at[3:2])
          2'd0: base[31:0] <= written(base[31:0]);
          2'd1: base[63:32] <= written(base[63:32]);
          2'd2: size[31:0] <= written(size[31:0]);
          default: size[63:32] <= written(size[63:32]);
        endcase
      end
    end
    assign region_base[64*r+:64] = base;
    assign region_size[64*r+:64] = size;
  end

  // --- read --------------------------------------------------------------------------------------
  logic have_read;
  logic [9:0] from;  // register number
  logic [31:0] value, setting;
  logic [7:0] region, key, counter;  // number of the region, ...; meaningless beyond the last
  logic [63:0] rd_bytes, wr_bytes, part;

  assign s_arready = ~have_read & ~s_rvalid;
  assign s_rresp   = 2'b00;
  assign region    = from[9:2] - 8'(BASE_AT);
  assign key       = 8'(from - 10'(CONFIG_AT));
  assign counter   = 8'(from - 10'(COUNTER_AT));
  assign rd_bytes  = rd_beats << BEAT;
  assign wr_bytes  = wr_beats << BEAT;

  // The keys in the order of config.def.
  always_comb begin
    case (key)
      8'd0: setting = 32'(weft_pkg::CFG_ROWS);
      8'd1: setting = 32'(weft_pkg::CFG_COLS);
      8'd2: setting = 32'(weft_pkg::CFG_SCRATCHPAD_KIB);
      8'd3: setting = 32'(weft_pkg::CFG_SCRATCHPAD_BANKS);
      8'd4: setting = 32'(weft_pkg::CFG_WEIGHT_KIB);
      8'd5: setting = 32'(weft_pkg::CFG_ACCUMULATOR_KIB);
      8'd6: setting = 32'(weft_pkg::CFG_PARAM_KIB);
      8'd7: setting = 32'(weft_pkg::CFG_DWBUF_KIB);
      8'd8: setting = 32'(weft_pkg::CFG_LUT_SLOTS);
      8'd9: setting = 32'(weft_pkg::CFG_EXP_SLOTS);
      8'd10: setting = 32'(weft_pkg::CFG_DRAM_BYTES);
      8'd11: setting = 32'(weft_pkg::CFG_DRAM_LATENCY);
      8'd12: setting = 32'(weft_pkg::CFG_DRAM_TURNAROUND);
      8'd13: setting = 32'(weft_pkg::CFG_DMA_SLOTS);
      8'd14: setting = 32'(weft_pkg::CFG_STORE_SLOTS);
      8'd15: setting = 32'(weft_pkg::CFG_FETCH_SLOTS);
      8'd16: setting = 32'(weft_pkg::CFG_QUEUE_DEPTH);
      8'd17: setting = 32'(weft_pkg::CFG_OUTPUT_LANES);
      8'd18: setting = 32'(weft_pkg::CFG_DW_LANES);
      8'd19: setting = 32'(weft_pkg::CFG_DW_TAPS);
      8'd20: setting = 32'(weft_pkg::CFG_VEC_LANES);
      8'd21: setting = 32'(weft_pkg::CFG_VEC_SOFTMAX);
      8'd22: setting = 32'(weft_pkg::CFG_VEC_LAYERNORM);
      8'd23: setting = 32'(weft_pkg::CFG_SPARSITY);
      default: setting = 32'(weft_pkg::CFG_CLOCK_MHZ);
    endcase
  end

  always_comb begin
    value = '0;
    part  = '0;
    if (from >= 10'(CONFIG_AT) & from < 10'(CONFIG_AT + KEYS)) begin
      value = setting;
    end else if (from[9:2] >= 8'(BASE_AT) & from[9:2] < 8'(BASE_AT + REGIONS)) begin
      part  = from[1] ? region_size[64*region[RW-1:0]+:64] : region_base[64*region[RW-1:0]+:64];
      value = from[0] ? part[63:32] : part[31:0];
    end else if (from >= 10'(COUNTER_AT) & from < 10'(COUNTER_AT + COUNTERS)) begin
      value = counters[32*counter+:32];
    end else begin
      case ({from, 2'b00})
        weft_pkg::REG_ID: value = weft_pkg::RESET_ID;
        weft_pkg::REG_VERSION: value = weft_pkg::RESET_VERSION;
        weft_pkg::REG_CONFIG_HASH_LO: value = weft_pkg::CFG_HASH[31:0];
        weft_pkg::REG_CONFIG_HASH_HI: value = weft_pkg::CFG_HASH[63:32];
        weft_pkg::REG_CONTROL: value = {30'd0, irq_enable, resetting};
        weft_pkg::REG_STATUS: value = {28'd0, status};
        weft_pkg::REG_PROGRAM_OFFSET: value = program_offset;
        weft_pkg::REG_PROGRAM_COUNT: value = program_count;
        weft_pkg::REG_WATCHDOG: value = watchdog;
        weft_pkg::REG_ERROR_CAUSE: value = {28'd0, error_cause};
        weft_pkg::REG_ERROR_INSN: value = error_insn;
        weft_pkg::REG_ERROR_ADDR_LO: value = error_addr[31:0];
        weft_pkg::REG_ERROR_ADDR_HI: value = error_addr[63:32];
        weft_pkg::REG_CYCLES_LO: value = cycles[31:0];
        weft_pkg::REG_CYCLES_HI: value = cycles[63:32];
        weft_pkg::REG_READ_BYTES_LO: value = rd_bytes[31:0];
        weft_pkg::REG_READ_BYTES_HI: value = rd_bytes[63:32];
        weft_pkg::REG_WRITE_BYTES_LO: value = wr_bytes[31:0];
        weft_pkg::REG_WRITE_BYTES_HI: value = wr_bytes[63:32];
        default: ;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      have_read <= 1'b0;
      s_rvalid  <= 1'b0;
    end else begin
      have_read <= s_arvalid & s_arready;
      if (have_read) s_rvalid <= 1'b1;
      else if (s_rready) s_rvalid <= 1'b0;
    end
    if (s_arvalid & s_arready) from <= s_araddr[11:2];
    if (have_read) s_rdata <= value;
  end

  logic unused;
  assign unused = &{s_awaddr[1:0], s_araddr[1:0], region[7:RW]};
endmodule
