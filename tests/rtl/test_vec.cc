// The vector unit against the C model: random instructions of all operations back to back and with
// gaps; results in the scratchpad, and every start, first read, last write and `done` in the cycle
// that docs/microarchitecture.md gives. Then averages over windows of every size, and refusals.
#include <set>

#include "unit_bench.h"

namespace {
using namespace bench;

using Words = std::set<uint32_t>;

struct Job {
  weft_insn insn;
  bool reads_first; // it reads in the cycle in which it begins to stream
  Words reads, writes;
};

struct Bench : Unit {
  std::deque<Job> jobs; // as in `flight`, then the one at the port

  void execute(const weft_insn &insn) override {
    switch (insn.opcode) {
    case WEFT_OP_CODE_VEW: weft_exec_vew(sim, &insn.VEW); break;
    case WEFT_OP_CODE_VPOOL: weft_exec_vpool(sim, &insn.VPOOL); break;
    default: weft_exec_vrow(sim, &insn.VROW); break;
    }
  }
  void watch() override {
    for (size_t i = 0; i < flight.size(); i++)
      if (flight[i].t.begin == now && jobs[i].reads_first && !top.rd_en)
        fail_msg("no read when it begins: %s", text(flight[i].insn).c_str());
    if (flight.empty() || flight[0].t.end != now) return;
    if (last_write != now - 1) fail_msg("last write not in end - 1");
    jobs.pop_front();
  }

  // New tables, in the model and over LOAD's bus.
  void load_tables(int kind) {
    for (int mem : {WEFT_MEM_LUT, WEFT_MEM_EXP}) {
      uint8_t *m = sim->mem[mem];
      randomize(m, sim->size[mem]);
      if (mem == WEFT_MEM_EXP && kind != 0)
        for (size_t i = 0; i + 4 <= sim->size[mem]; i += 4) {
          static const int32_t halves[] = {-6144, -2049, -2048, -2047, 2047, 2048, 2049, 6144};
          int32_t e = kind == 3 ? 0 : kind == 4 ? halves[below(8)] : 0x7fffffff;
          double decay = kind == 1 ? 0.9 : 0.99;
          for (size_t k = 0; kind < 3 && k < i / 4 % 256; k++) e = (int32_t)(e * decay);
          memcpy(m + i, &e, 4);
        }
      load(mem);
    }
  }

  void fill(int kind) {
    int constant = pick(-128, 127);
    for (auto &b : spad)
      b = (uint8_t)(kind == 0   ? pick(-128, 127)
                    : kind == 1 ? constant
                    : kind == 2 ? (chance(3) ? 127 : -128)
                                : pick(-3, 3));
    adopt();
  }

