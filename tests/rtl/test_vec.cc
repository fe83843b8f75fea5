// The vector unit against the C model: random instructions of all operations back to back and with
// gaps, results in the scratchpad, and every start, first read, last write and `done` in the cycle
// that docs/microarchitecture.md gives. The scratchpad is the bench's own: what is read is there
// T_SPAD_READ cycles later, what is written at once.
//
// WEFT_RTL_COUNT multiplies the number of instructions, WEFT_RTL_SEED makes other ones,
// WEFT_RTL_INI is an ini file over the preset (for a model that was built with its constants).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>

#include "isa.h"
#include "occupancy.h"
#include "state.h"
}

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "Vtb.h"
#include "verilated.h"

namespace {

using words = std::set<uint32_t>;

struct job {
  weft_insn insn;
  uint32_t index;
  uint64_t offered, start, begin, end_of_stream, end;
  bool reads_first;
  words reads, writes;
};

class bench {
 public:
  Vtb *top = new Vtb;
  weft_config cfg;
  weft_sim *sim;
  uint32_t w, spad_words;
  std::vector<uint8_t> spad;
  std::mt19937_64 rng;
  uint64_t now = 0, stream_free = 0, last_write = 0, checked = 0;
  uint32_t next_index = 100;
  std::deque<job> flight;
  uint64_t faults = 0;

  explicit bench(uint64_t seed) : rng(seed) {
    weft_err err;
    if (weft_config_preset(&cfg, PRESET, &err)) fail_msg("%s", err.text);
    const char *ini = getenv("WEFT_RTL_INI");
    if (ini && weft_config_file(&cfg, ini, &err)) fail_msg("%s", err.text);
    sim = weft_sim_new(&cfg, 4096, &err);
    w = weft_word_bytes(&cfg);
    spad_words = weft_spad_words(&cfg);
    spad.resize((size_t)spad_words * w);
    top->clk = 0;
    top->ld_en = 0;
    top->insn_valid = 0;
    reset();
  }
  ~bench() {
    weft_sim_free(sim);
    delete top;
  }

  uint32_t below(uint32_t n) { return n ? (uint32_t)(rng() % n) : 0; }
  int range(int lo, int hi) { return lo + (int)below((uint32_t)(hi - lo + 1)); }
  bool chance(int percent) { return range(0, 99) < percent; }

  void reset() {
    top->rst = 1;
    for (int i = 0; i < 3; i++) clock();
    top->rst = 0;
    flight.clear();
    stream_free = now;
  }

  // One cycle: settles the outputs, checks them, clocks.
  void clock() {
    // What was asked for two cycles ago; otherwise rubbish.
    std::vector<uint8_t> data(w);
    for (auto &b : data) b = (uint8_t)rng();
    if (asked[1] < spad_words) memcpy(data.data(), &spad[(size_t)asked[1] * w], w);
    memcpy(&top->rd_data, data.data(), w);
    top->eval();
    if (!top->rst) check_outputs();
    asked[1] = asked[0];
    asked[0] = !top->rst && top->rd_en ? top->rd_addr : UINT32_MAX;
    top->clk = 1;
    top->eval();
    top->clk = 0;
    now++;
  }

  void load_word(int mem, uint32_t addr, const uint8_t *from) {
    top->ld_en = 1;
    top->ld_mem = (uint8_t)mem;
    top->ld_addr = addr;
    memset(&top->ld_be, 0, sizeof top->ld_be);
    for (uint32_t i = 0; i < w; i++) ((uint8_t *)&top->ld_be)[i / 8] |= (uint8_t)(1 << i % 8);
    memcpy(&top->ld_data, from, w);
    clock();
    top->ld_en = 0;
  }

  // New tables, in the model and over LOAD's bus.
  void load_tables(int kind) {
    for (int mem : {WEFT_MEM_LUT, WEFT_MEM_EXP}) {
      uint8_t *m = sim->mem[mem];
      for (size_t i = 0; i < sim->size[mem]; i++) m[i] = (uint8_t)rng();
      if (mem == WEFT_MEM_EXP && kind != 0)
        for (size_t i = 0; i + 4 <= sim->size[mem]; i += 4) {
          static const int32_t halves[] = {-6144, -2049, -2048, -2047, 2047, 2048, 2049, 6144};
          int32_t e = kind == 3 ? 0 : kind == 4 ? halves[below(8)] : 0x7fffffff;
          double decay = kind == 1 ? 0.9 : 0.99;
          for (size_t k = 0; kind < 3 && k < i / 4 % 256; k++) e = (int32_t)(e * decay);
          memcpy(m + i, &e, 4);
        }
      for (uint32_t i = 0; i < sim->size[mem] / w; i++) load_word(mem, i, m + (size_t)i * w);
    }
  }

