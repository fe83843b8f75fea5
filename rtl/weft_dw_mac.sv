// Windows, taps and multipliers of the depthwise engine: L channels x T taps a cycle.
//
//     t        what is read and multiplied (weft_dw_seq, inputs a_*)
//     t + 1    which column and tap each bank takes
//     t + 2    the column from the scratchpad (rd_data) to its bank; banks and taps are read
//     t + 3    column or pad value times tap
//     t + 4    sum over the taps, and with what the part has
//     t + 5    sum (T_SPAD_READ + T_DW_MAC = 5)
//
// There are T banks of columns (rows x places, W bytes wide), and each has a copy of both sets of
// taps: the group's T neighbouring columns lie one in each bank, and it is the bank that looks up
// the tap for its column, so nothing has to be rotated. A column that arrives in the very cycle in
// which it is wanted goes around the bank.
//
// A word of W channels has PARTS parts of L; their sums stand in a ring: newest last. No reset:
// nothing here is control.
module weft_dw_mac #(
    parameter int T = weft_pkg::CFG_DW_TAPS,
    parameter int PARTS = 1,
    parameter int L = weft_pkg::W / PARTS,
    parameter int BANK = 1,
    parameter int PLACE = 3,
    parameter int PART = 1
) (
    input  logic                      clk,
    // cycle t
    input  logic                      a_write,
    input  logic [          BANK-1:0] a_write_bank,
    input  logic [         PLACE-1:0] a_write_place,
    input  logic                      a_mult,
    input  logic [          PART-1:0] a_part,
    input  logic                      a_clear,
    input  logic                      a_turn,
    input  logic [               2:0] a_ky,
    input  logic [               3:0] a_kx,
    input  logic [               3:0] a_kw,
    input  logic [          BANK-1:0] a_phase,
    input  logic [         PLACE-1:0] a_place,
    input  logic                      a_row_pad,
    input  logic [               3:0] a_left,
    input  logic [               3:0] a_right,
    input  logic                      a_set,
    // cycle t + 2
    input  logic [weft_pkg::WORD-1:0] rd_data,
    // cycle t + 3
    input  logic [               7:0] pad_value,
    // cycle t + 5: of the newest part
    output logic [          32*L-1:0] sum,
    // taps (weft_dw_load), {set, ky, kx}
    input  logic                      tap_en,
    input  logic [               6:0] tap_addr,
    input  logic [weft_pkg::WORD-1:0] tap_data
);
  localparam int W = weft_pkg::W;
  localparam int K = weft_pkg::DW_MAX_KERNEL;
  localparam int ACC = 16 + $clog2(K * K);  // bits of a sum

  // --- stages' common registers
  logic b_write, c_write, b_mult, c_mult, d_mult, e_mult;
  logic b_set, c_set, b_clear, c_clear, d_clear, e_clear, b_turn, c_turn, d_turn, e_turn;
  logic [2:0] b_ky, c_ky;
  logic [BANK-1:0] b_write_bank, c_write_bank;
  logic [PLACE-1:0] b_write_place, c_write_place;
  logic [PART-1:0] b_part, c_part, d_part;
  logic [8*W-1:0] arrived;  // in t + 3
  always_ff @(posedge clk) begin
    b_write <= a_write;
    c_write <= b_write;
    b_mult <= a_mult;
    c_mult <= b_mult;
    d_mult <= c_mult;
    e_mult <= d_mult;
    if (a_write || a_mult) b_ky <= a_ky;
    if (b_write || b_mult) c_ky <= b_ky;
    if (a_write) {b_write_bank, b_write_place} <= {a_write_bank, a_write_place};
    if (b_write) {c_write_bank, c_write_place} <= {b_write_bank, b_write_place};
    if (c_write) arrived <= rd_data;
    if (a_mult) {b_set, b_clear, b_turn, b_part} <= {a_set, a_clear, a_turn, a_part};
    if (b_mult) {c_set, c_clear, c_turn, c_part} <= {b_set, b_clear, b_turn, b_part};
    if (c_mult) {d_clear, d_turn, d_part} <= {c_clear, c_turn, c_part};
    if (d_mult) {e_clear, e_turn} <= {d_clear, d_turn};
  end

  // --- banks: T operands of L channels in t + 3
  logic [8*L*T-1:0] column, tap;
  logic [T-1:0] nothing;  // no tap for the bank's column
  for (genvar b = 0; b < T; b++) begin : g_bank
    localparam logic [BANK-1:0] B = BANK'(b);
    logic [4:0] distance;
    logic [3:0] kx, b_kx;
    logic b_pad, c_pad, d_pad, b_nothing, c_nothing, d_nothing, around, d_around;
    logic [PLACE-1:0] b_place, c_place;
    logic [2:0] c_kx;
    logic [8*W-1:0] column_word, tap_word, column_new;
    logic [8*L-1:0] column_part;
    // The group's first column lies in bank a_phase, its place is a_place; those that come before
    // it in number of bank lie one place further on.
    assign distance = 5'(b) - 5'(a_phase);
    assign kx = a_kx + distance[3:0] + (distance[4] ? 4'(T) : 4'd0);
    always_ff @(posedge clk) begin
      if (a_mult) begin
        b_kx      <= kx;
        b_place   <= distance[4] ? a_place + PLACE'(1) : a_place;
        b_pad     <= a_row_pad || kx < a_left || kx >= a_right;
        b_nothing <= kx >= a_kw;
      end
      if (b_mult) begin
        c_kx      <= b_kx[2:0];
        c_place   <= b_place;
        c_pad     <= b_pad;
        c_nothing <= b_nothing;
      end
      if (c_mult) begin
        d_pad     <= c_pad;
        d_nothing <= c_nothing;
        d_around  <= around;
      end
    end
    assign around = c_write && c_write_bank == B && c_write_place == c_place;
    assign nothing[b] = d_nothing;

    weft_ram #(
        .DEPTH(8 << PLACE),
        .BYTES(W)
    ) u_columns (
        .clk,
        .we   ({W{c_write && c_write_bank == B}}),
        .waddr({c_ky, c_write_place}),
        .wdata(rd_data),
        .re   (c_mult),
        .raddr({c_ky, c_place}),
        .rdata(column_word)
    );
    weft_ram #(
        .DEPTH(128),
        .BYTES(W)
    ) u_taps (
        .clk,
        .we   ({W{tap_en}}),
        .waddr(tap_addr),
        .wdata(tap_data),
        .re   (c_mult),
        .raddr({c_set, c_ky, c_kx}),
        .rdata(tap_word)
    );
    assign column_new = d_around ? arrived : column_word;
    if (PARTS == 1) begin : g_whole
      assign column_part = column_new;
      assign tap[8*L*b+:8*L] = tap_word;
    end else begin : g_part
      assign column_part = column_new[8*L*d_part+:8*L];
      assign tap[8*L*b+:8*L] = tap_word[8*L*d_part+:8*L];
    end
    assign column[8*L*b+:8*L] = d_pad ? {L{pad_value}} : column_part;
    logic unused;
    assign unused = b_kx[3];
  end

  // --- multipliers and sums
  for (genvar i = 0; i < L; i++) begin : g_lane
    logic [16*T-1:0] products;  // in t + 4
    logic [ACC*PARTS-1:0] sums;  // newest last
    logic [ACC-1:0] total;
    for (genvar b = 0; b < T; b++) begin : g_tap
      logic [15:0] x_y, product;
      weft_mul_logic u_mul (
          .a      (column[8*(L*b+i)+:8]),
          .b      (tap[8*(L*b+i)+:8]),
          .product(x_y)
      );
      always_ff @(posedge clk) if (d_mult) product <= nothing[b] ? '0 : x_y;
      assign products[16*b+:16] = product;
    end
    always_comb begin
      total = e_clear ? '0 : e_turn ? sums[ACC*(PARTS-1)+:ACC] : sums[ACC-1:0];
      for (int b = 0; b < T; b++)
        total = total + {{(ACC - 16) {products[16*b+15]}}, products[16*b+:16]};
    end
    if (PARTS == 1) begin : g_one
      always_ff @(posedge clk) if (e_mult) sums <= total;
    end else begin : g_ring
      always_ff @(posedge clk) begin
        if (e_mult) begin
          sums[ACC-1:0] <= total;
          if (e_turn) sums[ACC*PARTS-1:ACC] <= sums[ACC*(PARTS-1)-1:0];
        end
      end
    end
    assign sum[32*i+:32] = {{(32 - ACC) {sums[ACC-1]}}, sums[ACC-1:0]};
  end

  logic unused;
  assign unused = &{1'b0, d_part};
endmodule
