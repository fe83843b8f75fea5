// Lanes of the vector unit: from scratchpad words to result bytes. All bundles belong to the slots
// of weft_vec_sequence; a signal's suffix is the number of cycles since its slot.
//
//   2  data arrive (T_SPAD_READ); the beat's lanes, less the zero point
//   3  input scaling begins | product, minimum, maximum of two codes | window sum or maximum |
//      exponent table read
//   4  of these one value per lane; average: number of pixels
//   7  output scaling: sum of the scaled operands | that value
//  11  zero point, clamp, table
//  12  `q`: the scratchpad write (T_VEC_EW, T_VEC_POOL after the data)
//
// With one beat a word the operands of an elementwise operation come in turn and share one input
// scaling; with more they come once a word, a in the first beat's slot, b a cycle later, and each
// has its own. Nothing waits, no back-pressure.
//
// Averages are products with a reciprocal, too: (4 sum +- 1) * round(2^26 / n) / 2^28, rounded once
// with halves up. 4 sum + 1 (average up; sum > 0) or 4 sum - 1 is never a half, and is at least
// 1 / (4 n) >= 2^-10 away from one, where the reciprocal's error moves it by less than 2^-12.
//
// `load` comes in the cycle before the first slot and at least 3 cycles after the one before: the
// instruction's fields follow its data in four sets of registers.
module weft_vec_lanes #(
    parameter int BEAT_BITS = 1
) (
    input  logic                       clk,
    input  logic                       rst,
    // the instruction
    input  logic                       load,
    input  logic                       elementwise,
    input  logic                       binary,      // elementwise: a and b
    input  logic                       scaled_sum,  // ADD, SUB
    input  logic                       subtract,
    input  logic                       multiply,
    input  logic                       smaller,
    input  logic                       larger,
    input  logic                       row_op,
    input  logic                       pool_max,
    input  logic                       average,     // AVG, AVG_UP
    input  logic                       average_up,
    input  logic [                8:0] a_zp,
    input  logic [                8:0] b_zp,
    input  logic [                4:0] left_shift,
    input  logic [               30:0] a_mult,
    input  logic [                5:0] a_shift,
    input  logic [               30:0] b_mult,
    input  logic [                5:0] b_shift,
    input  logic [               31:0] bias,
    input  logic [               30:0] o_mult,
    input  logic [                5:0] o_shift,
    input  logic                       single,
    input  logic [                8:0] out_zp,
    input  logic [                7:0] clamp_min,
    input  logic [                7:0] clamp_max,
    input  logic                       lut_en,
    input  logic [                3:0] lut_slot,
    input  logic [                1:0] exp_slot,
    input  logic [$clog2(weft_pkg::W)-1:0] end_byte,  // row_op: last channel's byte in its word
    // the slot
    input  logic                       slot,
    input  logic                       read_a,
    input  logic                       read_b,
    input  logic [      BEAT_BITS-1:0] beat,
    input  logic                       first,
    input  logic                       final_word,
    input  logic                       sweep_max,
    input  logic                       sweep_sum,
    input  logic                       sweep_last,
    input  logic                       out,
    // 2 cycles after it, and 12
    input  logic [ weft_pkg::WORD-1:0] rd_data,
    output logic [ weft_pkg::WORD-1:0] q,
    output logic [    weft_pkg::W-1:0] q_be,
    output logic                       q_valid,
    // LOAD's write bus (docs/rtl.md)
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  localparam int W = weft_pkg::W;
  localparam int L = weft_pkg::CFG_VEC_LANES;
  localparam int BEATS = W / L;
  localparam int BYTE = $clog2(W);

  // The instruction's fields: _1 for cycles 2 to 4 after a slot, _2 for 5 to 7, _3 for 8 to 10 (it
  // only hands on), _4 for 11 and 12. Every set is replaced at a fixed distance from `load`: after
  // the last use by the instruction before, whose last slot was 2 cycles before `load` or more, and
  // before the first use of its own.
  logic [10:1] loaded;
  always_ff @(posedge clk) loaded <= rst ? '0 : {loaded[9:1], load};

  localparam int FRONT = 11 + 9 + 9 + 5 + 31 + 6 + 31 + 6 + 32 + 2 + BYTE;
  localparam int SCALE = 31 + 6 + 5;
  localparam int FINISH = 1 + BYTE + 9 + 8 + 8 + 1 + 4;
  logic [FRONT-1:0] front_0, front_1;
  logic [SCALE-1:0] scale_0, scale_1, scale_2;
  logic [FINISH-1:0] finish_0, finish_1, finish_2, finish_3, finish_4;
  always_ff @(posedge clk) begin
    if (load) begin
      front_0 <= {elementwise, binary, scaled_sum, multiply, smaller, larger, row_op, pool_max,
                  average, average_up, single, a_zp, b_zp, left_shift, a_mult, a_shift, b_mult,
                  b_shift, bias, exp_slot, end_byte};
      scale_0 <= {o_mult, o_shift, single, scaled_sum, subtract, average, row_op};
      finish_0 <= {row_op, end_byte, out_zp, clamp_min, clamp_max, lut_en, lut_slot};
    end
    if (loaded[2]) begin
      front_1  <= front_0;
      scale_1  <= scale_0;
      finish_1 <= finish_0;
    end
    if (loaded[5]) begin
      scale_2  <= scale_1;
      finish_2 <= finish_1;
    end
    if (loaded[8]) finish_3 <= finish_2;
    if (loaded[10]) finish_4 <= finish_3;
  end
  logic elementwise_1, binary_1, scaled_sum_1, multiply_1, smaller_1, larger_1, row_1, pool_max_1;
  logic average_1, average_up_1, single_1;
  logic [8:0] a_zp_1, b_zp_1;
  logic [4:0] left_1;
  logic [30:0] a_mult_1, b_mult_1;
  logic [5:0] a_shift_1, b_shift_1;
  logic [31:0] bias_1;
  logic [1:0] exp_slot_1;
  logic [BYTE-1:0] end_1;
  assign {elementwise_1, binary_1, scaled_sum_1, multiply_1, smaller_1, larger_1, row_1, pool_max_1,
          average_1, average_up_1, single_1, a_zp_1, b_zp_1, left_1, a_mult_1, a_shift_1, b_mult_1,
          b_shift_1, bias_1, exp_slot_1, end_1} = front_1;
  logic [30:0] o_mult_2;
  logic [5:0] o_shift_2;
  logic single_2, scaled_sum_2, subtract_2, average_2, row_2;
  assign {o_mult_2, o_shift_2, single_2, scaled_sum_2, subtract_2, average_2, row_2} = scale_2;
  logic row_4, lut_en_4;
  logic [BYTE-1:0] end_4;
  logic [8:0] out_zp_4;
  logic [7:0] clamp_min_4, clamp_max_4;
  logic [3:0] lut_slot_4;
  assign {row_4, end_4, out_zp_4, clamp_min_4, clamp_max_4, lut_en_4, lut_slot_4} = finish_4;

  // The slot on its way; bit i: i cycles after it.
  logic [12:1] out_v, final_v;
  logic [3:1] slot_v, a_v, b_v, first_v, sum_v;
  logic [4:1] max_v, sweep_last_v;
  always_ff @(posedge clk) begin
    out_v        <= rst ? '0 : {out_v[11:1], out};
    slot_v       <= rst ? '0 : {slot_v[2:1], slot};
    a_v          <= rst ? '0 : {a_v[2:1], read_a};
    b_v          <= rst ? '0 : {b_v[2:1], read_b};
    max_v        <= rst ? '0 : {max_v[3:1], sweep_max};
    sum_v        <= rst ? '0 : {sum_v[2:1], sweep_sum};
    first_v      <= {first_v[2:1], first};
    sweep_last_v <= {sweep_last_v[3:1], sweep_last};
    final_v      <= {final_v[11:1], final_word};
  end
  logic [BYTE-1:0] at_2, at_3, at_12;  // byte of the beat's first lane
  if (BEATS == 1) begin : g_no_beats
    logic unused_beat;
    assign unused_beat = &{1'b0, beat, at_2};
    assign at_2  = '0;
    assign at_3  = '0;
    assign at_12 = '0;
  end else begin : g_beats
    logic [12*BEAT_BITS-1:0] beat_v;
    always_ff @(posedge clk) beat_v <= {beat_v[11*BEAT_BITS-1:0], beat};
    assign at_2  = BYTE'(beat_v[1*BEAT_BITS+:BEAT_BITS]) << $clog2(L);
    assign at_3  = BYTE'(beat_v[2*BEAT_BITS+:BEAT_BITS]) << $clog2(L);
    assign at_12 = BYTE'(beat_v[11*BEAT_BITS+:BEAT_BITS]) << $clog2(L);
  end
  // Lanes whose channel there is.
  logic [L-1:0] present_3, present_12;
  logic cut_3, cut_12;
  assign cut_3  = row_1 && final_v[3];
  assign cut_12 = row_4 && final_v[12];
  always_comb
    for (int i = 0; i < L; i++) begin
      present_3[i]  = !cut_3 || at_3 + BYTE'(i) <= end_1;
      present_12[i] = !cut_12 || at_12 + BYTE'(i) <= end_4;
    end

  // Cycle 2: codes less their zero point, in x_3; elementwise operands a_3, b_3. Input scaling.
  logic [10*L-1:0] x_3, a_3, b_3;
  logic [32*L-1:0] x_left_3, x_scaled_7, sum_7;
  logic [30:0] x_mult_3;
  logic [5:0] x_shift_3;
  logic [8*L-1:0] codes_2;
  logic [8:0] zp_2;
  always_ff @(posedge clk) if (slot_v[2]) x_3 <= differences(codes_2, zp_2);
  assign x_left_3 = shifted_left(x_3, left_1);
  weft_scale #(
      .LANES(L)
  ) u_scale_x (
      .clk,
      .in_valid(slot_v[3] && scaled_sum_1),
      .x       (x_left_3),
      .mult    ({L{x_mult_3}}),
      .shift   ({L{x_shift_3}}),
      .single  (single_1),
      .y       (x_scaled_7)
  );
  if (BEATS == 1) begin : g_in_turn
    logic [10*L-1:0] earlier_3;
    logic [32*L-1:0] a_scaled_7;
    assign codes_2   = rd_data;
    assign zp_2      = b_v[2] ? b_zp_1 : a_zp_1;
    assign x_mult_3  = b_v[3] ? b_mult_1 : a_mult_1;
    assign x_shift_3 = b_v[3] ? b_shift_1 : a_shift_1;
    assign a_3       = binary_1 ? earlier_3 : x_3;
    assign b_3       = x_3;
    assign sum_7     = sums(a_scaled_7, x_scaled_7, subtract_2);
    always_ff @(posedge clk) begin
      if (slot_v[3] && binary_1) earlier_3 <= x_3;
      if (out_v[6] && scaled_sum_2) a_scaled_7 <= x_scaled_7;
    end
  end else begin : g_at_once
    logic [8*W-1:0] a_word, b_word, a_kept, b_kept;
    logic [8*L-1:0] b_codes_3;
    logic [32*L-1:0] b_left_3, b_scaled_7;
    assign a_word    = a_v[2] ? rd_data : a_kept;
    assign b_word    = b_v[2] ? rd_data : b_kept;
    assign codes_2   = a_word[8*at_2+:8*L];
    assign b_codes_3 = b_word[8*at_3+:8*L];
    assign zp_2      = a_zp_1;
    assign x_mult_3  = a_mult_1;
    assign x_shift_3 = a_shift_1;
    assign a_3       = x_3;
    assign b_3       = differences(b_codes_3, b_zp_1);
    assign b_left_3  = shifted_left(b_3, left_1);
    assign sum_7     = sums(x_scaled_7, b_scaled_7, subtract_2);
    always_ff @(posedge clk) begin
      if (a_v[2]) a_kept <= rd_data;
      if (b_v[2]) b_kept <= rd_data;
    end
    weft_scale #(
        .LANES(L)
    ) u_scale_b (
        .clk,
        .in_valid(slot_v[3] && scaled_sum_1),
        .x       (b_left_3),
        .mult    ({L{b_mult_1}}),
        .shift   ({L{b_shift_1}}),
        .single  (single_1),
        .y       (b_scaled_7)
    );
    logic unused_fields;
    assign unused_fields = &{1'b0, binary_1, b_v[3]};
  end

  // Cycle 3: operations on codes; windows; the maximum's sweep in the same registers.
  logic [20*L-1:0] result_4;
  logic [32*L-1:0] window_4;
  logic window_3, maximum_3;
  logic [7:0] count_4, count_5, count_6;  // pixels of the window, less one
  assign window_3  = max_v[3] || (slot_v[3] && !elementwise_1 && !row_1);
  assign maximum_3 = row_1 || pool_max_1;
  always_ff @(posedge clk) begin
    if (out_v[3] && elementwise_1)
      for (int i = 0; i < L; i++)
        result_4[20*i+:20] <= on_codes(a_3[10*i+:10], b_3[10*i+:10], multiply_1, smaller_1,
                                       larger_1);
    if (window_3)
      for (int i = 0; i < L; i++)
        window_4[32*i+:32] <= extended(window_4[32*i+:32], x_3[10*i+:10], maximum_3, first_v[3],
                                       a_v[3] && present_3[i]);
    if (window_3) count_4 <= (first_v[3] ? 8'hff : count_4) + 8'(a_v[3]);
  end

  // Softmax: cycle 3 reads the tables.
  logic [32*L-1:0] exponents_4;
  logic ask;
  logic [31:0] ask_x;
  logic [30:0] ask_mult, row_mult;
  logic [5:0] row_shift;
  logic [32*L-1:0] value_11;
  if (weft_pkg::CFG_VEC_SOFTMAX != 0) begin : g_softmax
    logic [8*L-1:0] max_codes, codes;
    always_comb
      for (int i = 0; i < L; i++) begin
        max_codes[8*i+:8] = window_4[32*i+:8];
        codes[8*i+:8] = x_3[10*i+:8];
      end
    weft_vec_softmax #(
        .LANES(L)
    ) u_softmax (
        .clk,
        .rst,
        .max_codes,
        .max_last (max_v[4] && sweep_last_v[4]),
        .look_up  (row_1 && (sum_v[3] || out_v[3])),
        .codes,
        .present  (present_3),
        .exp_slot (exp_slot_1),
        .sum      (sum_v[3]),
        .sum_first(first_v[3]),
        .sum_last (sweep_last_v[3]),
        .exponents(exponents_4),
        .mult     (row_mult),
        .shift    (row_shift),
        .ask,
        .ask_x,
        .ask_mult,
        .product  (value_11[31:0]),
        .ld_en,
        .ld_mem,
        .ld_addr,
        .ld_be,
        .ld_data
    );
  end else begin : g_no_softmax
    assign exponents_4 = '0;
    assign row_mult    = '0;
    assign row_shift   = '0;
    assign ask         = 1'b0;
    assign ask_x       = '0;
    assign ask_mult    = '0;
    logic unused_softmax;
    assign unused_softmax = &{1'b0, sum_v[3], max_v[4], sweep_last_v[4], exp_slot_1};
  end

  // Cycles 4 to 6: one value a lane; an average's multiplier.
  logic [32*L-1:0] value_5, value_6, value_7, number_7;
  logic [26:0] reciprocal_7;
  weft_vec_reciprocal u_reciprocal (
      .clk,
      .re   (out_v[6] && average_2),
      .entry(count_6),
      .q    (reciprocal_7)
  );
  always_ff @(posedge clk) begin
    if (out_v[4]) begin
      for (int i = 0; i < L; i++)
        value_5[32*i+:32] <= elementwise_1 ? 32'($signed(result_4[20*i+:20]))
            : row_1 ? exponents_4[32*i+:32]
            : pooled(window_4[32*i+:32], bias_1, average_1, average_up_1);
      count_5 <= count_4;
    end
    if (out_v[5]) begin
      value_6 <= value_5;
      count_6 <= count_5;
    end
    if (out_v[6]) value_7 <= value_6;
  end

  // Cycle 7: output scaling, or softmax's reciprocal while nothing else can be here.
  logic [30:0] out_mult_7;
  logic [5:0] out_shift_7;
  always_comb begin
    number_7 = scaled_sum_2 ? sum_7 : value_7;
    if (ask) number_7[31:0] = ask_x;
    out_mult_7 = ask ? ask_mult : row_2 ? row_mult
        : average_2 ? {4'd0, reciprocal_7} : o_mult_2;
    out_shift_7 = ask ? 6'd0 : row_2 ? row_shift : o_shift_2;
  end
  weft_scale #(
      .LANES(L)
  ) u_scale_out (
      .clk,
      .in_valid(out_v[7] || ask),
      .x       (number_7),
      .mult    ({L{out_mult_7}}),
      .shift   ({L{out_shift_7}}),
      .single  (single_2),
      .y       (value_11)
  );

  // Cycle 11, then 12: bytes from the row's last channel on become 0.
  logic [8*L-1:0] finished_12, masked_12;
  weft_finish #(
      .LANES(L)
  ) u_finish (
      .clk,
      .in_valid (out_v[11]),
      .v        (value_11),
      .out_zp   (out_zp_4),
      .clamp_min(clamp_min_4),
      .clamp_max(clamp_max_4),
      .lut_en   (lut_en_4),
      .lut_slot (lut_slot_4),
      .q        (finished_12),
      .ld_en,
      .ld_mem,
      .ld_addr,
      .ld_be,
      .ld_data
  );
  always_comb
    for (int i = 0; i < L; i++)
      masked_12[8*i+:8] = present_12[i] ? finished_12[8*i+:8] : 8'd0;
  assign q       = {BEATS{masked_12}};
  assign q_be    = W'({L{1'b1}}) << at_12;
  assign q_valid = out_v[12];

  function automatic logic [10*L-1:0] differences(input logic [8*L-1:0] codes,
                                                  input logic [8:0] zp);
    for (int i = 0; i < L; i++)
      differences[10*i+:10] = 10'($signed(codes[8*i+:8])) - 10'($signed(zp));
  endfunction
  function automatic logic [32*L-1:0] shifted_left(input logic [10*L-1:0] v,
                                                   input logic [4:0] by);
    for (int i = 0; i < L; i++)
      shifted_left[32*i+:32] = 32'($signed(v[10*i+:10])) << by;
  endfunction
  function automatic logic [32*L-1:0] sums(input logic [32*L-1:0] a, input logic [32*L-1:0] b,
                                           input logic subtract_b);
    for (int i = 0; i < L; i++)
      sums[32*i+:32] = a[32*i+:32] + (b[32*i+:32] ^ {32{subtract_b}}) + 32'(subtract_b);
  endfunction
  function automatic logic [19:0] on_codes(input logic [9:0] a, input logic [9:0] b,
                                           input logic product, input logic minimum,
                                           input logic maximum);
    logic second;
    second = $signed(a) > $signed(b) ? minimum : maximum;
    on_codes = product ? 20'($signed(a)) * 20'($signed(b))
        : second ? 20'($signed(b)) : 20'($signed(a));
  endfunction
  // Window result `w` with one more code; the window starts anew with `begins`.
  function automatic logic [31:0] extended(input logic [31:0] w, input logic [9:0] code,
                                           input logic maximum, input logic begins,
                                           input logic counts);
    logic [7:0] highest, here;
    highest = begins ? 8'h80 : w[7:0];
    here = counts ? code[7:0] : 8'h80;
    extended = maximum ? 32'($signed($signed(here) > $signed(highest) ? here : highest))
        : (begins ? 32'd0 : w) + (counts ? 32'($signed(code)) : 32'd0);
  endfunction
  function automatic logic [31:0] pooled(input logic [31:0] w, input logic [31:0] add,
                                         input logic mean_of_codes, input logic up);
    pooled = !mean_of_codes ? w + add : {w[29:0], 2'd0} +
        (up || (!w[31] && w != '0) ? 32'd1 : 32'hffffffff);
  endfunction
endmodule
