// LOAD's address stage: one instruction at a time, from its fields to AR bursts.
//
// An instruction taken with `start` in cycle s is measured in s + 1 (`measured`: the bytes that its
// pixels span in a row) and planned in s + 2 (`planned`); its first burst is presented on AR in
// s + 4, then one a cycle while AR takes them and `slot_room` says that the next slot is free in
// the next cycle. `ready`: a new instruction may start in this cycle, that is after the last
// address was taken, or in s + 2 when there is nothing to fetch.
//
// A run is what lies without a gap in DRAM: a row's valid bytes, all rows where they continue each
// other, or one pixel where pixels have gaps (then the last pixel of a row may continue into the
// first of the next). Runs are cut at multiples of 256 bytes. `present`: burst `burst_addr`, last
// byte at offset `burst_last` of its 256-byte block, goes to the AR register in this cycle; with
// `outside` it does not, because it leaves its region.
module weft_load_addr (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      start,
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic [8*64-1:0]           region_base,
    input  logic [8*64-1:0]           region_size,
    input  logic                      halt,
    input  logic                      slot_room,
    output logic                      ready,
    output logic                      planned,
    output logic                      illegal,
    output logic                      outside,
    output logic                      present,
    output logic [63:0]               burst_addr,
    output logic [7:0]                burst_last,
    output logic                      ar_valid,
    input  logic                      ar_ready,
    output logic [63:0]               ar_addr,
    output logic [7:0]                ar_len
);
  localparam int BB = $clog2(weft_pkg::CFG_DRAM_BYTES);
  localparam int REL = 40;  // byte offsets within a region
  localparam int RUN = 37;  // bytes of a joined run
  `include "weft_types.vh"
  // Operand and padding fields concern the words, not the bursts.
  /* verilator lint_off UNUSEDSIGNAL */
  load_insn_t i;
  /* verilator lint_on UNUSEDSIGNAL */
  typedef enum logic [2:0] {
    IDLE,
    MEASURE,
    PLAN,
    CUT,
    LAST  // the last burst waits on AR
  } state_t;
  state_t state;

  always_ff @(posedge clk) if (start) i <= insn;
  assign planned = state == PLAN;

  // --- measure and plan: one multiplier serves both ---------------------------------------------
  logic [15:0] factor_a;
  logic [23:0] factor_b;
  logic [35:0] product;
  logic [35:0] last_pixel;  // DRAM bytes from pixel 0 to the last pixel
  logic [36:0] span, reach;  // bytes from pixel 0 to the last pixel's end; without the lead
  logic [23:0] row_run, row_run_q;
  logic        gaps, rows_join, nothing;
  assign factor_a   = state == MEASURE ? i.pixels - 16'd1 : {4'd0, i.rows};
  assign factor_b   = state == MEASURE ? {4'd0, i.d_pix_stride} : i.d_row_stride;
  assign product    = 36'(factor_a) * 36'(factor_b);
  assign span       = {1'b0, last_pixel} + 37'(i.pix_bytes);
  assign reach      = span > 37'(i.lead) ? span - 37'(i.lead) : 37'd0;
  assign row_run    = reach > 37'(i.row_bytes) ? i.row_bytes : reach[23:0];
  assign nothing    = row_run == 24'd0;
  assign gaps       = 24'(i.d_pix_stride) > i.pix_bytes && i.pixels != 16'd1;
  // Rows are alike, so one comparison says it for all of them.
  assign rows_join  = gaps ? 37'(i.d_row_stride) == span : i.d_row_stride == row_run;
  assign ready      = state == IDLE || (planned && nothing);

  logic [63:0] base, size;
  always_ff @(posedge clk) begin
    if (state == MEASURE) begin
      last_pixel <= product;
      base       <= region_base[64*i.region+:64];
      size       <= region_size[64*i.region+:64];
    end
  end

  weft_load_check check (.insn(i), .span(span), .illegal(illegal));

  // --- runs, cut at multiples of 256 ------------------------------------------------------------
  logic [REL-1:0] rel, run_rel, row_rel, next_rel;  // next burst, its run, its row
  logic [RUN-1:0] left;  // bytes of the run from rel on
  logic [15:0]    pixels_left;  // in this row after the run
  logic [11:0]    rows_left;  // after this one
  logic           by_pixel, join_q, twin;  // twin: last pixel of a row and first of the next
  logic [8:0]     room, bytes;
  logic           run_ends, row_done, all_ends, take, next_twin;
  logic [15:0]    next_pixels;
  logic [11:0]    next_rows;
  assign burst_addr = base + 64'(rel);
  assign room       = 9'd256 - {1'b0, burst_addr[7:0]};
  assign run_ends   = left <= RUN'(room);
  assign bytes      = run_ends ? left[8:0] : room;
  assign burst_last = burst_addr[7:0] + 8'(bytes - 9'd1);
  assign all_ends   = row_done && rows_left == 12'd0;
  assign take       = state == CUT && !halt && slot_room && (!ar_valid || ar_ready);
  assign outside    = take && 64'(rel) + 64'(bytes) > size;
  assign present    = take && !outside;
  assign row_done    = !twin && pixels_left == 16'd0;
  assign next_rel    = row_done ? row_rel + REL'(i.d_row_stride) :
      run_rel + REL'(i.d_pix_stride) + (twin ? REL'(i.pix_bytes) : '0);
  assign next_pixels = !row_done && !twin ? pixels_left - 16'd1 :
      !by_pixel ? 16'd0 : i.pixels - (twin ? 16'd2 : 16'd1);
  assign next_rows   = row_done || twin ? rows_left - 12'd1 : rows_left;
  // Then the last pixel's run goes on over the first one of the next row.
  assign next_twin   = by_pixel && join_q && next_pixels == 16'd0 && next_rows != 12'd0;

  always_ff @(posedge clk) begin
    if (planned) begin
      rel         <= REL'(i.offset);
      run_rel     <= REL'(i.offset);
      row_rel     <= REL'(i.offset);
      by_pixel    <= gaps;
      row_run_q   <= row_run;
      join_q      <= rows_join;
      twin        <= 1'b0;
      pixels_left <= gaps ? i.pixels - 16'd1 : 16'd0;
      rows_left   <= !gaps && rows_join ? 12'd0 : i.rows - 12'd1;
      // Joined rows lie d_row_stride = row_run apart.
      left        <= gaps ? RUN'(i.pix_bytes) : rows_join ? RUN'(product) : RUN'(row_run);
    end else if (present) begin
      if (!run_ends) begin
        rel  <= rel + REL'(bytes);
        left <= left - RUN'(bytes);
      end else begin
        rel         <= next_rel;
        run_rel     <= next_rel;
        pixels_left <= next_pixels;
        rows_left   <= next_rows;
        twin        <= next_twin;
        if (row_done) row_rel <= next_rel;
        left <= !by_pixel ? RUN'(row_run_q) : next_twin ? RUN'({i.pix_bytes, 1'b0}) :
            RUN'(i.pix_bytes);
      end
    end
  end

  // --- AR ---------------------------------------------------------------------------------------
  always_ff @(posedge clk) begin
    if (present) begin
      ar_addr <= burst_addr;
      ar_len  <= 8'(burst_last >> BB) - 8'(burst_addr[7:0] >> BB);
    end
    if (rst) ar_valid <= 1'b0;
    else if (present) ar_valid <= 1'b1;
    else if (ar_ready) ar_valid <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else
      case (state)
        IDLE:    if (start) state <= MEASURE;
        MEASURE: state <= PLAN;
        PLAN:    state <= !nothing ? CUT : start ? MEASURE : IDLE;
        CUT:     if (present && run_ends && all_ends) state <= LAST;
        LAST:    if (ar_ready) state <= IDLE;
        default: state <= IDLE;
      endcase
  end
endmodule
