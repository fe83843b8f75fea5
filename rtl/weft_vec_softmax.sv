// Softmax's own parts (docs/numerics.md, "SOFTMAX"): the maximum over the lanes, the exponent
// tables, the sum, and its reciprocal, which borrows the multiplier of the first lane's output
// scaling. A lane's result is mult * e * 2^(shift - 31), rounded twice: that scaling again.
//
// One slot a cycle passes. `max_codes` of the slot with `max_last` are the maxima of all its sweep
// in the lanes; the maximum is there 2 cycles later. `look_up` reads the table at maximum - code:
// `exponents` show in the next cycle. Slots that are added up have `sum` with `look_up`, the first
// and the last of a pixel `sum_first` and `sum_last`. `mult` and `shift` are right from 39 cycles
// after the `look_up` of the last one until those of the next pixel: 7 cycles later the unit
// multiplies again, and the reciprocal takes 32 of them. (See docs/microarchitecture.md, "VEC":
// T_VEC_RECIP.)
//
// A product is asked for with `ask`, `ask_x`, `ask_mult` and comes as `product` 4 cycles later,
// rounded as HM() in docs/numerics.md.
//
// Every lane has a copy of the tables: all lanes look up different entries in the same cycle. A
// word of the tables has W bytes, as on LOAD's bus; the entry is selected behind the read.
module weft_vec_softmax #(
    parameter int LANES = weft_pkg::CFG_VEC_LANES
) (
    input  logic                       clk,
    input  logic                       rst,
    input  logic [        8*LANES-1:0] max_codes,
    input  logic                       max_last,
    input  logic                       look_up,
    input  logic [        8*LANES-1:0] codes,
    input  logic [          LANES-1:0] present,    // codes of channels that there are
    input  logic [                1:0] exp_slot,
    input  logic                       sum,
    input  logic                       sum_first,
    input  logic                       sum_last,
    output logic [       32*LANES-1:0] exponents,
    output logic [               30:0] mult,
    output logic [                5:0] shift,
    output logic                       ask,
    output logic [               31:0] ask_x,
    output logic [               30:0] ask_mult,
    input  logic [               31:0] product,
    // LOAD's write bus (docs/rtl.md)
    input  logic                       ld_en,
    input  logic [                2:0] ld_mem,
    input  logic [ weft_pkg::ADDR-1:0] ld_addr,
    input  logic [  weft_pkg::LDW-1:0] ld_be,
    input  logic [8*weft_pkg::LDW-1:0] ld_data
);
  localparam int W = weft_pkg::W;
  localparam int DEPTH = weft_pkg::CFG_EXP_SLOTS * (weft_pkg::EXP_BYTES / W);
  localparam int A = $clog2(DEPTH);
  localparam int SELECT = $clog2(W / 4);  // bits of an entry's place in the word
  localparam int GROUP = LANES < 8 ? LANES : 8;  // lanes that are combined in one stage
  localparam int GROUPS = LANES / GROUP;

  // Maximum: over groups of lanes, then over the groups.
  logic [8*GROUPS-1:0] group_max, group_max_q;
  logic [7:0] all_max, maximum;
  logic max_last_1;
  always_comb begin
    for (int g = 0; g < GROUPS; g++) begin
      group_max[8*g+:8] = max_codes[8*GROUP*g+:8];
      for (int i = 1; i < GROUP; i++)
        group_max[8*g+:8] = higher(group_max[8*g+:8], max_codes[8*(GROUP*g+i)+:8]);
    end
    all_max = 8'h80;
    for (int g = 0; g < GROUPS; g++) all_max = higher(all_max, group_max_q[8*g+:8]);
  end
  always_ff @(posedge clk) begin
    max_last_1 <= max_last;
    if (max_last) group_max_q <= group_max;
    if (max_last_1) maximum <= all_max;
  end

  // Tables.
  logic [W-1:0] we;
  assign we = ld_en && ld_mem == 3'(weft_pkg::MEM_EXP) ? ld_be[W-1:0] : '0;
  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic [7:0] distance;
    logic [9:0] entry;
    logic [8*W-1:0] word;
    assign distance = maximum - codes[8*i+:8];
    assign entry = {exp_slot, distance};
    weft_ram #(
        .DEPTH(DEPTH),
        .BYTES(W)
    ) u_table (
        .clk,
        .we,
        .waddr(ld_addr[A-1:0]),
        .wdata(ld_data[8*W-1:0]),
        .re   (look_up),
        .raddr(A'(entry[9:SELECT])),
        .rdata(word)
    );
    if (SELECT == 0) begin : g_whole
      assign exponents[32*i+:32] = word;
    end else begin : g_select
      logic [SELECT-1:0] select_q;
      always_ff @(posedge clk) if (look_up) select_q <= entry[SELECT-1:0];
      assign exponents[32*i+:32] = word[{select_q, 5'd0}+:32];
    end
  end

  // Sum, as Q12: RS(e, 12) of each lane, groups of lanes, all lanes, all slots.
  logic [5:1] sum_v, sum_last_v;  // the slot's way after `look_up`
  logic [4:1] sum_first_v;
  logic [LANES-1:0] present_q;
  logic [21*LANES-1:0] q12;
  logic [24*GROUPS-1:0] group_sum, group_sum_q;
  logic [26:0] slot_sum, slot_sum_q;
  logic [31:0] total;
  always_comb begin
    for (int g = 0; g < GROUPS; g++) begin
      group_sum[24*g+:24] = '0;
      for (int i = 0; i < GROUP; i++)
        group_sum[24*g+:24] = group_sum[24*g+:24] + 24'($signed(q12[21*(GROUP*g+i)+:21]));
    end
    slot_sum = '0;
    for (int g = 0; g < GROUPS; g++) slot_sum = slot_sum + 27'($signed(group_sum_q[24*g+:24]));
  end
  always_ff @(posedge clk) begin
    sum_v       <= rst ? '0 : {sum_v[4:1], sum};
    sum_first_v <= {sum_first_v[3:1], sum_first};
    sum_last_v  <= {sum_last_v[4:1], sum_last};
    if (sum) present_q <= present;
    if (sum_v[1])
      for (int i = 0; i < LANES; i++)
        q12[21*i+:21] <= present_q[i] ? rounded_q12(exponents[32*i+:32]) : 21'd0;
    if (sum_v[2]) group_sum_q <= group_sum;
    if (sum_v[3]) slot_sum_q <= slot_sum;
    if (sum_v[4]) total <= (sum_first_v[4] ? 32'd0 : total) + 32'($signed(slot_sum_q));
  end

  // Reciprocal of the sum, which is normalized to `half` in [1/2, 1), Q31: Newton's method on
  // 48/17 - 32/17 half, three times. Q2.29 but for the result.
  localparam logic [31:0] C48_17 = 32'd1515870810;
  localparam logic [31:0] C32_17 = -32'd1010580540;
  localparam logic [31:0] ONE = 32'd536870912;
  typedef enum logic [1:0] {
    GUESS,     // half * -32/17
    DISTANCE,  // half * estimate
    CORRECTION // estimate * (1 - that)
  } step_t;
  step_t step;
  logic begin_1, begin_2;
  logic ask_again;  // the estimate is new: ask for DISTANCE
  logic [4:1] asked;
  logic [1:0] rounds;
  logic [4:0] lead;
  logic [30:0] half, estimate, improved;
  logic [31:0] shifted, error;
  logic answer;
  assign answer = asked[4];
  assign shifted = total << lead;
  assign error = saturated(34'($signed(ONE)) - 34'($signed(product)));
  assign improved = nonnegative(
      step == GUESS ? saturated(34'($signed(C48_17)) + 34'($signed(product)))
          : saturated(34'($signed({1'b0, estimate})) + 34'($signed(
              saturated({product, 2'b00})))));
  always_comb begin
    ask = begin_2 || ask_again || (answer && step == DISTANCE);
    ask_x = begin_2 ? C32_17 : ask_again ? {1'b0, estimate} : error;
    ask_mult = begin_2 || ask_again ? half : estimate;
  end
  always_ff @(posedge clk) begin
    if (rst) begin
      begin_1   <= 1'b0;
      begin_2   <= 1'b0;
      ask_again <= 1'b0;
      asked     <= '0;
    end else begin
      begin_1   <= sum_v[5] && sum_last_v[5];
      begin_2   <= begin_1;
      asked     <= {asked[3:1], ask};
      ask_again <= answer && (step == GUESS || (step == CORRECTION && rounds != 2'd2));
    end
    if (sum_v[5] && sum_last_v[5]) lead <= leading_zeros(total);
    if (begin_1) begin
      half   <= shifted[31:1];
      step   <= GUESS;
      rounds <= '0;
    end
    if (answer) begin
      case (step)
        GUESS: begin
          estimate <= improved;
          step     <= DISTANCE;
        end
        DISTANCE: step <= CORRECTION;
        default: begin
          estimate <= improved;
          step     <= DISTANCE;
          rounds   <= rounds + 2'd1;
          // 2 * estimate, saturated; its unit is 2^-(12 - lead) of the sum's, and a result's 2^-8.
          // Beyond a shift of 31 to the right nothing is left.
          if (rounds == 2'd2) begin
            mult  <= lead < 5'd4 ? 31'd0 : improved[30] ? '1 : {improved[29:0], 1'b0};
            shift <= 6'(lead) - 6'd35;
          end
        end
      endcase
    end
  end

  function automatic logic [7:0] higher(input logic [7:0] a, input logic [7:0] b);
    higher = $signed(a) > $signed(b) ? a : b;
  endfunction
  // RS(e, 12)
  function automatic logic [20:0] rounded_q12(input logic [31:0] e);
    rounded_q12 = 21'($signed(e[31:12])) + 21'(e[11] && (!e[31] || e[10:0] != '0));
  endfunction
  function automatic logic [31:0] saturated(input logic [33:0] v);
    saturated = v[33:31] == '0 || v[33:31] == '1 ? v[31:0]
        : v[33] ? 32'h80000000 : 32'h7fffffff;
  endfunction
  // Estimates are positive: 2^29 to 2^30 in the end, less than 2^31 always.
  function automatic logic [30:0] nonnegative(input logic [31:0] v);
    nonnegative = v[31] ? 31'd0 : v[30:0];
  endfunction
  // Of 0: 31.
  function automatic logic [4:0] leading_zeros(input logic [31:0] v);
    leading_zeros = 5'd31;
    for (int i = 0; i < 32; i++) if (v[i]) leading_zeros = 5'(31 - i);
  endfunction

  // The bus addresses any memory and has at least 12 bytes.
  logic unused;
  assign unused = &{1'b0, ld_addr, ld_be, ld_data, exp_slot, shifted[0]};
endmodule
