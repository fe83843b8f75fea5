// From sums to codes in the scratchpad: parameters, output stage, output addresses of the GEMM
// unit; and the order in which instructions are done.
//
// A pixel of an output pass comes from the array in cycle t (`take`, with its place in the pass and
// its instruction's fields). Its C channels go through the output stage in groups of output_lanes:
//
//     t + 1 + g    parameters of group g read
//     t + 2 + g    result's lanes and parameters into the output stage; address of the word
//     t + 8 + g    codes and address on the scratchpad's write port
//
// The next pixel comes in t + ceil(C / output_lanes) or later. The word is that of the pixel (rows
// of a ring buffer: weft_walk) and of the column block: C bytes of W.
//
// `done` is the cycle after the last write. An instruction that leaves its sums in the accumulators
// is complete sooner than one with output, so its `done` may have to wait for that of the one
// before it (the pulse comes one cycle after that).
//
// LOAD writes parameters channel by channel (ld_mem = MEM_PARAM), and the tables.
module weft_gemm_out (
    input  logic                       clk,
    input  logic                       rst,
    // t
    input  logic                       take,
    input  logic                       begins,       // first pixel of the pass
    input  logic                       row_end,
    input  logic                       pass_end,
    input  logic                       block_first,
    input  logic                       block_last,
    input  logic [31:0]                index,
    input  logic [11:0]                p_base,
    input  logic [30:0]                mode,         // out_zp, clamp_min, clamp_max, single, table
    input  logic [19:0]                o_base,
    input  logic [15:0]                o_row_stride,
    input  logic [11:0]                o_pix_stride,
    input  logic [11:0]                o_ring_rows,
    input  logic [11:0]                o_ring_start,
    input  logic [3:0]                 o_block,
    // t + 2
    input  logic [32*weft_pkg::C-1:0]  result,
    input  logic                       kept_last,
    output logic                       done,
    output logic                       wr_en,
    output logic [ weft_pkg::ADDR-1:0] wr_addr,
    output logic [    weft_pkg::W-1:0] wr_be,
    output logic [ weft_pkg::WORD-1:0] wr_data,
    output logic                       fault,
    output logic [31:0]                fault_index,
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  localparam int C = weft_pkg::C;
  localparam int W = weft_pkg::W;
  localparam int ADDR = weft_pkg::ADDR;
  localparam int WIDE = weft_pkg::WIDE;
  localparam int T = weft_pkg::T_OUT;
  localparam int LANES = weft_pkg::CFG_OUTPUT_LANES;
  localparam int GROUPS = C / LANES;
  localparam int NSPLIT = W / C;
  localparam int PLACES = W / LANES;  // where a group may lie in a word
  localparam int BLOCKS = weft_pkg::CFG_PARAM_BLOCKS;
  localparam int PDEPTH = BLOCKS * GROUPS;
  localparam int PA = $clog2(PDEPTH);
  localparam int PBYTES = weft_pkg::PARAM_BYTES;

  // ---- t: which column block ----
  logic [30:0] mode_1;
  logic [31:0] index_1;
  logic [19:0] base_1;
  logic [15:0] row_stride_1;
  logic [11:0] pix_stride_1, ring_rows_1, ring_start_1;
  logic [12:0] param_1;    // parameter block
  logic [10:0] channel_1;  // word and block within it, of the pixel's words
  logic [3:0]  place_1;
  logic        take_1, begins_1, row_end_1, pass_end_1, last_1;
  always_ff @(posedge clk) begin
    if (take) begin
      begins_1   <= begins;
      row_end_1  <= row_end;
      pass_end_1 <= pass_end;
      last_1     <= pass_end & block_last;
    end
    if (take & begins) begin
      mode_1       <= mode;
      index_1      <= index;
      base_1       <= o_base;
      row_stride_1 <= o_row_stride;
      pix_stride_1 <= o_pix_stride;
      ring_rows_1  <= o_ring_rows;
      ring_start_1 <= o_ring_start;
      if (block_first) begin
        param_1   <= 13'(p_base);
        channel_1 <= '0;
        place_1   <= o_block;
      end else begin
        param_1 <= param_1 + 1'b1;
        place_1 <= place_1 == 4'(NSPLIT - 1) ? '0 : place_1 + 1'b1;
        if (place_1 == 4'(NSPLIT - 1)) channel_1 <= channel_1 + 1'b1;
      end
    end
    take_1 <= take;
    if (rst) take_1 <= 1'b0;
  end

  // ---- t + 1 + g: parameters ----
  logic       item_1, more_1, param_out;
  logic [6:0] group_1, next_group;
  assign group_1 = take_1 ? '0 : next_group;
  assign item_1  = take_1 | more_1;
  assign param_out = param_1 >= 13'(BLOCKS);
  always_ff @(posedge clk) begin
    if (item_1) next_group <= group_1 + 1'b1;
    more_1 <= item_1 && group_1 != 7'(GROUPS - 1);
    if (rst) more_1 <= 1'b0;
  end

  logic [96*LANES-1:0] param_2;
  logic                ld_param;
  logic                param_re;  // the same word all through the pass, with one group
  logic [PA-1:0]       param_at;
  assign ld_param = ld_en & ld_mem == 3'(weft_pkg::MEM_PARAM);
  assign param_re = item_1 && !param_out && (GROUPS > 1 || begins_1);
  assign param_at = PA'(20'(param_1) * 20'(GROUPS) + 20'(group_1));
  for (genvar l = 0; l < LANES; l++) begin : g_param
    logic here;
    if (LANES == 1) begin : g_one
      assign here = 1'b1;
    end else begin : g_lane
      assign here = ld_addr[$clog2(LANES)-1:0] == l[$clog2(LANES)-1:0];
    end
    weft_ram #(.DEPTH(PDEPTH), .BYTES(PBYTES)) u_param (
        .clk,
        .we   (ld_be[PBYTES-1:0] & {PBYTES{ld_param & here}}),
        .waddr(ld_addr[$clog2(LANES)+:PA]),
        .wdata(ld_data[8*PBYTES-1:0]),
        .re   (param_re),
        .raddr(param_at),
        .rdata(param_2[96*l+:96])
    );
  end

  // ---- t + 2 + g: output stage and address ----
  logic [30:0] mode_2;
  logic [31:0] index_2;
  logic [10:0] channel_2;
  logic [6:0]  group_2;
  logic [3:0]  place_2;
  logic        item_2, move_2, row_end_2, pass_end_2, last_2, far_2;
  logic [WIDE-1:0] walk, word_2;
  always_ff @(posedge clk) begin
    item_2 <= item_1 & ~param_out;
    if (item_1) group_2 <= group_1;
    if (take_1) begin
      row_end_2  <= row_end_1;
      pass_end_2 <= pass_end_1;
      last_2     <= last_1;
    end
    if (take_1 & begins_1) begin
      mode_2    <= mode_1;
      index_2   <= index_1;
      channel_2 <= channel_1;
      place_2   <= place_1;
    end
    if (rst) item_2 <= 1'b0;
  end
  assign move_2 = item_2 && group_2 == 7'(GROUPS - 1);

  weft_walk u_walk (
      .clk,
      .load      (take_1 & begins_1),
      .base      (base_1),
      .row_stride(row_stride_1),
      .pix_stride(pix_stride_1),
      .ring_rows (ring_rows_1),
      .ring_start(ring_start_1),
      .next_pixel(move_2 & ~pass_end_2),
      .next_row  (move_2 & row_end_2 & ~pass_end_2),
      .addr      (walk)
  );
  assign word_2 = walk + WIDE'(channel_2);
  assign far_2  = word_2 >= WIDE'(weft_pkg::CFG_SPAD_WORDS);

  logic [32*LANES-1:0] sum_2;
  if (GROUPS == 1) begin : g_all
    assign sum_2 = result;
  end else begin : g_some
    assign sum_2 = result[32*LANES*group_2[$clog2(GROUPS)-1:0]+:32*LANES];
  end

  logic               out_valid;
  logic [8*LANES-1:0] q;
  weft_output_stage #(.LANES(LANES)) u_stage (
      .clk,
      .rst,
      .in_valid    (item_2),
      .sum         (sum_2),
      .param       (param_2),
      .out_zp      (mode_2[30:22]),
      .clamp_min   (mode_2[21:14]),
      .clamp_max   (mode_2[13:6]),
      .round_single(mode_2[5]),
      .lut_en      (mode_2[4]),
      .lut_slot    (mode_2[3:0]),
      .out_valid,
      .q,
      .ld_en,
      .ld_mem,
      .ld_addr,
      .ld_be,
      .ld_data
  );

  // ---- t + 8 + g: write ----
  // Place in units of LANES bytes; it fits: (W/C - 1) * GROUPS + GROUPS - 1 < PLACES <= 64.
  localparam int LINE = ADDR + 6 + 2;
  logic [LINE-1:0] late;
  logic [5:0]      place_in, place_8;
  logic            last_8, inside_8, out_last, line_busy;
  logic [T-1:0]    busy;
  assign place_in = 6'(7'(place_2) * 7'(GROUPS) + group_2);
  assign line_busy = item_2 | (|busy);
  weft_delay #(.BITS(LINE), .STAGES(T)) u_address (
      .clk,
      .en(line_busy),
      .d ({word_2[ADDR-1:0], place_in, ~far_2, last_2 & move_2}),
      .q (late)
  );
  assign {wr_addr, place_8, inside_8, last_8} = late;
  assign wr_en    = out_valid & inside_8;
  assign out_last = out_valid & last_8;
  assign wr_data  = {PLACES{q}};
  if (PLACES == 1) begin : g_whole
    logic unused;
    assign unused = &{1'b0, place_8};
    assign wr_be = '1;
  end else begin : g_part
    localparam int P = $clog2(PLACES);
    for (genvar p = 0; p < PLACES; p++) begin : g_place
      assign wr_be[LANES*p+:LANES] = {LANES{place_8[P-1:0] == P'(p)}};
    end
    if (P < 6) begin : g_unused
      logic unused;
      assign unused = &{1'b0, place_8[5:P]};
    end
  end

  assign fault       = item_2 & far_2 | item_1 & param_out;
  assign fault_index = item_2 & far_2 ? index_2 : index_1;

  // ---- done, in order ----
  logic [3:0] ahead;    // instructions with output whose last codes are in the output stage
  logic [3:0] wait_for; // how many of them the oldest kept instruction waits for
  logic [1:0] kept;     // kept instructions that wait
  logic       kept_now, kept_wait, kept_done, out_enters;
  assign kept_now  = kept_last && ahead == '0 && kept == '0;
  assign kept_wait = kept_last & ~kept_now;
  assign out_enters = item_2 & move_2 & last_2;
  assign kept_done = kept != '0 && wait_for == '0;
  always_ff @(posedge clk) begin
    busy  <= {busy[T-2:0], item_2};
    done  <= out_last | kept_now | kept_done;
    ahead <= ahead + 4'(out_enters) - 4'(out_last);
    kept  <= kept + 2'(kept_wait) - 2'(kept_done);
    if (out_last && wait_for != '0) wait_for <= wait_for - 1'b1;
    if (kept_last && kept == '0) wait_for <= ahead - 4'(out_last);
    if (rst) begin
      busy     <= '0;
      done     <= 1'b0;
      ahead    <= '0;
      kept     <= '0;
      wait_for <= '0;
    end
  end

  logic unused_ld;
  assign unused_ld = &{1'b0, ld_addr};
endmodule
