// weft_dw against the C model: random DW instructions, back to back and with gaps; the scratchpad,
// and in every cycle insn_ready, active and done. Then every shape, and faults.
//
// The upper half of the scratchpad is for results, so that instructions need no tokens between
// them.
#include "unit_bench.h"

namespace {
using namespace bench;

struct Bench : Unit {
  void execute(const weft_insn &insn) override { weft_exec_dw(sim, &insn.DW); }

  void fill() {
    randomize_spad();
    for (int m : {WEFT_MEM_DWBUF, WEFT_MEM_LUT}) randomize(sim->mem[m], sim->size[m]);
    load_memories();
  }
  void load_memories() {
    load(WEFT_MEM_DWBUF);
    load(WEFT_MEM_LUT);
  }

  // Parameters that do not saturate everything.
  void tame(uint32_t p_base, uint32_t c_words, uint32_t taps) {
    uint8_t *p = sim->mem[WEFT_MEM_DWBUF];
    for (uint32_t c = 0; c < c_words; c++)
      for (size_t i = 0; i < w; i++) {
        uint8_t *q = p + (p_base + (size_t)c * (12 + taps)) * w + i * 12;
        int32_t bias = pick(-20000, 20000);
        int32_t mult = pick(1 << 30, INT32_MAX);
        if (one_in(8)) continue; // wild
        memcpy(q, &bias, 4);
        memcpy(q + 4, &mult, 4);
        q[8] = (uint8_t)pick(-10, -5);
      }
  }

  weft_operand operand(uint64_t rows, uint64_t pixels, uint64_t c_words, bool result) {
    for (int tries = 0;; tries++) {
      weft_operand o;
      bool tight = tries > 3;
      o.ring_rows = (uint32_t)(one_in(3) && !result ? pick(1, 3) : rows + (uint64_t)pick(0, 2));
      if (one_in(2)) o.ring_rows = (uint32_t)pick(1, o.ring_rows);
      o.ring_start = (uint32_t)pick(0, o.ring_rows - 1);
      o.pix_stride = (uint32_t)(c_words + (tight ? 0 : (uint64_t)pick(0, 2)));
      if (!result && one_in(6)) o.pix_stride = (uint32_t)pick(0, 3);
      uint64_t row = (pixels - 1) * o.pix_stride + c_words;
      o.row_stride = (uint32_t)(row + (tight ? 0 : (uint64_t)pick(0, 5)));
      if (!result && one_in(6)) o.row_stride = (uint32_t)pick(0, 50);
      uint64_t span = (o.ring_rows - 1) * (uint64_t)o.row_stride + row, half = words / 2;
      if (span > half) {
        if (tries > 20) return o.base = 0xfffff, o;
        continue;
      }
      o.base = (uint32_t)((result ? half : 0) + (uint64_t)pick(0, (int64_t)(half - span)));
      if (one_in(8)) o.base = (uint32_t)((result ? 2 : 1) * half - span);
      return o;
    }
  }

