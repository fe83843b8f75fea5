// LOAD's data path: makes a memory word of the bytes taken from the slots.
//
// A word that is unpacked in cycle t (`take` with its description, see weft_load_words) has its new
// bytes in `data` in t + 1; the finished word is on the write bus in t + 2 (T_DMA_WRITE), and
// `done` follows the last word of an instruction in t + 3. `kill` in t + 1 holds it back. A
// scratchpad address outside of the memory is not written and reported in t + 1 (`outside`,
// `outside_id`).
//
// Overlapping windows use bytes again that an earlier word took: the last LOAD_WINDOW bytes of the
// stream stay in `history`.
module weft_load_align (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       take,
    input  logic [6:0]                 from,
    input  logic [6:0]                 lo,
    input  logic [6:0]                 hi,
    input  logic [6:0]                 to,
    input  logic [6:0]                 fresh,
    input  logic [6:0]                 back,
    input  logic                       overlap,
    input  logic                       flip,
    input  logic [7:0]                 pad,
    input  logic [2:0]                 mem,
    input  logic [weft_pkg::WIDE-1:0]  addr,
    input  logic                       last,
    input  logic [2:0]                 id,
    input  logic [8*weft_pkg::LDW-1:0] data,
    input  logic                       kill,
    output logic                       outside,
    output logic [2:0]                 outside_id,
    output logic                       ld_en,
    output logic [2:0]                 ld_mem,
    output logic [weft_pkg::ADDR-1:0]  ld_addr,
    output logic [weft_pkg::LDW-1:0]   ld_be,
    output logic [8*weft_pkg::LDW-1:0] ld_data,
    output logic                       done
);
  localparam int LDW = weft_pkg::LDW;
  localparam int KEPT = weft_pkg::LOAD_WINDOW;
  localparam int FEW = $clog2(LDW + 1);  // bits of a number of bytes up to a word
  // --- t + 1 ------------------------------------------------------------------------------------
  logic                      q_valid, q_overlap, q_flip, q_last;
  logic [6:0]                q_from, q_lo, q_hi, q_to, q_fresh, q_back;
  logic [7:0]                q_pad;
  logic [2:0]                q_mem;
  logic [weft_pkg::WIDE-1:0] q_addr;
  always_ff @(posedge clk) begin
    if (rst) q_valid <= 1'b0;
    else q_valid <= take;
    if (take) begin
      q_from     <= from;
      q_lo       <= lo;
      q_hi       <= hi;
      q_to       <= to;
      q_fresh    <= fresh;
      q_back     <= back;
      q_overlap  <= overlap;
      q_flip     <= flip;
      q_pad      <= pad;
      q_mem      <= mem;
      q_addr     <= addr;
      q_last     <= last;
      outside_id <= id;
    end
  end
  assign outside = q_valid && q_mem == 3'(weft_pkg::MEM_SPAD) &&
      q_addr >= weft_pkg::WIDE'(weft_pkg::CFG_SPAD_WORDS);

  logic [8*KEPT-1:0]       history;  // the newest byte highest
  logic [8*(KEPT+LDW)-1:0] stream;
  logic [8*LDW-1:0]        again, valid_bytes, moved_bytes, word;
  logic [LDW-1:0]          is_valid;
  assign stream      = {data, history};
  assign again       = from_byte(stream, 7'(KEPT) - q_back);
  assign valid_bytes = q_overlap ? again : data;
  assign moved_bytes = valid_bytes << {q_lo[FEW-1:0], 3'b000};
  assign is_valid    = below(q_hi) & ~below(q_lo);
  always_comb begin
    for (int b = 0; b < LDW; b++)
      word[8*b+:8] = is_valid[b] ? moved_bytes[8*b+:8] ^ {q_flip, 7'd0} : q_pad;
  end
  always_ff @(posedge clk)
    if (q_valid && q_overlap) history <= (8 * KEPT)'(stream >> {q_fresh[FEW-1:0], 3'b000});

  // --- t + 2, t + 3 -----------------------------------------------------------------------------
  logic ld_last;
  always_ff @(posedge clk) begin
    if (rst) begin
      ld_en   <= 1'b0;
      ld_last <= 1'b0;
      done    <= 1'b0;
    end else begin
      ld_en   <= q_valid && !outside && !kill;
      ld_last <= q_valid && q_last && !outside && !kill;
      done    <= ld_last;
    end
    if (q_valid) begin
      ld_mem  <= q_mem;
      ld_addr <= q_addr[weft_pkg::ADDR-1:0];
      ld_be   <= below(q_to) & ~below(q_from);
      ld_data <= word;
    end
  end

  logic unused;  // at most LDW
  assign unused = &{1'b0, q_fresh, q_lo};

  // A word of the stream from a byte on, 0 to KEPT. Long steps first: so each step has only the
  // bytes that the rest can reach.
  function automatic logic [8*LDW-1:0] from_byte(input logic [8*(KEPT+LDW)-1:0] bytes,
                                                 input logic [6:0] at);
    logic [8*(31+32+LDW)-1:0] by_32;
    logic [8*(31+LDW)-1:0] by_16;
    logic [8*(15+LDW)-1:0] by_8;
    logic [8*(7+LDW)-1:0] by_4;
    logic [8*(3+LDW)-1:0] by_2;
    logic [8*(1+LDW)-1:0] by_1;
    by_32 = bytes[8*(63+LDW)-1:0];
    by_16 = at[5] ? by_32[8*32+:8*(31+LDW)] : by_32[8*(31+LDW)-1:0];
    by_8 = at[4] ? by_16[8*16+:8*(15+LDW)] : by_16[8*(15+LDW)-1:0];
    by_4 = at[3] ? by_8[8*8+:8*(7+LDW)] : by_8[8*(7+LDW)-1:0];
    by_2 = at[2] ? by_4[8*4+:8*(3+LDW)] : by_4[8*(3+LDW)-1:0];
    by_1 = at[1] ? by_2[8*2+:8*(1+LDW)] : by_2[8*(1+LDW)-1:0];
    from_byte = at[6] ? bytes[8*KEPT+:8*LDW] : at[0] ? by_1[8+:8*LDW] : by_1[8*LDW-1:0];
  endfunction
  // Bytes 0 to n - 1 of a word.
  function automatic logic [LDW-1:0] below(input logic [6:0] n);
    below = ~({LDW{1'b1}} << n);
  endfunction
endmodule
