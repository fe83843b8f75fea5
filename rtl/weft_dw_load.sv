// Depthwise buffer, and the loader that brings a channel word's taps and parameters from it into
// the set that is not in use.
//
// A channel word has 12 words of parameters, then kh * kw words of taps. The loader takes one word
// a cycle, kh * kw + 12 cycles from the one after `start`. `ready` rises in the last but one of
// them, so that the word's stream can begin in the cycle after the last, and stays until `take`.
//
// The taps come first, and the memory is read two cycles behind the count: so the first parameter
// arrives (`param_en`, 4 cycles after its count at the user's register) only when the last sum of
// the word before has met its parameters, and the last one in time for the word's first sum.
//
// `first` goes with the `start` of an instruction's first word: p_base is its place; other words
// follow where the one before ended. Outside of the buffer nothing is read: `fault`.
module weft_dw_load (
    input  logic                        clk,
    input  logic                        rst,
    input  logic                        start,
    input  logic                        first,
    input  logic [                15:0] p_base,
    input  logic [                 2:0] kh,
    input  logic [                 2:0] kw,
    input  logic                        take,
    output logic                        ready,
    output logic                        fault,
    // what has been read: a tap for {set, ky, kx}, or the next word of the parameters
    output logic                        tap_en,
    output logic [                 6:0] tap_addr,
    output logic                        param_en,
    output logic [  weft_pkg::WORD-1:0] data,
    // LOAD's write bus (docs/rtl.md)
    input  logic                        ld_en,
    input  logic [                 2:0] ld_mem,
    input  logic [  weft_pkg::ADDR-1:0] ld_addr,
    input  logic [   weft_pkg::LDW-1:0] ld_be,
    input  logic [ 8*weft_pkg::LDW-1:0] ld_data
);
  localparam int W = weft_pkg::W;
  localparam int DEPTH = weft_pkg::CFG_DWBUF_WORDS;
  localparam int A = $clog2(DEPTH);
  localparam int P = weft_pkg::WIDE;  // of an address before its check
  localparam logic [3:0] LAST = 4'(weft_pkg::PARAM_BYTES - 1);

  typedef enum logic [1:0] {
    IDLE,
    TAPS,
    PARAMS
  } state_t;
  state_t state;
  logic pending;  // a set is loading or loaded, and not taken
  logic set;
  logic [2:0] ky, kx;
  logic [3:0] n;
  logic [P-1:0] word, block, block_next;  // to be read; this word's first; the next one's first
  logic last_tap;
  assign last_tap = kx == kw - 3'd1 && ky == kh - 3'd1;
  assign ready = pending && (state == IDLE || (state == PARAMS && n >= LAST - 4'd1));

  logic [P-1:0] origin;
  assign origin = first ? P'(p_base) : block_next;
  always_ff @(posedge clk) begin
    if (take) pending <= 1'b0;
    case (state)
      TAPS: begin
        kx <= kx + 3'd1;
        if (kx == kw - 3'd1) begin
          kx <= '0;
          ky <= ky + 3'd1;
        end
        word <= word + P'(1);
        if (last_tap) begin
          state <= PARAMS;
          word <= block;
          block_next <= word + P'(1);
        end
      end
      PARAMS: begin
        n <= n + 4'd1;
        word <= word + P'(1);
        if (n == LAST) state <= IDLE;
      end
      default: ;
    endcase
    if (start) begin
      state <= TAPS;
      pending <= 1'b1;
      set <= !set;
      kx <= '0;
      ky <= '0;
      n <= '0;
      word <= origin + P'(weft_pkg::PARAM_BYTES);
      block <= origin;
    end
    if (rst) begin
      state <= IDLE;
      pending <= 1'b0;
      set <= 1'b0;
    end
  end

  // two stages to the memory's address, one through the memory
  logic en_1, en_2, en_3, param_1, param_2, param_3, bad_1;
  logic [P-1:0] word_1;
  logic [A-1:0] word_2;
  logic [6:0] tap_1, tap_2, tap_3;
  assign bad_1 = word_1 >= P'(DEPTH);
  always_ff @(posedge clk) begin
    en_1  <= state != IDLE;
    en_2  <= en_1 && !bad_1;
    en_3  <= en_2;
    fault <= en_1 && bad_1;
    if (state != IDLE) begin
      param_1 <= state == PARAMS;
      word_1  <= word;
      tap_1   <= {set, ky, kx};
    end
    if (en_1) begin
      param_2 <= param_1;
      word_2  <= word_1[A-1:0];
      tap_2   <= tap_1;
    end
    if (en_2) begin
      param_3 <= param_2;
      tap_3   <= tap_2;
    end
    if (rst) {en_1, en_2, en_3, fault} <= '0;
  end
  assign tap_en   = en_3 && !param_3;
  assign param_en = en_3 && param_3;
  assign tap_addr = tap_3;

  weft_ram #(
      .DEPTH(DEPTH),
      .BYTES(W)
  ) u_buffer (
      .clk,
      .we   (ld_en && ld_mem == 3'(weft_pkg::MEM_DWBUF) ? ld_be[W-1:0] : '0),
      .waddr(ld_addr[A-1:0]),
      .wdata(ld_data[8*W-1:0]),
      .re   (en_2),
      .raddr(word_2),
      .rdata(data)
  );

  // The bus addresses any memory and has at least 12 bytes.
  logic unused;
  assign unused = &{1'b0, ld_addr, ld_be, ld_data};
endmodule