  weft_insn random_insn() {
    for (;;) {
      weft_insn insn = smallest(WEFT_OP_CODE_DW);
      weft_insn_DW *in = &insn.DW;
      int most = one_in(3) ? 3 : 7;
      in->kh = (uint32_t)pick(1, most);
      in->kw = (uint32_t)pick(1, most);
      if (one_in(6)) in->kh = in->kw = 1;
      in->stride_y = (uint32_t)(one_in(2) ? 1 : pick(1, 4));
      in->stride_x = (uint32_t)(one_in(2) ? 1 : pick(1, 4));
      int limit = one_in(4) ? 20 : 8;
      in->in_h = (uint32_t)pick(1, limit);
      in->in_w = (uint32_t)pick(1, limit);
      in->pad_top = (uint32_t)pick(0, pick(0, in->kh));
      in->pad_left = (uint32_t)pick(0, pick(0, in->kw));
      in->out_h = (uint32_t)pick(1, one_in(3) ? 1 : 6);
      in->out_w = (uint32_t)pick(1, one_in(3) ? 1 : 6);
      if (one_in(12)) in->pad_top = (uint32_t)pick(0, 30), in->out_h = (uint32_t)pick(1, 12);
      if (one_in(12)) in->pad_left = (uint32_t)pick(0, 30), in->out_w = (uint32_t)pick(1, 30);
      if (one_in(60)) in->pad_top = (uint32_t)pick(200, 255), in->out_h = 260 / in->stride_y;
      if (one_in(60)) in->pad_left = (uint32_t)pick(200, 255), in->out_w = 260 / in->stride_x;
      uint32_t block = 12 + in->kh * in->kw;
      uint32_t have = weft_dwbuf_words(&cfg);
      in->c_words = (uint32_t)pick(1, std::min<int64_t>(one_in(4) ? 6 : 3, have / block));
      in->p_base = (uint32_t)pick(0, have - in->c_words * block);
      if (one_in(8)) in->p_base = have - in->c_words * block;
      in->pad_value = pick(-128, 127);
      in->out_zp = (int32_t)(one_in(4) ? pick(-256, 255) : pick(-128, 127));
      in->clamp_min = (int32_t)(one_in(2) ? -128 : pick(-128, 0));
      in->clamp_max = (int32_t)(one_in(2) ? 127 : pick(0, 127));
      in->round_single = (uint32_t)pick(0, 1);
      in->lut_en = one_in(4);
      in->lut_slot = (uint32_t)pick(0, in->lut_en ? cfg.lut_slots - 1 : 15);
      uint32_t reach_y = (in->out_h - 1) * in->stride_y + in->kh;
      uint32_t reach_x = (in->out_w - 1) * in->stride_x + in->kw;
      weft_operand a =
          operand(std::min(reach_y, in->in_h), std::min(reach_x, in->in_w), in->c_words, false);
      weft_operand o = operand(in->out_h, in->out_w, in->c_words, true);
      WEFT_SET_OPERAND(*in, a, a);
      WEFT_SET_OPERAND(*in, o, o);
      if (weft_dw_occupancy(&cfg, in).stream > 20000) continue;
      if (verdict(sim, insn) == WEFT_ERROR_NONE) return insn;
    }
  }
};

void instructions(void **) {
  Bench b;
  if (!b.cfg.dw_lanes) skip();
  for (int i = 0; i < 120 * count(); i++) {
    rng.seed(7000 + (uint64_t)i);
    if (i % 8 == 0) b.fill();
    if (i % 16 == 15) b.reset();
    std::vector<weft_insn> program;
    for (int k = pick(1, 12); k > 0; k--) {
      program.push_back(b.random_insn());
      const weft_insn_DW &d = program.back().DW;
      b.tame(d.p_base, d.c_words, d.kh * d.kw);
    }
    b.load_memories();
    b.run(program, one_in(2) ? 0 : one_in(2) ? 40 : 600);
  }
  b.report();
}

// Every kernel, stride and group of columns, one after the other.
void every_shape(void **) {
  Bench b;
  if (!b.cfg.dw_lanes) skip();
  rng.seed(9);
  b.fill();
  for (uint32_t kw = 1; kw <= 7; kw++)
    for (uint32_t s = 1; s <= 4; s++)
      for (uint32_t pad = 0; pad <= kw; pad++) {
        weft_insn insn;
        do insn = b.random_insn();
        while (insn.DW.kw != kw || insn.DW.stride_x != s || insn.DW.pad_left != pad);
        b.run({insn}, 0);
      }
  b.report();
}

// Instructions that leave this configuration: ERROR_ILLEGAL, with the instruction's number, after
// the good one before it; nothing is read or written outside (Unit says so).
void faults(void **) {
  Bench b;
  int seen = 0;
  for (int i = 0; i < 300 * count(); i++) {
    rng.seed(500000 + (uint64_t)i);
    if (i == 0) b.fill();
    b.reset();
    if (!b.cfg.dw_lanes) { // absent: refused whatever it is
      assert_int_equal(b.refuse(smallest(WEFT_OP_CODE_DW), random32(), 50, false), 0);
      continue;
    }
    weft_insn good = b.random_insn(), bad = b.random_insn();
    weft_insn_DW *in = &bad.DW;
    uint32_t have = weft_dwbuf_words(&b.cfg), block = in->c_words * (12 + in->kh * in->kw);
    switch (i % 10) {
    case 0: in->kh = (uint32_t)pick(8, 255); break;
    case 1: in->kw = (uint32_t)pick(8, 255); break;
    case 2: in->stride_x = (uint32_t)pick(5, 31); break;
    case 3: in->stride_y = (uint32_t)pick(5, 31); break;
    case 4: in->p_base = (uint32_t)pick(have - block + 1, 65535); break;
    case 5: in->a_base = (uint32_t)pick((int)b.words, 0xfffff); break;
    case 6: in->o_base = (uint32_t)pick((int)b.words, 0xfffff); break;
    case 7: in->a_ring_start = in->a_ring_rows + (uint32_t)pick(0, 3); break;
    case 8: in->o_ring_start = in->o_ring_rows + (uint32_t)pick(0, 3); break;
    default:
      in->lut_en = 1;
      in->lut_slot = (uint32_t)pick(b.cfg.lut_slots, 15);
      break;
    }
    if (verdict(b.sim, bad) != WEFT_ERROR_ILLEGAL) continue;
    if (i % 10 == 5) in->pad_top = in->pad_left = 0; // must read something
    while (!b.step(&good)) {
    }
    weft_occupancy o = weft_dw_occupancy(&b.cfg, &good.DW);
    assert_int_equal(b.refuse(bad, random32(), o.prepare + o.stream + o.drain + 60000), 0);
    seen++;
    b.adopt();
  }
  print_message("%s: %d faults\n", PRESET, seen);
}
} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(instructions), cmocka_unit_test(every_shape),
                              cmocka_unit_test(faults)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
