// Sequencer of the depthwise engine: what is read and what is multiplied in which cycle.
//
//     channel word -> output row -> [columns ahead], output pixels -> kernel row = a "slot"
//
// In a slot, stride_x new columns of one row are read, one a cycle, in the first cycles; its
// multiplications (for each part of the word the groups of dw_taps columns, left to right) follow
// one a cycle, each as soon as the last column that it needs is read in the same cycle or earlier.
// A row begins with the columns that its first window has left of its stride_x new ones, as far as
// they lie in the image; in those slots nothing is multiplied. Columns and rows outside the image
// and columns between two windows (stride_x > kw) take their cycle, but nothing is read.
//
// Words: `set_ready` says that the next word's taps and parameters are there from the next cycle
// on. The word begins then, or when the one before ends: `take` is the cycle before its first one,
// `word_begin` its first one, `word_last` with it says that it is its instruction's last.
//
// The stages' cycles are counted from the scratchpad's address: all outputs a_* and rd_* belong to
// cycle t, one after the cycle in which the sequencer (and `word_begin`) stood there.
//
// Windows lie in memories (weft_dw_mac) of dw_taps banks: the k-th column that a row reads for
// windows lies in bank k mod dw_taps at place k / dw_taps, so that any dw_taps neighbours can be
// read at once; a_phase and a_place say where the group's first column is.
module weft_dw_seq #(
    parameter int T = weft_pkg::CFG_DW_TAPS,
    parameter int PARTS = 1,
    parameter int BANK = 1,  // bits of a bank number
    parameter int PLACE = 3,  // bits of a place in a bank's row
    parameter int PART = 1  // bits of a part number
) (
    input  logic                      clk,
    input  logic                      rst,
    // the instruction that loads, stable from `prepare` until its last word is taken
    input  logic                      prepare,
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic                      first,         // the next word is its first
    input  logic                      set_ready,
    output logic                      take,
    output logic                      word_begin,
    output logic                      word_last,
    output logic                      running,
    output logic [              11:0] channel_word,  // that streams
    // cycle t: scratchpad
    output logic                      rd_en,
    output logic [weft_pkg::ADDR-1:0] rd_addr,
    output logic                      rd_outside,    // of the scratchpad: not read, a fault
    // cycle t: the column that is read goes to the window (two cycles later)
    output logic                      a_write,
    output logic [          BANK-1:0] a_write_bank,
    output logic [         PLACE-1:0] a_write_place,
    // cycle t: the multiplication
    output logic                      a_begin,       // first cycle of a word
    output logic                      a_mult,
    output logic [          PART-1:0] a_part,
    output logic                      a_clear,       // its part's first group of the window
    output logic                      a_turn,        // its part's first group of the slot
    output logic [               2:0] a_ky,
    output logic [               3:0] a_kx,          // of the group's first column
    output logic [               3:0] a_kw,
    output logic [          BANK-1:0] a_phase,
    output logic [         PLACE-1:0] a_place,
    output logic                      a_row_pad,     // the row is outside the image
    output logic [               3:0] a_left,        // columns of the window left of the image
    output logic [               3:0] a_right,       // first one right of it
    output logic                      a_out,         // completes a part of an output pixel
    output logic                      a_pixel,       // ... the pixel's last
    output logic                      a_row,         // ... of the row's last pixel
    output logic                      a_insn         // ... of the instruction's last word
);
  localparam int A = weft_pkg::WIDE;
  localparam int SPAD = $clog2(weft_pkg::CFG_SPAD_WORDS);
  localparam logic [3:0] TAPS = 4'(T);