  void fill(int kind) {
    int constant = range(-128, 127);
    for (auto &b : spad)
      b = (uint8_t)(kind == 0   ? range(-128, 127)
                    : kind == 1 ? constant
                    : kind == 2 ? (chance(3) ? 127 : -128)
                                : range(-3, 3));
    memcpy(sim->mem[WEFT_MEM_SPAD], spad.data(), spad.size());
  }

  void set_insn(const weft_insn *insn, uint32_t index) {
    uint8_t code[WEFT_INSN_BYTES];
    weft_err err;
    if (weft_encode(insn, code, &err)) fail_msg("%s", err.text);
    memcpy(&top->insn, code, sizeof code);
    top->insn_index = index;
  }

  // Offers a valid instruction until it is taken, runs it in the model.
  void issue(job j) {
    for (;;) { // what it reads must be there
      bool wait = false;
      for (auto &f : flight)
        for (uint32_t x : f.writes)
          if (j.reads.count(x)) wait = true;
      if (!wait) break;
      clock();
    }
    j.index = next_index++;
    j.offered = now;
    set_insn(&j.insn, j.index);
    top->insn_valid = 1;
    j.start = now > stream_free ? now : stream_free;
    weft_occupancy o = weft_insn_occupancy(&cfg, &j.insn);
    j.begin = j.start + o.prepare;
    j.end_of_stream = stream_free = j.begin + o.stream;
    j.end = j.end_of_stream + o.drain;
    flight.push_back(j);
    switch (j.insn.opcode) {
    case WEFT_OP_CODE_VEW: weft_exec_vew(sim, &j.insn.VEW); break;
    case WEFT_OP_CODE_VPOOL: weft_exec_vpool(sim, &j.insn.VPOOL); break;
    default: weft_exec_vrow(sim, &j.insn.VROW); break;
    }
    while (now <= j.start) clock(); // check_outputs() sees that it is taken in cycle start
    top->insn_valid = 0;
    for (size_t i = 0; i < sizeof(top->insn); i++) ((uint8_t *)&top->insn)[i] = (uint8_t)rng();
    checked++;
  }

  void drain() {
    while (!flight.empty()) clock();
    for (int i = 0; i < 3; i++) clock();
  }

  void compare(const char *what) {
    const uint8_t *m = sim->mem[WEFT_MEM_SPAD];
    for (size_t i = 0; i < spad.size(); i++)
      if (spad[i] != m[i])
        fail_msg("%s: word %zu byte %zu is %d, expected %d", what, i / w, i % w, (int8_t)spad[i],
                 (int8_t)m[i]);
  }

  std::string text(const job &j) {
    char line[1024];
    weft_disasm(&j.insn, line, sizeof line);
    return line;
  }

 private:
  uint32_t asked[2] = {UINT32_MAX, UINT32_MAX};

  void check_outputs() {
    bool taken = top->insn_valid && top->insn_ready, should = false, active = false;
    for (auto &f : flight) {
      if (f.start == now) should = true;
      if (f.start <= now && now < f.end_of_stream) active = true;
      if (f.begin == now && f.reads_first && !top->rd_en)
        fail_msg("no read in stream begin: %s", text(f).c_str());
    }
    if (checking_times) {
      if (taken != should)
        fail_msg("cycle %llu: %staken: %s", (unsigned long long)now, taken ? "" : "not ",
                 text(flight.back()).c_str());
      if (active != (bool)top->active) fail_msg("active is %d", top->active);
      if (top->fault) fail_msg("fault: %s", text(flight.back()).c_str());
      bool done = !flight.empty() && flight.front().end == now;
      if (done != (bool)top->done)
        fail_msg("cycle %llu: done is %d, expected in %llu: %s", (unsigned long long)now,
                 top->done, (unsigned long long)(flight.empty() ? 0 : flight.front().end),
                 flight.empty() ? "nothing" : text(flight.front()).c_str());
      if (done) {
        if (last_write != now - 1) fail_msg("last write not in end - 1");
        flight.pop_front();
      }
    }
    if (top->fault) faults++;
    if (top->rd_en && top->rd_addr >= spad_words) fail_msg("reads word %u", top->rd_addr);
    if (top->wr_en) {
      if (top->wr_addr >= spad_words) fail_msg("writes word %u", top->wr_addr);
      last_write = now;
      pending_write();
    }
  }
  // A read of cycle t + 1 sees what is written in t: the bench reads memory 2 cycles after the
  // address, so the order within a cycle does not matter to programs that own their words.
  void pending_write() {
    const uint8_t *be = (const uint8_t *)&top->wr_be, *data = (const uint8_t *)&top->wr_data;
    for (uint32_t i = 0; i < w; i++)
      if (be[i / 8] >> i % 8 & 1) spad[(size_t)top->wr_addr * w + i] = data[i];
  }

