// weft_gemm against the C model: random instructions, one behind the other with and without gaps,
// every result byte, and every time: start, the cycles in which the unit is active, done.
//
// The upper half of the scratchpad is for results, so that instructions need no tokens between
// them.
#include "unit_bench.h"

namespace {
using namespace bench;

struct Bench : Unit {
  size_t r = cfg.rows, c = cfg.cols;
  std::vector<bool> kept; // accumulator rows that hold sums

  Bench() : kept(weft_acc_rows(&cfg)) { foreign = WEFT_MEM_DWBUF; }
  void execute(const weft_insn &insn) override { weft_exec_gemm(sim, &insn.GEMM); }

  void fill() {
    size_t params = weft_param_blocks(&cfg) * c;
    uint8_t *param = sim->mem[WEFT_MEM_PARAM];
    randomize_spad();
    for (int m : {WEFT_MEM_WEIGHT, WEFT_MEM_PARAM, WEFT_MEM_LUT})
      randomize(sim->mem[m], sim->size[m]);
    for (uint8_t *p = param; p < param + params * WEFT_PARAM_BYTES; p += WEFT_PARAM_BYTES) {
      int32_t bias = pick(-30000, 30000), mult = pick(0x40000000, 0x7fffffff);
      if (one_in(30)) continue;
      memcpy(p, &bias, 4);
      memcpy(p + 4, &mult, 4);
      p[8] = (uint8_t)(one_in(10) ? pick(-31, 31) : pick(-12, -4));
    }
    load(WEFT_MEM_WEIGHT, sim->size[WEFT_MEM_WEIGHT] / c, c);
    load(WEFT_MEM_PARAM, params, WEFT_PARAM_BYTES);
    load(WEFT_MEM_LUT);
  }
};

// A window of the scratchpad's words [from, to); false if it does not fit.
bool operand(weft_operand *o, size_t rows, size_t pixels, size_t words, size_t from, size_t to,
             bool overlap) {
  o->pix_stride = (uint32_t)words + (one_in(3) ? pick(0, 3) : 0);
  if (overlap && one_in(8)) o->pix_stride = pick(0, (int)words);
  size_t row = (pixels - 1) * o->pix_stride + words;
  o->row_stride = (uint32_t)row + (one_in(3) ? pick(0, 5) : 0);
  if (overlap && one_in(8)) o->row_stride = pick(0, (int)row);
  o->ring_rows = (uint32_t)rows;
  if (one_in(3)) o->ring_rows += pick(0, 40);
  if (overlap && one_in(3)) o->ring_rows = pick(1, one_in(2) ? 3 : (int)rows);
  if (rows == 1 && one_in(4)) o->ring_rows = 1;
  o->ring_start = one_in(3) ? 0 : pick(0, (int)o->ring_rows - 1);
  size_t span = (o->ring_rows - 1) * o->row_stride + row;
  if (span > to - from) return false;
  o->base = (uint32_t)(from + rng() % (to - from - span + 1));
  return true;
}

// One random instruction that is valid and reads no accumulator row which holds nothing.
weft_insn random_insn(Bench &b) {
  for (;;) {
    weft_insn insn{};
    insn.opcode = WEFT_OP_CODE_GEMM;
    weft_insn_GEMM &in = insn.GEMM;
    int size = pick(0, 9);
    in.kh = one_in(2) ? 1 : pick(1, 4);
    in.kw = one_in(2) ? 1 : pick(1, 4);
    in.stride_y = pick(1, one_in(10) ? 31 : 3);
    in.stride_x = pick(1, one_in(10) ? 31 : 3);
    in.dil_y = one_in(2) ? 1 : pick(1, one_in(8) ? 31 : 3);
    in.dil_x = one_in(2) ? 1 : pick(1, one_in(8) ? 31 : 3);
    in.out_h = pick(1, size < 3 ? 2 : size < 9 ? 5 : 14);
    in.out_w = pick(1, size < 3 ? 2 : size < 9 ? 5 : 14);
    if (size == 0) in.out_h = in.out_w = 1;
    bool strip = one_in(60); // one long row or column, one pass
    if (strip) {
      in.kh = in.kw = in.out_h = in.out_w = 1;
      (one_in(2) ? in.out_h : in.out_w) = pick(300, (int)std::min<size_t>(4095, b.words / 2));
    }
    int reach_y = (int)((in.out_h - 1) * in.stride_y + (in.kh - 1) * in.dil_y);
    int reach_x = (int)((in.out_w - 1) * in.stride_x + (in.kw - 1) * in.dil_x);
    in.in_h = pick(1, one_in(3) ? 6 : reach_y + 1);
    in.in_w = pick(1, one_in(3) ? 6 : reach_x + 1);
    in.pad_top = one_in(2) ? 0 : pick(0, std::min(255, reach_y + one_in(4)));
    in.pad_left = one_in(2) ? 0 : pick(0, std::min(255, reach_x + one_in(4)));
    if (one_in(20)) in.pad_top = pick(0, 255);
    if (one_in(20)) in.pad_left = pick(0, 255);
    in.pad_value = pick(-128, 127);
    in.k_blocks = pick(1, one_in(2) ? 1 : 3);
    in.n_blocks = pick(1, one_in(2) ? 1 : 3);
    if (strip) in.k_blocks = in.n_blocks = 1;
    in.a_block = pick(0, (int)(b.w / b.r) - 1);
    in.o_block = pick(0, (int)(b.w / b.c) - 1);
    size_t passes = in.kh * in.kw * in.k_blocks, m = in.out_h * in.out_w;
    size_t rows = weft_weight_rows(&b.cfg), tiles = passes * in.n_blocks * b.r;
    if (tiles > rows) continue;
    in.w_base = (uint32_t)(rng() % (rows - tiles + 1));
    in.acc_in = one_in(3);
    in.acc_out = one_in(3);
    if (strip) in.acc_in = in.acc_out = 0;
    size_t need = in.acc_in || in.acc_out ? m * in.n_blocks : passes > 1 ? m : 0;
    if (need > b.kept.size()) continue;
    in.acc_base = pick(0, (int)std::min<size_t>(b.kept.size() - need, 65535));
    if (one_in(3)) in.acc_base = pick(0, (int)std::min<size_t>(b.kept.size() - need, 8));
    if (in.acc_in) { // where there are rows with sums
      bool ok = false;
      for (size_t try_at = 0, at = rng(); try_at < b.kept.size() && !ok; try_at++, at++) {
        size_t from = at % (b.kept.size() - need + 1);
        ok = true;
        for (size_t k = 0; k < need && ok; k++) ok = b.kept[from + k];
        if (ok) in.acc_base = (uint32_t)from;
      }
      if (!ok) in.acc_in = 0;
    }
    if (in.acc_base > 65535) continue;
    in.p_base = pick(0, (int)weft_param_blocks(&b.cfg) - (int)in.n_blocks);
    in.out_zp = one_in(4) ? pick(-256, 255) : pick(-128, 127);
    in.clamp_min = one_in(2) ? -128 : pick(-128, 0);
    in.clamp_max = one_in(2) ? 127 : pick(0, 127);
    in.round_single = pick(0, 1);
    in.lut_en = one_in(4);
    in.lut_slot = pick(0, (int)b.cfg.lut_slots - 1);
    weft_operand a, o;
    size_t words_a = ((in.a_block + in.k_blocks) * b.r + b.w - 1) / b.w;
    size_t words_o = ((in.o_block + in.n_blocks) * b.c + b.w - 1) / b.w;
    if (!operand(&a, in.in_h, in.in_w, words_a, 0, b.words / 2, true)) continue;
    if (!operand(&o, in.out_h, in.out_w, words_o, b.words / 2, b.words, false)) continue;
    WEFT_SET_OPERAND(in, a, a);
    WEFT_SET_OPERAND(in, o, o);
    if (verdict(b.sim, insn) != WEFT_ERROR_NONE) continue;
    for (size_t k = 0; k < need; k++) b.kept[in.acc_base + k] = in.acc_out;
    return insn;
  }
}

void random_instructions(void **) {
  Bench b;
  for (int round = 0; round < 60 * count(); round++) {
    if (round % 10 == 0) b.fill();
    int gap = pick(0, 2) == 0 ? 0 : pick(0, 1) ? 5 : 150;
    std::vector<weft_insn> program;
    for (int i = one_in(4) ? 1 : pick(2, 30); i > 0; i--) program.push_back(random_insn(b));
    b.run(program, gap);
    for (int i = pick(0, 60); i > 0; i--) b.step(nullptr);
  }
  b.report();
}

// Sums of 32 bits through chains: acc_out, acc_in and acc_out, acc_in; rows met again at the
// smallest distances, the next instruction's first row being any of the last one's.
void accumulator_chains(void **) {
  Bench b;
  b.fill();
  for (int round = 0; round < 150 * count(); round++) {
    std::vector<weft_insn> program;
    for (int i = 0; i < 8; i++) {
      weft_insn x = random_insn(b);
      weft_insn_GEMM &in = x.GEMM;
      in.kh = in.kw = in.k_blocks = in.n_blocks = 1;
      in.acc_out = i < 7;
      in.out_h = 1;
      in.out_w = pick(1, 9);
      if (i == 7) in.out_w = 9;
      in.acc_base = i == 0 || i == 7 ? 0 : pick(0, 9 - (int)in.out_w);
      if (i == 0) in.out_w = 9;
      in.acc_in = i > 0;
      in.o_pix_stride = std::max(in.o_pix_stride, 2u);
      in.o_base = (uint32_t)(b.words - 64);
      in.o_row_stride = 64;
      in.o_ring_rows = 1;
      in.o_ring_start = 0;
      in.o_pix_stride = 2;
      if (verdict(b.sim, x) == WEFT_ERROR_NONE)
        program.push_back(x);
      else
        i--;
    }
    std::fill(b.kept.begin(), b.kept.end(), false);
    b.run(program, 0);
  }
  b.report();
}

// The one fault of an instruction that the model refuses too: reported with its number, without an
// access outside of a memory; after a reset the unit works again.
void illegal_instructions(void **) {
  Bench b;
  b.fill();
  std::vector<int> seen(16);
  for (int round = 0; round < 400 * count(); round++) {
    std::fill(b.kept.begin(), b.kept.end(), false);
    weft_insn x = random_insn(b);
    weft_insn_GEMM &in = x.GEMM;
    int kind = round % 14;
    size_t m = in.out_h * in.out_w;
    switch (kind) {
    case 0: in.sparsity = pick(1, 2); break;
    case 1: in.w_src = pick(1, 2); break;
    case 2: in.a_zp = 1 << pick(0, 6); break;
    case 3: in.w_zp = -128; break;
    case 4: in.a_block = pick((int)(b.w / b.r), 16); break;
    case 5: in.o_block = pick((int)(b.w / b.c), 16); break;
    case 6: in.lut_en = 1, in.lut_slot = pick((int)b.cfg.lut_slots, 16); break;
    case 7: in.a_ring_start = in.a_ring_rows; break;
    case 8: in.o_ring_start = in.o_ring_rows + pick(0, 9); break;
    case 9: // the last tile's last row
      in.w_base = (uint32_t)(weft_weight_rows(&b.cfg) -
                             in.kh * in.kw * in.k_blocks * in.n_blocks * b.r + 1);
      break;
    case 10:
      in.acc_in = 0, in.acc_out = 1;
      in.acc_base = (uint32_t)std::min<size_t>(b.kept.size() - m * in.n_blocks + 1, 65535);
      break;
    case 11: in.p_base = weft_param_blocks(&b.cfg) - in.n_blocks + 1; break;
    case 12: // every word of the input
      in.in_h = in.in_w = 4095, in.pad_top = in.pad_left = 0;
      in.a_base = (uint32_t)std::min<size_t>(b.words, (1 << 20) - 1);
      break;
    default: // the last pixel's last word
      in.o_ring_start = 0, in.o_ring_rows = in.out_h;
      in.o_base =
          (uint32_t)(b.words - (in.out_h - 1) * in.o_row_stride - (in.out_w - 1) * in.o_pix_stride -
                     ((in.o_block + in.n_blocks) * b.c + b.w - 1) / b.w + 1);
    }
    if (verdict(b.sim, x) != WEFT_ERROR_ILLEGAL) continue;
    weft_occupancy o = weft_insn_occupancy(&b.cfg, &x);
    b.refuse(x, random32(), o.prepare + o.stream + o.drain + 50);
    seen[(size_t)kind]++;
    b.adopt(); // it may have begun to write
    b.reset();
    if (round % 5 == 0) {
      std::fill(b.kept.begin(), b.kept.end(), false);
      b.run({random_insn(b)}, 0);
    }
  }
  int all = 0, kinds = 0;
  for (int n : seen) all += n, kinds += n > 0;
  print_message("%s: %d refused, %d kinds\n", PRESET, all, kinds);
}
} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(random_instructions),
      cmocka_unit_test(accumulator_chains),
      cmocka_unit_test(illegal_instructions),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