  // Offers a valid instruction until it is taken.
  void issue(const Job &j) {
    auto conflict = [&] { // what it reads must be there
      for (auto &f : jobs)
        for (uint32_t x : f.writes)
          if (j.reads.count(x)) return true;
      return false;
    };
    while (conflict()) step(nullptr);
    jobs.push_back(j);
    while (!step(&j.insn, (uint32_t)instructions)) {
    }
  }
};

// Random operand for rows x pixels of n words.
weft_operand place(Bench &b, uint32_t rows, uint32_t pixels, uint32_t n, bool result) {
  weft_operand o;
  o.pix_stride = n + (chance(30) ? below(4) : 0);
  if (!result && chance(5)) o.pix_stride = below(n + 1);
  o.row_stride = (pixels - 1) * o.pix_stride + n + (chance(30) ? below(9) : 0);
  if (!result && chance(5)) o.row_stride = below(o.row_stride + 1);
  o.ring_rows = chance(25) ? 1 + below(rows) : rows + below(3);
  o.ring_start = below(o.ring_rows);
  uint64_t size = (uint64_t)(o.ring_rows - 1) * o.row_stride + (pixels - 1) * o.pix_stride + n;
  o.base = size < b.words ? below((uint32_t)(b.words - size + 1)) : 0;
  return o;
}

Words touched(const weft_operand &o, uint32_t rows, uint32_t pixels, uint32_t n) {
  Words r;
  for (uint32_t y = 0; y < rows; y++)
    for (uint32_t x = 0; x < pixels; x++)
      for (uint32_t c = 0; c < n; c++) r.insert(weft_row_word(&o, y) + x * o.pix_stride + c);
  return r;
}

uint32_t multiplier() {
  return chance(10)   ? (chance(50) ? 0 : INT32_MAX)
         : chance(20) ? (uint32_t)(rng() & INT32_MAX)
                      : (1u << 30) + (uint32_t)(rng() & 0x3fffffff);
}
int32_t shift() {
  return chance(70) ? pick(-12, 2) : pick(-31, 31);
}

template <class I> void finish_fields(Bench &b, I *i) {
  i->out_zp = chance(80) ? pick(-128, 127) : pick(-256, 255);
  i->clamp_min = chance(70) ? -128 : pick(-128, 127);
  i->clamp_max = chance(70) ? 127 : pick(i->clamp_min, 127);
  i->round_single = chance(40);
  i->lut_en = chance(25);
  i->lut_slot = i->lut_en ? below(b.cfg.lut_slots) : below(16);
}

// What may overlap: nothing, or the result with one operand, the same place with rows apart.
bool apart(const Job &j, const weft_operand &o, uint32_t rows, size_t distinct, bool in_place) {
  bool meets = false;
  for (uint32_t x : j.writes) meets = meets || j.reads.count(x);
  return !meets || (in_place && j.writes.size() == distinct && o.ring_rows >= rows);
}

bool make_vew(Bench &b, Job *j, int op, bool small) {
  weft_insn_VEW &v = j->insn.VEW;
  j->insn.opcode = WEFT_OP_CODE_VEW;
  v.op = (uint32_t)op;
  v.out_h = 1 + below(small ? 2 : 5);
  v.out_w = 1 + below(small ? 2 : 6);
  v.c_words = 1 + below(small ? 2 : 4);
  weft_operand a = place(b, v.out_h, v.out_w, v.c_words, false);
  weft_operand o = place(b, v.out_h, v.out_w, v.c_words, true);
  weft_operand c = place(b, v.out_h, v.out_w, v.c_words, false);
  bool in_place = chance(25);
  if (in_place) (chance(50) ? a : c) = o;
  if (chance(10)) c = a;
  WEFT_SET_OPERAND(v, a, a);
  WEFT_SET_OPERAND(v, b, c);
  WEFT_SET_OPERAND(v, o, o);
  bool unary = op == WEFT_VEW_REQUANT || op == WEFT_VEW_COPY;
  if (unary && chance(50)) v.b_base = 0xfffff; // ignored
  v.a_zp = chance(80) ? pick(-128, 127) : pick(-256, 255);
  v.b_zp = chance(80) ? pick(-128, 127) : pick(-256, 255);
  v.left_shift = chance(60) ? 20 : below(32);
  v.a_mult = multiplier(), v.a_shift = shift();
  v.b_mult = multiplier(), v.b_shift = shift();
  v.o_mult = multiplier(), v.o_shift = chance(50) ? pick(-22, -14) : shift();
  if (op >= WEFT_VEW_MUL && chance(70)) v.o_shift = pick(-8, 1);
  finish_fields(b, &v);
  j->reads = touched(a, v.out_h, v.out_w, v.c_words);
  if (!unary) j->reads.merge(touched(c, v.out_h, v.out_w, v.c_words));
  j->writes = touched(o, v.out_h, v.out_w, v.c_words);
  j->reads_first = true;
  // In place means that the only meeting is with an operand that is o itself.
  if (in_place) {
    const weft_operand *other = memcmp(&a, &o, sizeof a) == 0 ? (unary ? &a : &c) : &a;
    if (memcmp(other, &o, sizeof o) != 0)
      for (uint32_t x : touched(*other, v.out_h, v.out_w, v.c_words))
        if (j->writes.count(x)) return false;
  }
  return apart(*j, o, v.out_h, (size_t)v.out_h * v.out_w * v.c_words, in_place);
}

bool make_vpool(Bench &b, Job *j, int op, bool small) {
  weft_insn_VPOOL &v = j->insn.VPOOL;
  j->insn.opcode = WEFT_OP_CODE_VPOOL;
  v.op = (uint32_t)op;
  v.out_h = 1 + below(small ? 3 : 5);
  v.out_w = 1 + below(small ? 2 : 5);
  v.c_words = 1 + below(small ? 1 : 3);
  v.kh = 1 + below(small ? 2 : 5);
  v.kw = 1 + below(small ? 2 : 5);
  if (!small && chance(5)) v.kh = 16, v.kw = 16, v.out_h = v.out_w = v.c_words = 1;
  if (!small && chance(2) && op == WEFT_VPOOL_MEAN) v.kh = 40, v.kw = 60;
  v.stride_y = 1 + below(chance(80) ? 3 : 31);
  v.stride_x = 1 + below(chance(80) ? 3 : 31);
  v.pad_top = chance(60) ? below(v.kh) : chance(80) ? below(12) : below(256);
  v.pad_left = chance(60) ? below(v.kw) : chance(80) ? below(12) : below(256);
  uint32_t h = (v.out_h - 1) * v.stride_y + v.kh, w = (v.out_w - 1) * v.stride_x + v.kw;
  v.in_h = 1 + below(chance(50) ? h : 6);
  v.in_w = 1 + below(chance(50) ? w : 6);
  weft_operand a = place(b, v.in_h, v.in_w, v.c_words, false);
  weft_operand o = place(b, v.out_h, v.out_w, v.c_words, true);
  WEFT_SET_OPERAND(v, a, a);
  WEFT_SET_OPERAND(v, o, o);
  v.bias = chance(80) ? pick(-5000, 5000) : (int32_t)rng();
  v.o_mult = multiplier(), v.o_shift = chance(60) ? pick(-8, 0) : shift();
  finish_fields(b, &v);
  if (op != WEFT_VPOOL_MEAN && chance(70)) v.out_zp = 0;
  if (chance(90)) v.lut_en = 0;
  j->reads = touched(a, v.in_h, v.in_w, v.c_words);
  j->writes = touched(o, v.out_h, v.out_w, v.c_words);
  j->reads_first = v.pad_top == 0 && v.pad_left == 0;
  return apart(*j, o, v.out_h, 0, false);
}

bool make_vrow(Bench &b, Job *j, bool small) {
  weft_insn_VROW &v = j->insn.VROW;
  j->insn.opcode = WEFT_OP_CODE_VROW;
  v.op = WEFT_VROW_SOFTMAX;
  v.out_h = 1 + below(3);
  v.out_w = 1 + below(3);
  v.channels = small        ? 1 + below(2)
               : chance(70) ? 1 + below(4 * b.w)
               : chance(70) ? 1 + below(300)
                            : 1000;
  v.a_zp = pick(-256, 255), v.o_mult = multiplier(), v.o_shift = shift(); // ignored
  v.exp_slot = below(b.cfg.exp_slots);
  uint32_t n = (v.channels + b.w - 1) / b.w;
  weft_operand a = place(b, v.out_h, v.out_w, n, false), o = place(b, v.out_h, v.out_w, n, true);
  bool in_place = chance(20);
  if (in_place) a = o;
  WEFT_SET_OPERAND(v, a, a);
  WEFT_SET_OPERAND(v, o, o);
  finish_fields(b, &v);
  if (chance(70)) v.out_zp = -128, v.clamp_min = -128, v.clamp_max = 127, v.lut_en = 0;
  j->reads = touched(a, v.out_h, v.out_w, n);
  j->writes = touched(o, v.out_h, v.out_w, n);
  j->reads_first = true;
  return apart(*j, o, v.out_h, (size_t)v.out_h * v.out_w * n, in_place);
}

// `kind`: 0 to 6 a VEW operation, 7 to 10 a VPOOL operation, 11 softmax.
Job make(Bench &b, int kind, bool small) {
  for (;;) {
    Job j = {};
    bool ok = kind < 7    ? make_vew(b, &j, kind, small)
              : kind < 11 ? make_vpool(b, &j, kind - 7, small)
                          : make_vrow(b, &j, small);
    if (ok && verdict(b.sim, j.insn) == WEFT_ERROR_NONE) return j;
  }
}

// Batches of instructions of the kinds [from, to], densely and with gaps.
void random_batches(int from, int to, int batches, bool small) {
  Bench b;
  if (!b.cfg.vec_softmax) to = std::min(to, 10);
  if (from > to) skip();
  rng.seed((uint64_t)(from * 50 + to + small));
  for (int n = 0; n < batches * count(); n++) {
    b.load_tables(n % 5);
    b.fill(pick(0, 3));
    int gaps = one_in(2) ? 0 : pick(0, 20);
    for (int i = 0; i < 12; i++) {
      b.issue(make(b, pick(from, to), small));
      for (int g = gaps ? pick(0, gaps) : 0; g > 0; g--) b.step(nullptr);
    }
    b.drain();
    b.compare("batch " + std::to_string(n));
  }
  b.report();
}

void elementwise(void **) {
  random_batches(0, 6, 120, false);
}
void windows(void **) {
  random_batches(7, 10, 150, false);
}
void softmax(void **) {
  random_batches(11, 11, 25, false);
}
void mixed(void **) {
  random_batches(0, 11, 80, false);
}
void tiny(void **) {
  random_batches(0, 11, 200, true);
}

// Averages over windows of every size, all sums that are near a half in some lane.
void averages(void **) {
  Bench b;
  for (int op : {WEFT_VPOOL_AVG, WEFT_VPOOL_AVG_UP})
    for (uint32_t n = 1; n <= 256; n++) {
      b.fill(n % 3 ? 0 : 3);
      for (uint32_t kh = 1; kh <= 16; kh++) {
        if (n % kh || (kh == 1 && n > 200)) continue;
        Job j = {};
        j.insn.opcode = WEFT_OP_CODE_VPOOL;
        weft_insn_VPOOL &v = j.insn.VPOOL;
        v.op = (uint32_t)op;
        v.kh = v.in_h = kh;
        v.kw = n / kh;
        v.out_w = 4, v.out_h = 1, v.c_words = 1, v.stride_x = v.stride_y = 1;
        v.in_w = v.kw + 3;
        v.a_ring_rows = kh, v.a_row_stride = v.in_w, v.a_pix_stride = 1;
        v.o_ring_rows = 1, v.o_pix_stride = 1, v.o_base = b.words - 4;
        v.clamp_min = -128, v.clamp_max = 127;
        if (verdict(b.sim, j.insn) != WEFT_ERROR_NONE) continue;
        j.reads_first = true;
        j.reads = {0};
        j.writes = {v.o_base};
        b.issue(j);
        b.drain();
        b.compare("average");
      }
    }
  b.report();
}

// Instructions that must be refused, alone and behind a good one.
void refusals(void **) {
  Bench b;
  int cases = 0;
  for (int n = 0; n < 400; n++) {
    b.reset();
    b.jobs.clear();
    b.fill(0);
    int kind = pick(0, 11);
    if (chance(50)) b.issue(make(b, pick(0, b.cfg.vec_softmax ? 11 : 10), false));
    Job j = {};
    if (kind < 11 || b.cfg.vec_softmax)
      j = make(b, kind, true);
    else
      while (!make_vrow(b, &j, true)) j = {}; // absent: refused whatever it is
    weft_insn &i = j.insn;
    uint32_t over = b.words;
    if (kind < 7) switch (pick(0, 8)) {
      case 0: i.VEW.a_shift = -32; break;
      case 1: i.VEW.b_shift = -32; break;
      case 2: i.VEW.o_shift = -32; break;
      case 3: i.VEW.lut_en = 1, i.VEW.lut_slot = b.cfg.lut_slots & 15; break;
      case 4: i.VEW.a_base = over; break;
      case 5: i.VEW.o_base = over; break;
      case 6: i.VEW.a_ring_start = i.VEW.a_ring_rows; break;
      case 7: i.VEW.o_ring_start = i.VEW.o_ring_rows; break;
      default:
        i.VEW.o_ring_rows = 4095, i.VEW.o_ring_start = 4000, i.VEW.o_row_stride = 65535;
        break;
      }
    else if (kind < 11)
      switch (pick(0, 5)) {
      case 0: i.VPOOL.o_shift = -32; break;
      case 1: i.VPOOL.lut_en = 1, i.VPOOL.lut_slot = 15; break;
      case 2: i.VPOOL.a_base = over, i.VPOOL.pad_top = i.VPOOL.pad_left = 0; break;
      case 3: i.VPOOL.o_base = over; break;
      case 4: i.VPOOL.a_ring_start = i.VPOOL.a_ring_rows; break;
      default:
        i.VPOOL.op = chance(50) ? WEFT_VPOOL_AVG : WEFT_VPOOL_AVG_UP;
        if (chance(50))
          i.VPOOL.kh = 257, i.VPOOL.kw = 1;
        else if (chance(50))
          i.VPOOL.kh = 1, i.VPOOL.kw = 4095;
        else
          i.VPOOL.kh = 16, i.VPOOL.kw = 17;
      }
    else
      switch (pick(0, 3)) {
      case 0: i.VROW.op = WEFT_VROW_LAYERNORM; break;
      case 1:
        if (b.cfg.exp_slots == 4)
          i.VROW.a_base = over;
        else
          i.VROW.exp_slot = b.cfg.exp_slots;
        break;
      case 2: i.VROW.a_base = over; break;
      default: i.VROW.o_base = over; break;
      }
    if (verdict(b.sim, i) != WEFT_ERROR_ILLEGAL) continue;
    cases++;
    b.drain();
    uint64_t wrote = b.last_write;
    assert_int_equal(b.refuse(i, random32(), 60), 0);
    // What lies outside is not written; with o inside, rows before the first wrong one may be.
    if (i.opcode != WEFT_OP_CODE_VPOOL && b.last_write != wrote)
      fail_msg("writes before the refusal: %s", text(i).c_str());
    b.adopt();
  }
  print_message("%d refusals\n", cases);
}

} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(elementwise), cmocka_unit_test(windows),
                              cmocka_unit_test(softmax),     cmocka_unit_test(mixed),
                              cmocka_unit_test(tiny),        cmocka_unit_test(averages),
                              cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
