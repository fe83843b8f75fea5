// Takes a GEMM instruction and plans its passes: where in the scratchpad the pixels of a tap and
// channel block begin.
//
// The instruction is taken in the cycle start (`accept` = insn_valid & insn_ready) and seen here
// from start + 1 on. Four cycles of products and remainders follow (`phase`); from start + 5 on the
// outputs describe its first pass. `go` says that the planned pass begins in the next cycle; two
// cycles later the outputs change to the pass behind it (channel blocks innermost, then kx, ky,
// column blocks). A pass lasts at least R >= 4 cycles, so that is early enough. With the last pass
// `insn_ready` rises, in the cycle in which that pass begins.
//
// Addresses are exact modulo 2^30; those of pixels in the image are below 2^29. Ring rows are
// tracked modulo ring_rows, outside of the image too, so that every step is one addition: `step`
// rows further, or `step` rows further and a whole ring back.
module weft_gemm_plan #(
    parameter int A = 30
) (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      insn_valid,
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic [31:0]               insn_index,
    output logic                      insn_ready,
    output logic                      pending,    // taken, and its last pass has not begun
    output logic                      illegal,    // pulse: refused
    input  logic                      stop,       // take no more
    // tile loader
    output logic                      first_tile,
    // the instruction, with what was computed for it
    output logic [weft_pkg::INSN-1:0] insn_q,
    output logic [31:0]               index_q,
    output logic [4:0]                step_ring,  // stride_y mod ring_rows
    output logic [A-1:0]              step_row,   // words from output row to output row, of input
    output logic [A-1:0]              step_wrap,  // the same when the ring wraps
    output logic [16:0]               step_pix,
    // the pass
    input  logic                      go,
    output logic [A-1:0]              addr,       // of output pixel (0, 0)
    output logic [18:0]               iy,         // its input row and pixel, signed
    output logic [18:0]               ix,
    output logic [11:0]               ring,       // its ring row
    output logic [3:0]                lane,       // block of R bytes within the word
    output logic                      pass_first, // of its column block
    output logic                      pass_last,
    output logic                      block_first,
    output logic                      block_last
);
  `include "weft_types.vh"
  localparam int KSPLIT = weft_pkg::W / weft_pkg::R;
  localparam int NSPLIT = weft_pkg::W / weft_pkg::C;

  /* verilator lint_off UNUSEDSIGNAL */
  gemm_insn_t i;  // the fields of the output side are for others
  /* verilator lint_on UNUSEDSIGNAL */
  assign i = insn_q;

  // ---- issue ----
  logic       accept;
  logic [5:1] phase;  // phase[k]: cycle start + k
  assign accept = insn_valid & insn_ready;
  always_ff @(posedge clk) begin
    if (accept) begin
      insn_q  <= insn;
      index_q <= insn_index;
    end
    phase <= {phase[4:1], accept};
    if (go & pass_last & block_last) insn_ready <= 1'b1;
    if (accept | illegal | stop) insn_ready <= 1'b0;
    if (rst) begin
      phase      <= '0;
      insn_ready <= 1'b1;
    end
  end
  assign pending = ~insn_ready;

  logic bad;
  assign bad = i.sparsity != '0 || i.w_src != '0 || i.a_zp != '0 || i.w_zp != '0 ||
      {1'b0, i.a_block} >= 5'(KSPLIT) || {1'b0, i.o_block} >= 5'(NSPLIT) ||
      i.a_ring_start >= i.a_ring_rows ||
      (!i.acc_out && (i.o_ring_start >= i.o_ring_rows ||
                      (i.lut_en && {1'b0, i.lut_slot} >= 5'(weft_pkg::CFG_LUT_SLOTS))));
  assign illegal = phase[1] & bad;
  assign first_tile = phase[1] & ~bad;

  // ---- remainders: what is added to a ring row is below ring_rows ----
  logic [7:0] pad_q, pad_high, pad_low;  // pad_top mod ring_rows, in two cycles
  logic [4:0] stride_mod, dil_mod, dil_ring;
  logic [11:0] ring_rows, pix_stride;
  logic [15:0] row_stride;
  logic [7:0]  pad_top, pad_left;
  logic [4:0]  stride_y, stride_x, dil_y, dil_x;
  assign {ring_rows, pix_stride, row_stride} = {i.a_ring_rows, i.a_pix_stride, i.a_row_stride};
  assign {pad_top, pad_left} = {i.pad_top, i.pad_left};
  assign {stride_y, stride_x, dil_y, dil_x} = {i.stride_y, i.stride_x, i.dil_y, i.dil_x};
  always_comb begin
    pad_high   = pad_top;
    pad_low    = pad_q;
    stride_mod = stride_y;
    dil_mod    = dil_y;
    for (int k = 3; k >= 0; k--) begin
      if (20'(pad_high) >= 20'(ring_rows) << (k + 4))
        pad_high = pad_high - 8'(ring_rows << (k + 4));
      if (20'(pad_low) >= 20'(ring_rows) << k) pad_low = pad_low - 8'(ring_rows << k);
    end
    for (int k = 4; k >= 0; k--) begin
      if (20'(stride_mod) >= 20'(ring_rows) << k)
        stride_mod = stride_mod - 5'(ring_rows << k);
      if (20'(dil_mod) >= 20'(ring_rows) << k) dil_mod = dil_mod - 5'(ring_rows << k);
    end
  end

  // ---- two multipliers, four products each ----
  logic [11:0] rows_a, ring_start;
  logic [27:0] rows_x;  // rows times row_stride
  logic [7:0]  pix_a;
  logic [15:0] pix_b;
  logic [23:0] pix_x;
  logic        phase_1, phase_2, phase_3;
  assign {phase_3, phase_2, phase_1} = phase[3:1];
  assign ring_start = i.a_ring_start;
  always_comb begin
    rows_a = 12'(dil_ring);
    pix_a  = 8'(dil_x);
    pix_b  = 16'(pix_stride);
    if (phase_1) begin
      rows_a = ring_rows;
      pix_a  = pad_left;
    end
    if (phase_2) begin
      rows_a = ring_start;
      pix_a  = 8'(step_ring);
      pix_b  = row_stride;
    end
    if (phase_3) begin
      rows_a = 12'(pad_q);
      pix_a  = 8'(stride_x);
    end
  end
  assign rows_x = 28'(rows_a) * 28'(row_stride);
  assign pix_x  = 24'(pix_a) * 24'(pix_b);

  logic [27:0] span, start_off;  // words of the whole ring; of its rows before row 0
  logic [23:0] pad_rows;
  logic [19:0] pad_pixels;
  logic [20:0] dil_row;
  logic [16:0] dil_pix;
  logic [A-1:0] dil_wrap, start_addr, first_addr;
  logic [11:0] first_ring;
  logic        below;  // the padding begins a ring further back
  always_ff @(posedge clk) begin
    if (phase[1]) begin
      pad_q      <= pad_high;
      step_ring  <= stride_mod;
      dil_ring   <= dil_mod;
      span       <= rows_x;
      pad_pixels <= pix_x[19:0];
    end
    if (phase[2]) begin
      pad_q     <= pad_low;
      start_off <= rows_x;
      step_row  <= A'(pix_x);
    end
    if (phase[3]) begin
      pad_rows   <= rows_x[23:0];
      step_pix   <= pix_x[16:0];
      below      <= ring_start < 12'(pad_q);
      first_ring <= ring_start - 12'(pad_q) +
          (ring_start < 12'(pad_q) ? ring_rows : 12'd0);
      start_addr <= A'(i.a_base) + A'(start_off) - A'(pad_pixels);
    end
    if (phase[4]) begin
      dil_row   <= rows_x[20:0];
      dil_pix   <= pix_x[16:0];
      step_wrap <= step_row - A'(span);
    end
    if (phase[5]) dil_wrap <= A'(dil_row) - A'(span);
  end
  assign first_addr = start_addr - A'(pad_rows) + (below ? A'(span) : '0);

  // ---- passes ----
  logic [11:0] kb;
  logic [7:0]  kx, ky;
  logic [9:0]  nb;
  logic last_kb, last_kx, last_ky;
  assign last_kb     = kb == i.k_blocks - 1'b1;
  assign last_kx     = kx == i.kw - 1'b1;
  assign last_ky     = ky == i.kh - 1'b1;
  assign pass_first  = kb == '0 && kx == '0 && ky == '0;
  assign pass_last   = last_kb && last_kx && last_ky;
  assign block_first = nb == '0;
  assign block_last  = nb == i.n_blocks - 1'b1;

  logic go_1, step;  // not behind the last pass: the next instruction may be there already

  // Where the tap's channel block 0, the tap row, the column block begin.
  logic [A-1:0] tap_addr, row_addr, block_addr, next_row_addr;
  logic [11:0]  block_ring, next_ring;
  logic [12:0]  ring_sum;
  logic         ring_wraps;
  assign ring_sum      = 13'(ring) + 13'(dil_ring);
  assign ring_wraps    = ring_sum >= 13'(ring_rows);
  assign next_ring     = 12'(ring_sum - (ring_wraps ? 13'(ring_rows) : 13'd0));
  assign next_row_addr = row_addr + (ring_wraps ? dil_wrap : A'(dil_row));

  always_ff @(posedge clk) begin
    go_1 <= go & ~(pass_last & block_last);
    step <= go_1;
    if (phase[1]) begin
      kb   <= '0;
      kx   <= '0;
      ky   <= '0;
      nb   <= '0;
      lane <= i.a_block;
      iy   <= 19'd0 - 19'(pad_top);
      ix   <= 19'd0 - 19'(pad_left);
    end
    if (phase[4]) begin
      addr       <= first_addr;
      tap_addr   <= first_addr;
      row_addr   <= first_addr;
      block_addr <= first_addr;
      ring       <= first_ring;
      block_ring <= first_ring;
    end
    if (step) begin
      if (!last_kb) begin
        kb   <= kb + 1'b1;
        lane <= lane == 4'(KSPLIT - 1) ? '0 : lane + 1'b1;
        if (lane == 4'(KSPLIT - 1)) addr <= addr + 1'b1;
      end else begin
        kb   <= '0;
        lane <= i.a_block;
        if (!last_kx) begin
          kx       <= kx + 1'b1;
          ix       <= ix + 19'(dil_x);
          tap_addr <= tap_addr + A'(dil_pix);
          addr     <= tap_addr + A'(dil_pix);
        end else begin
          kx <= '0;
          ix <= 19'd0 - 19'(pad_left);
          if (!last_ky) begin
            ky       <= ky + 1'b1;
            iy       <= iy + 19'(dil_y);
            ring     <= next_ring;
            row_addr <= next_row_addr;
            tap_addr <= next_row_addr;
            addr     <= next_row_addr;
          end else begin
            ky       <= '0;
            nb       <= nb + 1'b1;
            iy       <= 19'd0 - 19'(pad_top);
            ring     <= block_ring;
            row_addr <= block_addr;
            tap_addr <= block_addr;
            addr     <= block_addr;
          end
        end
      end
    end
    if (rst) begin
      go_1 <= 1'b0;
      step <= 1'b0;
    end
  end
endmodule