`include "weft_types.vh"
  dw_insn_t in;
  assign in = insn;

  // --- constants of the instruction that loads, in the cycle after `prepare`
  logic i_ahead;  // its rows begin with columns ahead
  logic signed [4:0] i_k;  // window column of a pixel's first new one; negative: between windows
  logic signed [15:0] i_x;  // image column where a row begins to read
  logic [3:0] i_group;  // last window column of the first group
  logic [BANK-1:0] i_bank;  // where the row's first column goes
  logic [PLACE-1:0] i_place;
  logic [2:0] i_step;  // new columns that are kept
  logic ahead_new;
  logic signed [4:0] k_new;
  logic [3:0] column_new;
  assign ahead_new = {5'd0, in.kw} > {5'd0, in.pad_left} + 13'(in.stride_x);
  assign k_new = 5'(in.kw[3:0]) - in.stride_x;
  assign column_new = ahead_new ? in.pad_left[3:0] : k_new[4] ? 4'd0 : k_new[3:0];
  always_ff @(posedge clk) begin
    if (prepare) begin
      i_ahead <= ahead_new;
      i_k     <= k_new;
      i_x     <= ahead_new ? 16'd0 : {{11{k_new[4]}}, k_new} - {8'd0, in.pad_left};
      i_group <= in.kw[3:0] < TAPS ? in.kw[3:0] - 4'd1 : TAPS - 4'd1;
      i_bank  <= BANK'(column_new % TAPS);
      i_place <= PLACE'(column_new / TAPS);
      i_step  <= k_new[4] ? in.kw[2:0] : in.stride_x[2:0];
    end
  end

  // --- the instruction that streams: taken over with each of its words
  logic r_ahead;
  logic signed [4:0] r_k;
  logic signed [15:0] r_x, r_x0;
  logic [3:0] r_group;
  logic [BANK-1:0] r_bank;
  logic [PLACE-1:0] r_place;
  logic [2:0] r_step, r_kh, r_stride;
  logic [3:0] r_kw;
  logic [4:0] r_pad;
  logic [11:0] r_in_w, r_out_w, r_out_h, r_pix_stride;
  always_ff @(posedge clk) begin
    if (take) begin
      r_ahead      <= i_ahead;
      r_k          <= i_k;
      r_x          <= i_x;
      r_x0         <= 16'd0 - {8'd0, in.pad_left};
      r_group      <= i_group;
      r_bank       <= i_bank;
      r_place      <= i_place;
      r_step       <= i_step;
      r_kh         <= in.kh[2:0];
      r_kw         <= in.kw[3:0];
      r_stride     <= in.stride_x[2:0];
      r_pad        <= {2'b00, in.pad_left[2:0]};  // of use only below kw
      r_in_w       <= in.in_w;
      r_out_w      <= in.out_w;
      r_out_h      <= in.out_h;
      r_pix_stride <= in.a_pix_stride;
    end
  end

  // --- where the sequencer stands
  logic run, ahead, reading, fresh;
  logic [11:0] cw, oy, ox;
  logic [2:0] ky;
  logic [PART-1:0] part;
  logic [3:0] kx, group;  // the group's first and last column in the window
  logic [PLACE-1:0] group_place;
  logic signed [4:0] k;  // window column that is read
  // Columns and their places: now, and where the slot began (each kernel row begins there again)
  logic signed [15:0] x, x_base, x0;  // image column; x0: of the window's first
  logic [A-1:0] word, word_base;  // offset in its row; waits at column 0 for x to come
  logic [BANK-1:0] bank, bank_base, phase;
  logic [PLACE-1:0] place, place_base, phase_place;

  logic last_col, mult, last_group, last_part, slot_end, pixel_end, row_end, word_end;
  assign last_col   = k == (ahead ? r_k : $signed({1'b0, r_kw})) - 5'sd1;
  assign mult       = run && !ahead && (!reading || k >= $signed({1'b0, group}));
  assign last_group = group == r_kw - 4'd1;
  assign last_part  = part == PART'(PARTS - 1);
  assign slot_end   = run && (ahead ? last_col : mult && last_group && last_part);
  assign pixel_end  = slot_end && ky == r_kh - 3'd1;
  assign row_end    = pixel_end && !ahead && ox == r_out_w - 12'd1;
  assign word_end   = row_end && oy == r_out_h - 12'd1;
  assign take       = set_ready && (!run || word_end);
  assign word_begin = run && fresh;
  assign running    = run;
  assign channel_word = cw;

  // After a column has been read
  logic kept;
  logic signed [15:0] x_next;
  logic [A-1:0] word_next;
  logic [BANK-1:0] bank_next;
  logic [PLACE-1:0] place_next;
  assign kept = reading && !k[4];
  assign x_next = reading ? x + 16'sd1 : x;
  assign word_next = reading && !x[15] ? word + A'(r_pix_stride) : word;
  assign bank_next = !kept ? bank : bank == BANK'(T - 1) ? '0 : bank + BANK'(1);
  assign place_next = kept && bank == BANK'(T - 1) ? place + PLACE'(1) : place;

  // The next window's first column
  logic [3:0] phase_sum;
  logic [BANK-1:0] phase_next;
  logic [PLACE-1:0] phase_place_next;
  assign phase_sum = 4'(phase) + 4'(r_step);
  assign phase_next = BANK'(phase_sum % TAPS);
  assign phase_place_next = phase_place + PLACE'(phase_sum / TAPS);

  // A row begins, of a new word or of this one
  logic row_ahead;
  logic signed [15:0] row_x;
  logic [A-1:0] row_word;
  logic [BANK-1:0] row_bank;
  logic [PLACE-1:0] row_place;
  logic [11:0] cw_next;
  assign cw_next = !take ? cw : first ? 12'd0 : cw + 12'd1;
  assign row_ahead = take ? i_ahead : r_ahead;
  assign row_x = take ? i_x : r_x;
  assign row_word = A'(cw_next);
  assign row_bank = take ? i_bank : r_bank;
  assign row_place = take ? i_place : r_place;

  always_ff @(posedge clk) begin
    if (run) begin
      fresh   <= 1'b0;
      reading <= reading && !last_col;
      if (reading) k <= k + 5'sd1;
      x     <= x_next;
      word  <= word_next;
      bank  <= bank_next;
      place <= place_next;
      if (mult) begin
        kx          <= kx + TAPS;
        group       <= group + TAPS >= r_kw ? r_kw - 4'd1 : group + TAPS;
        group_place <= group_place + PLACE'(1);
        if (last_group) begin
          part        <= part + PART'(1);
          kx          <= '0;
          group       <= r_group;
          group_place <= phase_place;
        end
      end
      if (slot_end) begin
        ky      <= ky + 3'd1;
        k       <= ahead ? r_pad : r_k;
        reading <= 1'b1;
        part    <= '0;
        x       <= x_base;
        word    <= word_base;
        bank    <= bank_base;
        place   <= place_base;
      end
      if (pixel_end) begin
        ky         <= '0;
        k          <= r_k;
        x          <= x_next;
        word       <= word_next;
        bank       <= bank_next;
        place      <= place_next;
        x_base     <= x_next;
        word_base  <= word_next;
        bank_base  <= bank_next;
        place_base <= place_next;
        ahead      <= 1'b0;
        if (!ahead) begin
          ox          <= ox + 12'd1;
          x0          <= x0 + $signed({13'd0, r_stride});
          phase       <= phase_next;
          phase_place <= phase_place_next;
          group_place <= phase_place_next;
        end
      end
      if (row_end) oy <= oy + 12'd1;
      if (word_end) run <= 1'b0;
    end
    if (take || row_end) begin
      ahead       <= row_ahead;
      k           <= !row_ahead ? (take ? i_k : r_k) : take ? {2'b00, in.pad_left[2:0]} : r_pad;
      ox          <= '0;
      x           <= row_x;
      x_base      <= row_x;
      x0          <= take ? 16'd0 - {8'd0, in.pad_left} : r_x0;
      word        <= row_word;
      word_base   <= row_word;
      bank        <= row_bank;
      bank_base   <= row_bank;
      place       <= row_place;
      place_base  <= row_place;
      phase       <= '0;
      phase_place <= '0;
      group_place <= '0;
    end
    if (take) begin
      run       <= 1'b1;
      fresh     <= 1'b1;
      cw        <= cw_next;
      word_last <= cw_next == in.c_words - 12'd1;
      oy        <= '0;
      ky        <= '0;
      reading   <= 1'b1;
      part      <= '0;
      kx        <= '0;
      group     <= i_group;
    end
    if (rst) run <= 1'b0;
  end

  // --- rows
  logic [A-1:0] row_addr;
  logic row_inside;
  weft_dw_rows u_rows (
      .clk,
      .prepare,
      .base        (in.a_base),
      .row_stride  (in.a_row_stride),
      .ring_rows   (in.a_ring_rows),
      .ring_start  (in.a_ring_start),
      .in_h        (in.in_h),
      .pad_top     (in.pad_top),
      .stride_y    (in.stride_y[2:0]),
      .word        (take),
      .next_row    (slot_end),
      .next_pixel  (pixel_end),
      .next_out_row(row_end),
      .addr        (row_addr),
      .inside_image(row_inside)
  );

  // --- cycle t
  logic column_inside, read, fits;
  logic [A-1:0] addr;
  logic signed [15:0] right;  // image columns from the window's first on
  logic [3:0] left_next, right_next;
  assign column_inside = !x[15] && x < $signed({4'd0, r_in_w});
  assign read = run && kept && column_inside && row_inside;
  assign addr = row_addr + word;
  assign fits = addr[A-1:SPAD] == '0;
  assign left_next = !x0[15] ? 4'd0 : x0 < -16'sd8 ? 4'd8 : 4'd0 - x0[3:0];
  assign right = $signed({4'd0, r_in_w}) - x0;
  assign right_next = right[15] ? 4'd0 : right > 16'sd8 ? 4'd8 : right[3:0];

  always_ff @(posedge clk) begin
    rd_en      <= read && fits;
    rd_outside <= read && !fits;
    a_write    <= read;
    a_begin    <= word_begin;
    a_mult     <= mult;
    a_out      <= mult && last_group && ky == r_kh - 3'd1;
    a_pixel    <= pixel_end && !ahead;
    a_row      <= row_end;
    a_insn     <= word_end && word_last;
    if (read) begin
      rd_addr       <= addr[weft_pkg::ADDR-1:0];
      a_write_bank  <= bank;
      a_write_place <= place;
    end
    if (run) a_ky <= ky;
    if (mult) begin
      a_part    <= part;
      a_clear   <= ky == '0 && kx == '0;
      a_turn    <= kx == '0;
      a_kx      <= kx;
      a_kw      <= r_kw;
      a_phase   <= phase;
      a_place   <= group_place;
      a_row_pad <= !row_inside;
      a_left    <= left_next;
      a_right   <= right_next;
    end
    if (rst)
        {rd_en, rd_outside, a_write, a_begin, a_mult, a_out, a_pixel, a_row, a_insn} <= '0;
  end

  // Other fields belong to other modules; the engine has checked the upper bits of these.
  logic unused;
  assign unused = &{1'b0, insn, in};
endmodule
