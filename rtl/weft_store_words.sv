// STORE's word sequencer: reads the words of one instruction from the scratchpad, in order.
//
// An instruction taken with `start` in cycle s presents its first read address in s + 2 and its
// first word shows (`valid`) T_SPAD_READ later. `take` moves on to the next word, which shows in
// the next cycle: reads run ahead by up to three words, which wait in a queue. A word has `n` bytes
// from byte `from` on, for the region's bytes from `rel` on; `ends`: the next word does not
// continue them in DRAM; `last`: of the instruction. Faults show while their word would be taken:
// `outside` of the scratchpad, `beyond` the region.
module weft_store_words (
    input  logic                      clk,
    input  logic                      rst,
    input  logic                      start,
    input  logic [weft_pkg::INSN-1:0] insn,
    input  logic [8*64-1:0]           region_base,
    input  logic [8*64-1:0]           region_size,
    input  logic                      halt,
    output logic                      planned,  // start + 1: `illegal` is known
    output logic                      illegal,
    output logic [63:0]               base,
    output logic                      rd_en,
    output logic [weft_pkg::ADDR-1:0] rd_addr,
    input  logic [weft_pkg::WORD-1:0] rd_data,
    output logic                      valid,
    output logic [weft_pkg::WORD-1:0] data,
    output logic [39:0]               rel,
    output logic [6:0]                n,
    output logic [6:0]                from,
    output logic                      ends,
    output logic                      last,
    output logic                      outside,
    output logic                      beyond,
    input  logic                      take
);
  localparam int LW = $clog2(weft_pkg::W);
  localparam int WIDE = weft_pkg::WIDE;
  localparam int REL = 40;
  `include "weft_types.vh"
  /* verilator lint_off UNUSEDSIGNAL */
  store_insn_t i;  // the header is the frontend's
  /* verilator lint_on UNUSEDSIGNAL */
  logic        working;  // words are left to read
  logic [63:0] size;
  logic        step;
  assign illegal = i.a_ring_start >= i.a_ring_rows;
  always_ff @(posedge clk) begin
    if (start) i <= insn;
    if (planned) begin
      base <= region_base[64*i.region+:64];
      size <= region_size[64*i.region+:64];
    end
    if (rst) begin
      planned <= 1'b0;
      working <= 1'b0;
    end else begin
      planned <= start;
      if (planned) working <= 1'b1;
      else if (step && insn_ends) working <= 1'b0;
    end
  end

  // --- the word to read -------------------------------------------------------------------------
  logic [15:0]     pixel_left, pixels_left;
  logic [11:0]     rows_left;
  logic [WIDE-1:0] word, pixel_addr, addr;
  logic [REL-1:0]  at, pixel_at, row_at, next_at, after;  // in the region
  logic            pixel_begins, pixel_ends, row_ends, insn_ends;
  logic [6:0]      skip, room, bytes;
  assign skip       = pixel_begins ? 7'(i.byte_off[LW-1:0]) : 7'd0;
  assign room       = 7'(weft_pkg::W) - skip;
  assign pixel_ends = pixel_left <= 16'(room);
  assign bytes      = pixel_ends ? pixel_left[6:0] : room;
  assign row_ends   = pixel_ends && pixels_left == 16'd0;
  assign insn_ends  = row_ends && rows_left == 12'd0;
  assign after      = at + REL'(bytes);
  assign next_at    = row_ends ? row_at + REL'(i.d_row_stride) :
      pixel_ends ? pixel_at + REL'(i.d_pix_stride) : after;
  always_ff @(posedge clk) begin
    if (planned) begin
      pixel_left   <= i.pix_bytes;
      pixels_left  <= i.pixels - 16'd1;
      rows_left    <= i.rows - 12'd1;
      word         <= WIDE'(i.byte_off[7:LW]);
      at           <= REL'(i.offset);
      pixel_at     <= REL'(i.offset);
      row_at       <= REL'(i.offset);
      pixel_begins <= 1'b1;
    end else if (step) begin
      pixel_left   <= pixel_ends ? i.pix_bytes : pixel_left - 16'(bytes);
      word         <= pixel_ends ? WIDE'(i.byte_off[7:LW]) : word + WIDE'(1);
      at           <= next_at;
      pixel_begins <= pixel_ends;
      if (pixel_ends) begin
        pixel_at    <= next_at;
        pixels_left <= row_ends ? i.pixels - 16'd1 : pixels_left - 16'd1;
      end
      if (row_ends) begin
        row_at    <= next_at;
        rows_left <= rows_left - 12'd1;
      end
    end
  end
  weft_walk walk (
      .clk(clk),
      .load(planned),
      .base(i.a_base),
      .row_stride(i.a_row_stride),
      .pix_stride(i.a_pix_stride),
      .ring_rows(i.a_ring_rows),
      .ring_start(i.a_ring_start),
      .next_pixel(step && pixel_ends),
      .next_row(step && row_ends),
      .addr(pixel_addr)
  );

  // --- reads in flight and words that wait ------------------------------------------------------
  localparam int NOTE = REL + 7 + 7 + 4;
  logic [NOTE-1:0]           note[0:3];  // what belongs to a word, from its read on
  logic [weft_pkg::WORD-1:0] kept[0:3];  // its data, unless taken when they come
  logic [1:0]                note_in, data_in, out;
  logic [1:0]                pending;  // words read and not taken
  logic                      in_1, in_2, waits, off_chip;
  assign addr     = pixel_addr + word;
  assign off_chip = addr >= WIDE'(weft_pkg::CFG_SPAD_WORDS);
  assign step     = working && !halt && pending != 2'd3;
  assign rd_en    = step && !off_chip;
  assign rd_addr  = addr[weft_pkg::ADDR-1:0];
  assign waits    = data_in != out;
  assign valid    = waits || in_2;
  assign data     = waits ? kept[out] : rd_data;
  assign {rel, n, from, ends, last, outside, beyond} = note[out];
  always_ff @(posedge clk) begin
    if (step)
      note[note_in] <= {at, bytes, skip, insn_ends || next_at != after, insn_ends, off_chip,
                        64'(after) > size};
    if (in_2 && !(take && !waits)) kept[data_in] <= rd_data;
    if (rst) begin
      note_in <= 2'd0;
      data_in <= 2'd0;
      out     <= 2'd0;
      pending <= 2'd0;
      in_1    <= 1'b0;
      in_2    <= 1'b0;
    end else begin
      in_1    <= step;  // T_SPAD_READ = 2
      in_2    <= in_1;
      pending <= pending + 2'(step) - 2'(take);
      if (step) note_in <= note_in + 2'd1;
      if (in_2) data_in <= data_in + 2'd1;
      if (take) out <= out + 2'd1;
    end
  end
endmodule
