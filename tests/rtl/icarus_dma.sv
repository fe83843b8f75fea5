// LOAD and STORE under four-valued logic: everything is X before the reset, and inputs are X
// whenever their valid is low; still no X may reach a handshake, an address or an enabled byte. A
// memory that answers each read with its address's bytes, and takes what is written.
module icarus_dma;
  localparam int BYTES = weft_pkg::CFG_DRAM_BYTES;
  localparam int INSNS = 40;
  localparam int QUEUE = 4096;
  `include "weft_types.vh"

  logic clk = 1'b0, rst = 1'bx;
  always #5 clk = ~clk;
  logic [8*64-1:0] region_base, region_size;

  // --- LOAD -------------------------------------------------------------------------------------
  logic l_valid = 1'bx, l_ready, l_done, l_active, l_moved, l_fault, l_quiet;
  logic [weft_pkg::INSN-1:0] l_insn;
  logic ar_valid, ar_ready = 1'bx, r_valid = 1'bx, r_last;
  logic [63:0] ar_addr;
  logic [7:0] ar_len;
  logic [weft_pkg::BUS-1:0] r_data;
  logic ld_en;
  logic [2:0] ld_mem;
  logic [weft_pkg::ADDR-1:0] ld_addr;
  logic [weft_pkg::LDW-1:0] ld_be;
  logic [8*weft_pkg::LDW-1:0] ld_data;
  logic [3:0] l_cause;
  logic [31:0] l_index;
  logic [63:0] l_addr;
  weft_load load (
      .clk(clk), .rst(rst), .insn_valid(l_valid), .insn(l_insn), .insn_index(32'd1),
      .insn_ready(l_ready), .done(l_done), .active(l_active), .moved(l_moved), .fault(l_fault),
      .fault_cause(l_cause), .fault_index(l_index), .fault_addr(l_addr),
      .region_base(region_base), .region_size(region_size), .stop(1'b0), .quiet(l_quiet),
      .ar_valid(ar_valid), .ar_ready(ar_ready), .ar_addr(ar_addr), .ar_len(ar_len),
      .r_valid(r_valid), .r_data(r_data), .r_last(r_last), .r_resp(r_valid ? 2'd0 : 2'bx),
      .ld_en(ld_en), .ld_mem(ld_mem), .ld_addr(ld_addr), .ld_be(ld_be), .ld_data(ld_data)
  );

  // --- STORE ------------------------------------------------------------------------------------
  logic s_valid = 1'bx, s_ready, s_done, s_active, s_moved, s_fault, s_quiet;
  logic [weft_pkg::INSN-1:0] s_insn;
  logic rd_en, rd_1, rd_2, aw_valid, aw_ready = 1'bx, w_valid, w_ready = 1'bx, w_last;
  logic b_valid = 1'bx;
  logic [weft_pkg::ADDR-1:0] rd_addr;
  logic [weft_pkg::WORD-1:0] rd_data;
  logic [63:0] aw_addr;
  logic [7:0] aw_len;
  logic [weft_pkg::BUS-1:0] w_data;
  logic [BYTES-1:0] w_strb;
  logic [3:0] s_cause;
  logic [31:0] s_index;
  logic [63:0] s_addr;
  weft_store store (
      .clk(clk), .rst(rst), .insn_valid(s_valid), .insn(s_insn), .insn_index(32'd1),
      .insn_ready(s_ready), .done(s_done), .active(s_active), .moved(s_moved), .fault(s_fault),
      .fault_cause(s_cause), .fault_index(s_index), .fault_addr(s_addr),
      .region_base(region_base), .region_size(region_size), .stop(1'b0), .quiet(s_quiet),
      .rd_en(rd_en), .rd_addr(rd_addr), .rd_data(rd_data),
      .aw_valid(aw_valid), .aw_ready(aw_ready), .aw_addr(aw_addr), .aw_len(aw_len),
      .w_valid(w_valid), .w_ready(w_ready), .w_data(w_data), .w_strb(w_strb), .w_last(w_last),
      .b_valid(b_valid), .b_resp(b_valid ? 2'd0 : 2'bx)
  );

  // --- instructions: rows of odd sizes, all decided by their number ------------------------------
  load_insn_t li;
  store_insn_t si;
  task make(input integer k);
    li = '0;
    li.h_opcode = weft_pkg::OP_LOAD;
    li.region = k[2:0];
    li.offset = 32'(k * 77);
    li.rows = 12'(1 + k % 3);
    li.pixels = 16'(1 + k % 5);
    li.pix_bytes = 24'(1 + k * 7 % 61);
    li.d_pix_stride = 20'(k % 3 == 0 ? k * 5 % (1 + k * 7 % 61) : 1 + k * 7 % 61);
    li.row_bytes = 24'(k % 4 == 0 ? 0 : 100 + k);
    li.d_row_stride = 24'(200 + k);
    li.lead = 16'(k % 7);
    li.byte_off = 8'(k % 6);
    li.fill = k[0];
    li.flip = k[1];
    li.o_ring_rows = 12'd4;
    li.o_pix_stride = 12'd20;
    li.o_row_stride = 16'd120;
    si = '0;
    si.h_opcode = weft_pkg::OP_STORE;
    si.region = k[2:0];
    si.offset = 32'(k * 99);
    si.rows = li.rows;
    si.pixels = li.pixels;
    si.pix_bytes = 16'(1 + k * 11 % 70);
    si.d_pix_stride = 20'(k % 2 == 0 ? 1 + k * 11 % 70 : 90);
    si.d_row_stride = 24'd600;
    si.byte_off = li.byte_off;
    si.flip = k[0];
    si.a_ring_rows = 12'd4;
    si.a_pix_stride = 12'd20;
    si.a_row_stride = 16'd120;
  endtask

  integer bad = 0;
  task known(input logic ok, input [8*16-1:0] what);
    if (ok !== 1'b1) begin
      if (bad < 10) $display("cycle %0d: %0s", cycle, what);
      bad = bad + 1;
    end
  endtask

  // --- the memory, the queues' heads, and what must be known ------------------------------------
  reg [63:0] q_addr[0:QUEUE-1];
  reg [7:0]  q_len [0:QUEUE-1];
  integer cycle = 0, q_in = 0, q_out = 0, beat = 0, answers = 0;
  integer l_next = 0, s_next = 0, l_end = 0, s_end = 0;
  logic   run = 1'b0;
  always @(negedge clk) begin  // inputs change in the middle of a cycle
    cycle = cycle + 1;
    if (run) begin
      l_valid  = l_next < INSNS && $random % 3 != 0;
      s_valid  = s_next < INSNS && $random % 3 != 0;
      ar_ready = $random % 3 != 0;
      aw_ready = $random % 3 != 0;
      w_ready  = $random % 3 != 0;
      make(l_next);
      l_insn = l_valid ? li : 'x;
      make(s_next);
      s_insn = s_valid ? si : 'x;
      r_valid = q_in != q_out && $random % 3 != 0;
      r_last  = r_valid ? beat == q_len[q_out] : 1'bx;
      r_data  = r_valid ? {BYTES{8'(q_addr[q_out] + 64'(beat))}} : 'x;
      b_valid = answers != 0 && $random % 3 == 0;
      rd_data = rd_2 === 1'b1 ? {weft_pkg::W{8'(cycle)}} : 'x;
    end
  end
  always @(posedge clk) begin
    rd_2 <= rd_1;
    rd_1 <= rd_en;
    if (run) begin
      known(^{l_ready, l_done, l_active, l_moved, l_fault, l_quiet, ar_valid, ld_en} !== 1'bx,
            "LOAD control");
      known(^{s_ready, s_done, s_active, s_moved, s_fault, s_quiet, rd_en, aw_valid, w_valid}
            !== 1'bx, "STORE control");
      known(!l_fault && !s_fault, "fault");
      if (ar_valid) known(^{ar_addr, ar_len} !== 1'bx, "AR");
      if (ld_en) begin
        known(^{ld_mem, ld_addr, ld_be} !== 1'bx, "ld_addr");
        for (int b = 0; b < weft_pkg::LDW; b++)
          if (ld_be[b]) known(^ld_data[8*b+:8] !== 1'bx, "ld_data");
      end
      if (rd_en) known(^rd_addr !== 1'bx, "rd_addr");
      if (aw_valid) known(^{aw_addr, aw_len} !== 1'bx, "AW");
      if (w_valid) begin
        known(^{w_last, w_strb} !== 1'bx, "W");
        for (int b = 0; b < BYTES; b++)
          if (w_strb[b]) known(^w_data[8*b+:8] !== 1'bx, "w_data");
      end
      if (l_valid && l_ready) l_next = l_next + 1;
      if (s_valid && s_ready) s_next = s_next + 1;
      if (l_done) l_end = l_end + 1;
      if (s_done) s_end = s_end + 1;
      if (r_valid) begin
        beat = r_last ? 0 : beat + 1;
        if (r_last) q_out = q_out + 1;
      end
      if (ar_valid && ar_ready) begin
        q_addr[q_in] = ar_addr;
        q_len[q_in]  = ar_len;
        q_in = q_in + 1;
      end
      if (b_valid) answers = answers - 1;
      if (w_valid && w_ready && w_last) answers = answers + 1;
    end
  end

  integer r;
  initial begin
    for (r = 0; r < 8; r = r + 1) begin
      region_base[64*r+:64] = 64'(r * 4096 + 13);
      region_size[64*r+:64] = 64'd100000;
    end
    repeat (3) @(posedge clk);
    #1 rst = 1'b1;
    l_valid = 1'b0;
    s_valid = 1'b0;
    r_valid = 1'b0;
    b_valid = 1'b0;
    repeat (2) @(posedge clk);
    #1 rst = 1'b0;
    run = 1'b1;
    while (cycle < 60000 && (l_end < INSNS || s_end < INSNS)) @(posedge clk);
    if (bad == 0 && l_end == INSNS && s_end == INSNS)
      $display("PASS %0d LOADs, %0d STOREs, no X in %0d cycles", l_end, s_end, cycle);
    else $display("%0d of %0d LOADs, %0d STOREs ended; %0d unknown", l_end, INSNS, s_end, bad);
    $finish;
  end
endmodule