 public:
  bool checking_times = true;
};

// Random operand for rows x pixels of n words.
weft_operand place(bench &b, uint32_t rows, uint32_t pixels, uint32_t n, bool result) {
  weft_operand o;
  o.pix_stride = n + (b.chance(30) ? b.below(4) : 0);
  if (!result && b.chance(5)) o.pix_stride = b.below(n + 1);
  o.row_stride = (pixels - 1) * o.pix_stride + n + (b.chance(30) ? b.below(9) : 0);
  if (!result && b.chance(5)) o.row_stride = b.below(o.row_stride + 1);
  o.ring_rows = b.chance(25) ? 1 + b.below(rows) : rows + b.below(3);
  o.ring_start = b.below(o.ring_rows);
  uint64_t size = (uint64_t)(o.ring_rows - 1) * o.row_stride + (pixels - 1) * o.pix_stride + n;
  o.base = size < b.spad_words ? b.below((uint32_t)(b.spad_words - size + 1)) : 0;
  return o;
}

words touched(const weft_operand &o, uint32_t rows, uint32_t pixels, uint32_t n) {
  words r;
  for (uint32_t y = 0; y < rows; y++)
    for (uint32_t x = 0; x < pixels; x++)
      for (uint32_t c = 0; c < n; c++) r.insert(weft_row_word(&o, y) + x * o.pix_stride + c);
  return r;
}

uint32_t multiplier(bench &b) {
  return b.chance(10) ? (b.chance(50) ? 0 : INT32_MAX)
         : b.chance(20) ? (uint32_t)(b.rng() & INT32_MAX)
                        : (1u << 30) + (uint32_t)(b.rng() & 0x3fffffff);
}
int32_t shift(bench &b) {
  return b.chance(70) ? b.range(-12, 2) : b.range(-31, 31);
}

template <class I> void finish_fields(bench &b, I *i) {
  i->out_zp = b.chance(80) ? b.range(-128, 127) : b.range(-256, 255);
  i->clamp_min = b.chance(70) ? -128 : b.range(-128, 127);
  i->clamp_max = b.chance(70) ? 127 : b.range(i->clamp_min, 127);
  i->round_single = b.chance(40);
  i->lut_en = b.chance(25);
  i->lut_slot = i->lut_en ? b.below(b.cfg.lut_slots) : b.below(16);
}

// What may overlap: nothing, or the result with one operand, the same place with rows apart.
template <class I>
bool apart(const job &j, const I &i, const weft_operand &o, uint32_t rows, size_t distinct,
           bool in_place) {
  (void)i;
  bool meets = false;
  for (uint32_t x : j.writes) meets = meets || j.reads.count(x);
  return !meets || (in_place && j.writes.size() == distinct && o.ring_rows >= rows);
}

bool make_vew(bench &b, job *j, int op, bool small) {
  weft_insn_VEW &v = j->insn.VEW;
  j->insn.opcode = WEFT_OP_CODE_VEW;
  v.op = (uint32_t)op;
  v.out_h = 1 + b.below(small ? 2 : 5);
  v.out_w = 1 + b.below(small ? 2 : 6);
  v.c_words = 1 + b.below(small ? 2 : 4);
  weft_operand a = place(b, v.out_h, v.out_w, v.c_words, false);
  weft_operand o = place(b, v.out_h, v.out_w, v.c_words, true);
  weft_operand c = place(b, v.out_h, v.out_w, v.c_words, false);
  bool in_place = b.chance(25);
  if (in_place) (b.chance(50) ? a : c) = o;
  if (b.chance(10)) c = a;
  WEFT_SET_OPERAND(v, a, a);
  WEFT_SET_OPERAND(v, b, c);
  WEFT_SET_OPERAND(v, o, o);
  bool unary = op == WEFT_VEW_REQUANT || op == WEFT_VEW_COPY;
  if (unary && b.chance(50)) v.b_base = 0xfffff; // ignored
  v.a_zp = b.chance(80) ? b.range(-128, 127) : b.range(-256, 255);
  v.b_zp = b.chance(80) ? b.range(-128, 127) : b.range(-256, 255);
  v.left_shift = b.chance(60) ? 20 : b.below(32);
  v.a_mult = multiplier(b), v.a_shift = shift(b);
  v.b_mult = multiplier(b), v.b_shift = shift(b);
  v.o_mult = multiplier(b), v.o_shift = b.chance(50) ? b.range(-22, -14) : shift(b);
  if (op >= WEFT_VEW_MUL && b.chance(70)) v.o_shift = b.range(-8, 1);
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
  return apart(*j, v, o, v.out_h, (size_t)v.out_h * v.out_w * v.c_words, in_place);
}

bool make_vpool(bench &b, job *j, int op, bool small) {
  weft_insn_VPOOL &v = j->insn.VPOOL;
  j->insn.opcode = WEFT_OP_CODE_VPOOL;
  v.op = (uint32_t)op;
  v.out_h = 1 + b.below(small ? 3 : 5);
  v.out_w = 1 + b.below(small ? 2 : 5);
  v.c_words = 1 + b.below(small ? 1 : 3);
  v.kh = 1 + b.below(small ? 2 : 5);
  v.kw = 1 + b.below(small ? 2 : 5);
  if (!small && b.chance(5)) v.kh = 16, v.kw = 16, v.out_h = v.out_w = v.c_words = 1;
  if (!small && b.chance(2) && op == WEFT_VPOOL_MEAN) v.kh = 40, v.kw = 60;
  v.stride_y = 1 + b.below(b.chance(80) ? 3 : 31);
  v.stride_x = 1 + b.below(b.chance(80) ? 3 : 31);
  v.pad_top = b.chance(60) ? b.below(v.kh) : b.chance(80) ? b.below(12) : b.below(256);
  v.pad_left = b.chance(60) ? b.below(v.kw) : b.chance(80) ? b.below(12) : b.below(256);
  uint32_t h = (v.out_h - 1) * v.stride_y + v.kh, w = (v.out_w - 1) * v.stride_x + v.kw;
  v.in_h = 1 + b.below(b.chance(50) ? h : 6);
  v.in_w = 1 + b.below(b.chance(50) ? w : 6);
  weft_operand a = place(b, v.in_h, v.in_w, v.c_words, false);
  weft_operand o = place(b, v.out_h, v.out_w, v.c_words, true);
  WEFT_SET_OPERAND(v, a, a);
  WEFT_SET_OPERAND(v, o, o);
  v.bias = b.chance(80) ? b.range(-5000, 5000) : (int32_t)b.rng();
  v.o_mult = multiplier(b), v.o_shift = b.chance(60) ? b.range(-8, 0) : shift(b);
  finish_fields(b, &v);
  if (op != WEFT_VPOOL_MEAN && b.chance(70)) v.out_zp = 0;
  if (b.chance(90)) v.lut_en = 0;
  j->reads = touched(a, v.in_h, v.in_w, v.c_words);
  j->writes = touched(o, v.out_h, v.out_w, v.c_words);
  j->reads_first = v.pad_top == 0 && v.pad_left == 0;
  return apart(*j, v, o, v.out_h, 0, false);
}

bool make_vrow(bench &b, job *j, bool small) {
  weft_insn_VROW &v = j->insn.VROW;
  j->insn.opcode = WEFT_OP_CODE_VROW;
  v.op = WEFT_VROW_SOFTMAX;
  v.out_h = 1 + b.below(3);
  v.out_w = 1 + b.below(3);
  v.channels = small        ? 1 + b.below(2)
               : b.chance(70) ? 1 + b.below(4 * b.w)
               : b.chance(70) ? 1 + b.below(300)
                              : 1000;
  v.a_zp = b.range(-256, 255), v.o_mult = multiplier(b), v.o_shift = shift(b); // ignored
  v.exp_slot = b.below(b.cfg.exp_slots);
  uint32_t n = (v.channels + b.w - 1) / b.w;
  weft_operand a = place(b, v.out_h, v.out_w, n, false), o = place(b, v.out_h, v.out_w, n, true);
  bool in_place = b.chance(20);
  if (in_place) a = o;
  WEFT_SET_OPERAND(v, a, a);
  WEFT_SET_OPERAND(v, o, o);
  finish_fields(b, &v);
  if (b.chance(70)) v.out_zp = -128, v.clamp_min = -128, v.clamp_max = 127, v.lut_en = 0;
  j->reads = touched(a, v.out_h, v.out_w, n);
  j->writes = touched(o, v.out_h, v.out_w, n);
  j->reads_first = true;
  return apart(*j, v, o, v.out_h, (size_t)v.out_h * v.out_w * n, in_place);
}

// `kind`: 0 to 6 a VEW operation, 7 to 10 a VPOOL operation, 11 softmax.
job make(bench &b, int kind, bool small) {
  for (;;) {
    job j = {};
    bool ok = kind < 7    ? make_vew(b, &j, kind, small)
              : kind < 11 ? make_vpool(b, &j, kind - 7, small)
                          : make_vrow(b, &j, small);
    weft_err err;
    if (ok && weft_validate(b.sim, &j.insn, &err) == WEFT_ERROR_NONE) return j;
  }
}

uint64_t number(const char *name, uint64_t otherwise) {
  const char *v = getenv(name);
  return v ? strtoull(v, nullptr, 0) : otherwise;
}

// Batches of instructions of the kinds [from, to], densely and with gaps.
void random_batches(int from, int to, int batches, bool small) {
  bench b(number("WEFT_RTL_SEED", 1) * 1000 + (uint64_t)from * 50 + (uint64_t)to + small);
  if (from == 11 && !b.cfg.vec_softmax) return;
  if (to == 11 && !b.cfg.vec_softmax) to = 10;
  batches *= (int)number("WEFT_RTL_COUNT", 1);
  for (int n = 0; n < batches; n++) {
    b.load_tables(n % 5);
    b.fill(b.range(0, 3));
    int gaps = b.chance(50) ? 0 : b.range(0, 20);
    for (int i = 0; i < 12; i++) {
      b.issue(make(b, b.range(from, to), small));
      for (int g = gaps ? b.range(0, gaps) : 0; g > 0; g--) b.clock();
    }
    b.drain();
    char what[64];
    snprintf(what, sizeof what, "batch %d", n);
    b.compare(what);
  }
  print_message("%llu instructions, %llu cycles\n", (unsigned long long)b.checked,
                (unsigned long long)b.now);
}

void elementwise(void **) { random_batches(0, 6, 120, false); }
void windows(void **) { random_batches(7, 10, 150, false); }
void softmax(void **) { random_batches(11, 11, 25, false); }
void mixed(void **) { random_batches(0, 11, 80, false); }
void tiny(void **) { random_batches(0, 11, 200, true); }

// Averages over windows of every size, all sums that are near a half in some lane.
void averages(void **) {
  bench b(7);
  for (int op : {WEFT_VPOOL_AVG, WEFT_VPOOL_AVG_UP})
    for (uint32_t n = 1; n <= 256; n++) {
      b.fill(n % 3 ? 0 : 3);
      for (uint32_t kh = 1; kh <= 16; kh++) {
        if (n % kh || (kh == 1 && n > 200)) continue;
        job j = {};
        j.insn.opcode = WEFT_OP_CODE_VPOOL;
        weft_insn_VPOOL &v = j.insn.VPOOL;
        v.op = (uint32_t)op;
        v.kh = v.in_h = kh;
        v.kw = n / kh;
        v.out_w = 4, v.out_h = 1, v.c_words = 1, v.stride_x = v.stride_y = 1;
        v.in_w = v.kw + 3;
        v.a_ring_rows = kh, v.a_row_stride = v.in_w, v.a_pix_stride = 1;
        v.o_ring_rows = 1, v.o_pix_stride = 1, v.o_base = b.spad_words - 4;
        v.clamp_min = -128, v.clamp_max = 127;
        weft_err err;
        if (weft_validate(b.sim, &j.insn, &err)) continue;
        j.reads_first = true;
        j.reads = {0};
        j.writes = {v.o_base};
        b.issue(j);
        b.drain();
        b.compare("average");
      }
    }
  print_message("%llu averages\n", (unsigned long long)b.checked);
}

// Instructions that must be refused, alone and behind a good one.
void refusals(void **) {
  bench b(3);
  int cases = 0;
  for (int n = 0; n < 400; n++) {
    b.checking_times = true;
    b.reset();
    b.fill(0);
    int kind = b.range(0, 11);
    if (b.chance(50)) b.issue(make(b, b.range(0, b.cfg.vec_softmax ? 11 : 10), false));
    job j = {};
    if (kind < 11 || b.cfg.vec_softmax)
      j = make(b, kind, true);
    else
      while (!make_vrow(b, &j, true)) j = {}; // absent: refused whatever it is
    weft_insn &i = j.insn;
    uint32_t over = b.spad_words;
    if (kind < 7) switch (b.range(0, 8)) {
      case 0: i.VEW.a_shift = -32; break;
      case 1: i.VEW.b_shift = -32; break;
      case 2: i.VEW.o_shift = -32; break;
      case 3: i.VEW.lut_en = 1, i.VEW.lut_slot = b.cfg.lut_slots & 15; break;
      case 4: i.VEW.a_base = over; break;
      case 5: i.VEW.o_base = over; break;
      case 6: i.VEW.a_ring_start = i.VEW.a_ring_rows; break;
      case 7: i.VEW.o_ring_start = i.VEW.o_ring_rows; break;
      default:
        i.VEW.o_ring_rows = 4095, i.VEW.o_ring_start = 4000, i.VEW.o_row_stride = 65535; break;
      }
    else if (kind < 11) switch (b.range(0, 5)) {
      case 0: i.VPOOL.o_shift = -32; break;
      case 1: i.VPOOL.lut_en = 1, i.VPOOL.lut_slot = 15; break;
      case 2: i.VPOOL.a_base = over, i.VPOOL.pad_top = i.VPOOL.pad_left = 0; break;
      case 3: i.VPOOL.o_base = over; break;
      case 4: i.VPOOL.a_ring_start = i.VPOOL.a_ring_rows; break;
      default:
        i.VPOOL.op = b.chance(50) ? WEFT_VPOOL_AVG : WEFT_VPOOL_AVG_UP;
        if (b.chance(50)) i.VPOOL.kh = 257, i.VPOOL.kw = 1;
        else if (b.chance(50)) i.VPOOL.kh = 1, i.VPOOL.kw = 4095;
        else i.VPOOL.kh = 16, i.VPOOL.kw = 17;
      }
    else switch (b.range(0, 3)) {
      case 0: i.VROW.op = WEFT_VROW_LAYERNORM; break;
      case 1:
        if (b.cfg.exp_slots == 4) i.VROW.a_base = over;
        else i.VROW.exp_slot = b.cfg.exp_slots;
        break;
      case 2: i.VROW.a_base = over; break;
      default: i.VROW.o_base = over; break;
      }
    weft_err err;
    if (weft_validate(b.sim, &i, &err) != WEFT_ERROR_ILLEGAL) continue;
    cases++;
    b.drain();
    b.checking_times = false;
    b.faults = 0;
    uint64_t wrote = b.last_write;
    b.set_insn(&i, 77);
    b.top->insn_valid = 1;
    b.top->eval();
    assert_true(b.top->insn_ready);
    b.clock();
    bool seen = false;
    for (int t = 0; t < 60; t++) {
      if (b.top->fault) {
        seen = true;
        assert_int_equal(b.top->fault_cause, WEFT_ERROR_ILLEGAL);
        assert_int_equal(b.top->fault_index, 77);
        assert_int_equal(b.top->fault_addr, 0);
      }
      assert_false(b.top->done);
      if (seen) assert_false(b.top->insn_ready);
      b.clock();
    }
    b.top->insn_valid = 0;
    if (!seen || b.faults != 1) fail_msg("%d faults: %s", (int)b.faults, b.text(j).c_str());
    // What lies outside is not written; with o inside, rows before the first wrong one may be.
    if (i.opcode != WEFT_OP_CODE_VPOOL && b.last_write != wrote)
      fail_msg("writes before the refusal: %s (%s)", b.text(j).c_str(), err.text);
    memcpy(b.sim->mem[WEFT_MEM_SPAD], b.spad.data(), b.spad.size());
  }
  print_message("%d refusals\n", cases);
}

} // namespace

int main(int argc, char **argv) {
  Verilated::commandArgs(argc, argv);
  const struct CMUnitTest tests[] = {cmocka_unit_test(elementwise), cmocka_unit_test(windows),
                                     cmocka_unit_test(softmax),     cmocka_unit_test(mixed),
                                     cmocka_unit_test(tiny),        cmocka_unit_test(averages),
                                     cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
