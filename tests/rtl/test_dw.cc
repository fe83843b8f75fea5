// weft_dw against the C model: random DW instructions, back to back and with gaps. Compared are
// the scratchpad (weft_exec_dw), and for every cycle insn_ready's effect (start), `active` and
// `done` with the rules of docs/microarchitecture.md (weft_dw_occupancy). Then faults.
//
// WEFT_RTL_COUNT multiplies the number of instructions; WEFT_RTL_INI names an ini file that the
// device was built with, over the preset.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>
extern "C" {
#include <cmocka.h>
#include "config.h"
#include "isa.h"
#include "occupancy.h"
#include "state.h"
}
#include "Vtb.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {
std::mt19937_64 rng;
int64_t pick(int64_t lo, int64_t hi) { return lo + (int64_t)(rng() % (uint64_t)(hi - lo + 1)); }
bool chance(int n) { return pick(1, n) == 1; } // one in n

// Bytes of a port, whatever type Verilator gave it (little-endian words).
template <class T> void put(T &port, const void *from, size_t bytes) {
  memcpy(&port, from, std::min(bytes, sizeof port));
}
template <class T> void get(const T &port, void *to, size_t bytes) { memcpy(to, &port, bytes); }

struct Times {
  uint64_t start, stream_end, end;
};

struct Bench {
  weft_config cfg;
  weft_sim *sim;
  size_t w, words;
  uint8_t *spad;             // the model's
  std::vector<uint8_t> mine; // the device's
  Vtb dut;
  uint64_t now = 0;
  // reads on their way: what rd_data shows in the cycle that is now
  std::vector<uint8_t> data[3];
  uint64_t dones = 0, faults = 0, reads = 0, writes = 0;
  uint32_t fault_index = 0, fault_cause = 0;
  uint64_t last_done = 0, last_start = 0;
  bool started = false, was_active = false;

  Bench() {
    weft_err err = {""};
    assert_int_equal(weft_config_preset(&cfg, PRESET, &err), WEFT_OK);
    const char *ini = getenv("WEFT_RTL_INI");
    if (ini && weft_config_file(&cfg, ini, &err) != WEFT_OK) fail_msg("%s", err.text);
    sim = weft_sim_new(&cfg, 4096, &err);
    if (!sim) fail_msg("%s", err.text);
    w = weft_word_bytes(&cfg);
    words = weft_spad_words(&cfg);
    size_t n;
    spad = weft_sim_memory(sim, WEFT_MEM_SPAD, &n);
    mine.resize(n);
    for (auto &d : data) d.assign(w, 0);
    reset();
  }
  ~Bench() {
    dut.final();
    weft_sim_free(sim);
  }

  void reset() {
    dut.rst = 1;
    dut.insn_valid = 0;
    dut.ld_en = 0;
    for (int i = 0; i < 3; i++) tick();
    dut.rst = 0;
    dones = faults = 0;
  }

  // One cycle: inputs are set, outputs are looked at, the clock rises.
  void tick() {
    dut.clk = 0;
    put(dut.rd_data, data[now % 3].data(), w);
    dut.eval();
    started = dut.insn_valid && dut.insn_ready && !dut.rst;
    if (started) last_start = now;
    was_active = dut.active;
    if (dut.done) dones++, last_done = now;
    if (dut.fault) {
      if (!faults++) fault_index = dut.fault_index, fault_cause = dut.fault_cause;
    }
    auto &next = data[(now + WEFT_T_SPAD_READ) % 3];
    if (dut.rd_en && !dut.rst) {
      assert_true(dut.rd_addr < words);
      memcpy(next.data(), &mine[dut.rd_addr * w], w);
      reads++;
    } else {
      for (auto &b : next) b = (uint8_t)rng(); // valid in one cycle alone
    }
    if (dut.wr_en && !dut.rst) {
      assert_true(dut.wr_addr < words);
      std::vector<uint8_t> d(w);
      uint64_t be = 0;
      get(dut.wr_data, d.data(), w);
      get(dut.wr_be, &be, (w + 7) / 8);
      for (size_t i = 0; i < w; i++)
        if (be >> i & 1) mine[dut.wr_addr * w + i] = d[i];
      writes++;
    }
    dut.clk = 1;
    dut.eval();
    now++;
  }

  void load_word(int mem, size_t addr, const uint8_t *from, size_t n, uint64_t be) {
    dut.ld_en = 1;
    dut.ld_mem = (uint8_t)mem;
    dut.ld_addr = (uint32_t)addr;
    put(dut.ld_be, &be, sizeof be);
    put(dut.ld_data, from, n);
    tick();
    dut.ld_en = 0;
  }

  // Random memories, the same in the model and the device.
  void randomize() {
    size_t n;
    for (size_t i = 0; i < mine.size(); i++) mine[i] = (uint8_t)rng();
    memcpy(spad, mine.data(), mine.size());
    uint8_t *p = weft_sim_memory(sim, WEFT_MEM_DWBUF, &n);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)rng();
    p = weft_sim_memory(sim, WEFT_MEM_LUT, &n);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)rng();
    load_memories();
  }
  void load_memories() {
    size_t n;
    uint64_t all = ~0ull;
    for (int mem : {(int)WEFT_MEM_DWBUF, (int)WEFT_MEM_LUT}) {
      uint8_t *p = weft_sim_memory(sim, mem, &n);
      for (size_t i = 0; i < n / w; i++) {
        if (chance(8)) { // another memory's
          uint8_t junk[64];
          for (auto &b : junk) b = (uint8_t)rng();
          load_word(WEFT_MEM_PARAM, i, junk, w, all);
        }
        if (w > 4 && chance(8)) { // in two parts
          load_word(mem, i, p + i * w, w, 0x5555555555555555ull);
          load_word(mem, i, p + i * w, w, 0xaaaaaaaaaaaaaaaaull);
        } else {
          load_word(mem, i, p + i * w, w, all);
        }
      }
    }
  }

  // Parameters that do not saturate everything.
  void tame(uint32_t p_base, uint32_t c_words, uint32_t taps) {
    size_t n;
    uint8_t *p = weft_sim_memory(sim, WEFT_MEM_DWBUF, &n);
    for (uint32_t c = 0; c < c_words; c++)
      for (size_t i = 0; i < w; i++) {
        uint8_t *q = p + (p_base + (size_t)c * (12 + taps)) * w + i * 12;
        int32_t bias = (int32_t)pick(-20000, 20000);
        int32_t mult = (int32_t)pick(1 << 30, INT32_MAX);
        if (chance(8)) continue; // wild
        memcpy(q, &bias, 4);
        memcpy(q + 4, &mult, 4);
        q[8] = (uint8_t)pick(-10, -5);
      }
  }

  weft_operand operand(uint64_t rows, uint64_t pixels, uint64_t c_words, bool result) {
    for (int tries = 0;; tries++) {
      weft_operand o;
      bool tight = tries > 3;
      o.ring_rows = (uint32_t)(chance(3) && !result ? pick(1, 3) : rows + (uint64_t)pick(0, 2));
      if (chance(2)) o.ring_rows = (uint32_t)pick(1, o.ring_rows);
      o.ring_start = (uint32_t)pick(0, o.ring_rows - 1);
      o.pix_stride = (uint32_t)(c_words + (tight ? 0 : (uint64_t)pick(0, 2)));
      if (!result && chance(6)) o.pix_stride = (uint32_t)pick(0, 3);
      uint64_t row = (pixels - 1) * o.pix_stride + c_words;
      o.row_stride = (uint32_t)(row + (tight ? 0 : (uint64_t)pick(0, 5)));
      if (!result && chance(6)) o.row_stride = (uint32_t)pick(0, 50);
      uint64_t span = (o.ring_rows - 1) * (uint64_t)o.row_stride + row, half = words / 2;
      if (span > half) {
        if (tries > 20) return o.base = 0xfffff, o;
        continue;
      }
      o.base = (uint32_t)((result ? half : 0) + (uint64_t)pick(0, (int64_t)(half - span)));
      if (chance(8)) o.base = (uint32_t)((result ? 2 : 1) * half - span);
      return o;
    }
  }

  weft_insn random_insn() {
    for (;;) {
      weft_insn insn;
      memset(&insn, 0, sizeof insn);
      insn.opcode = WEFT_OP_CODE_DW;
      weft_insn_DW *in = &insn.DW;
      int most = chance(3) ? 3 : 7;
      in->kh = (uint32_t)pick(1, most);
      in->kw = (uint32_t)pick(1, most);
      if (chance(6)) in->kh = in->kw = 1;
      in->stride_y = (uint32_t)(chance(2) ? 1 : pick(1, 4));
      in->stride_x = (uint32_t)(chance(2) ? 1 : pick(1, 4));
      int limit = chance(4) ? 20 : 8;
      in->in_h = (uint32_t)pick(1, limit);
      in->in_w = (uint32_t)pick(1, limit);
      in->pad_top = (uint32_t)pick(0, pick(0, in->kh));
      in->pad_left = (uint32_t)pick(0, pick(0, in->kw));
      in->out_h = (uint32_t)pick(1, chance(3) ? 1 : 6);
      in->out_w = (uint32_t)pick(1, chance(3) ? 1 : 6);
      if (chance(12)) in->pad_top = (uint32_t)pick(0, 30), in->out_h = (uint32_t)pick(1, 12);
      if (chance(12)) in->pad_left = (uint32_t)pick(0, 30), in->out_w = (uint32_t)pick(1, 30);
      if (chance(60)) in->pad_top = (uint32_t)pick(200, 255), in->out_h = 260 / in->stride_y;
      if (chance(60)) in->pad_left = (uint32_t)pick(200, 255), in->out_w = 260 / in->stride_x;
      uint32_t block = 12 + in->kh * in->kw;
      uint32_t have = weft_dwbuf_words(&cfg);
      in->c_words = (uint32_t)pick(1, std::min<int64_t>(chance(4) ? 6 : 3, have / block));
      in->p_base = (uint32_t)pick(0, have - in->c_words * block);
      if (chance(8)) in->p_base = have - in->c_words * block;
      in->pad_value = (int32_t)pick(-128, 127);
      in->out_zp = (int32_t)(chance(4) ? pick(-256, 255) : pick(-128, 127));
      in->clamp_min = (int32_t)(chance(2) ? -128 : pick(-128, 0));
      in->clamp_max = (int32_t)(chance(2) ? 127 : pick(0, 127));
      in->round_single = (uint32_t)pick(0, 1);
      in->lut_en = chance(4);
      in->lut_slot = (uint32_t)pick(0, in->lut_en ? cfg.lut_slots - 1 : 15);
      uint32_t reach_y = (in->out_h - 1) * in->stride_y + in->kh;
      uint32_t reach_x = (in->out_w - 1) * in->stride_x + in->kw;
      weft_operand a = operand(std::min(reach_y, in->in_h), std::min(reach_x, in->in_w),
                               in->c_words, false);
      weft_operand o = operand(in->out_h, in->out_w, in->c_words, true);
      WEFT_SET_OPERAND(*in, a, a);
      WEFT_SET_OPERAND(*in, o, o);
      weft_err err;
      uint8_t bytes[WEFT_INSN_BYTES];
      weft_occupancy oc = weft_dw_occupancy(&cfg, in);
      if (oc.stream > 20000 || weft_encode(&insn, bytes, &err) != WEFT_OK) continue;
      if (weft_validate(sim, &insn, &err) != WEFT_ERROR_NONE) continue;
      return insn;
    }
  }

  void present(const weft_insn &insn, uint32_t index) {
    weft_err err;
    uint8_t bytes[WEFT_INSN_BYTES];
    assert_int_equal(weft_encode(&insn, bytes, &err), WEFT_OK);
    put(dut.insn, bytes, sizeof bytes);
    dut.insn_index = index;
    dut.insn_valid = 1;
  }
};

std::string describe(const weft_insn &insn) {
  char text[1024];
  weft_disasm(&insn, text, sizeof text);
  return text;
}

// A batch of instructions; every cycle's active and done, every start.
void batch(Bench &b, int n, int gap, uint64_t &total) {
  std::vector<weft_insn> insn;
  for (int i = 0; i < n; i++) {
    insn.push_back(b.random_insn());
    const weft_insn_DW &d = insn.back().DW;
    b.tame(d.p_base, d.c_words, d.kh * d.kw);
  }
  b.load_memories();
  for (auto &i : insn) weft_exec_dw(b.sim, &i.DW);

  uint64_t free = 0, stream_end = 0, last_end = 0, active_end = 0;
  std::deque<Times> ends;
  size_t next = 0, wait = (size_t)pick(0, gap);
  uint64_t may = b.now + wait; // when the next one arrives
  while (next < insn.size() || !ends.empty()) {
    b.dut.insn_valid = 0;
    if (next < insn.size() && b.now >= may) b.present(insn[next], (uint32_t)next);
    uint64_t now = b.now, dones = b.dones;
    b.tick();
    bool must = next < insn.size() && now >= may && now >= free;
    if (b.started != must)
      fail_msg("cycle %llu: %s, free from %llu: %s", (unsigned long long)now,
               b.started ? "starts" : "does not start", (unsigned long long)free,
               describe(insn[next]).c_str());
    if (b.started) {
      weft_occupancy o = weft_dw_occupancy(&b.cfg, &insn[next].DW);
      uint64_t stream = std::max(now + o.prepare, stream_end);
      free = stream + o.release;
      active_end = stream_end = stream + o.stream;
      last_end = std::max(last_end, stream_end + o.drain);
      ends.push_back({now, stream_end, last_end});
      next++;
      may = b.now + (uint64_t)(chance(2) ? 0 : pick(0, gap));
      total++;
    }
    if (b.was_active != (now < active_end))
      fail_msg("cycle %llu: active is %d, stream ends in %llu: %s", (unsigned long long)now,
               b.was_active, (unsigned long long)active_end, describe(insn[next - 1]).c_str());
    bool done = !ends.empty() && ends.front().end == now;
    if (done != (b.dones != dones))
      fail_msg("cycle %llu: done is %d, due %llu: %s", (unsigned long long)now, !done,
               (unsigned long long)(ends.empty() ? 0 : ends.front().end),
               describe(insn[next - ends.size()]).c_str());
    if (done) ends.pop_front();
    if (b.faults) fail_msg("fault of %u: %s", b.fault_index, describe(insn[b.fault_index]).c_str());
  }
  b.dut.insn_valid = 0;
  if (memcmp(b.mine.data(), b.spad, b.mine.size()) != 0) {
    size_t at = 0;
    while (b.mine[at] == b.spad[at]) at++;
    std::string all;
    for (auto &i : insn) all += describe(i) + "\n";
    fail_msg("%s: word %zu byte %zu is %d, the model has %d\n%s", PRESET, at / b.w, at % b.w,
             (int8_t)b.mine[at], (int8_t)b.spad[at], all.c_str());
  }
}

uint64_t count() {
  const char *text = getenv("WEFT_RTL_COUNT");
  return text ? strtoull(text, nullptr, 10) : 1;
}

void instructions(void **) {
  Bench b;
  if (!b.cfg.dw_lanes) skip();
  uint64_t total = 0;
  for (uint64_t i = 0; i < 120 * count(); i++) {
    rng.seed(7000 + i);
    if (i % 8 == 0) b.randomize();
    if (i % 16 == 15) b.reset(); // memories stay
    batch(b, (int)pick(1, 12), chance(2) ? 0 : chance(2) ? 40 : 600, total);
  }
  print_message("%s: %llu instructions, %llu cycles, %llu reads, %llu writes\n", PRESET,
                (unsigned long long)total, (unsigned long long)b.now, (unsigned long long)b.reads,
                (unsigned long long)b.writes);
}

// Every kernel, stride and group of columns, one after the other.
void every_shape(void **) {
  Bench b;
  if (!b.cfg.dw_lanes) skip();
  uint64_t total = 0;
  rng.seed(9);
  b.randomize();
  for (uint32_t kw = 1; kw <= 7; kw++)
    for (uint32_t s = 1; s <= 4; s++)
      for (uint32_t pad = 0; pad <= kw; pad++) {
        weft_insn insn;
        do insn = b.random_insn();
        while (insn.DW.kw != kw || insn.DW.stride_x != s || insn.DW.pad_left != pad);
        weft_exec_dw(b.sim, &insn.DW);
        uint64_t start = b.now;
        b.present(insn, 0);
        b.tick();
        assert_true(b.started);
        b.dut.insn_valid = 0;
        weft_occupancy o = weft_dw_occupancy(&b.cfg, &insn.DW);
        while (b.now <= start + o.prepare + o.stream + o.drain) b.tick();
        if (b.last_done != b.now - 1)
          fail_msg("done in %llu, due %llu: %s", (unsigned long long)b.last_done,
                   (unsigned long long)b.now - 1, describe(insn).c_str());
        assert_memory_equal(b.mine.data(), b.spad, b.mine.size());
        total++;
      }
  print_message("%s: %llu shapes\n", PRESET, (unsigned long long)total);
}

// Instructions that leave this configuration: ERROR_ILLEGAL, with the instruction's number, after
// the good one before it; nothing is read or written outside (tick() asserts that).
void faults(void **) {
  Bench b;
  int seen = 0;
  for (int i = 0; i < (int)(300 * count()); i++) {
    rng.seed(500000 + (uint64_t)i);
    if (i == 0) b.randomize();
    b.reset();
    if (!b.cfg.dw_lanes) {
      weft_insn insn;
      memset(&insn, 0, sizeof insn);
      insn.opcode = WEFT_OP_CODE_DW;
      weft_insn_DW *in = &insn.DW;
      in->in_h = in->in_w = in->kh = in->kw = in->stride_x = in->stride_y = 1;
      in->out_h = in->out_w = in->c_words = in->a_ring_rows = in->o_ring_rows = 1;
      b.present(insn, (uint32_t)i);
      b.tick();
      b.dut.insn_valid = 0;
      b.tick();
      b.tick();
      assert_int_equal(b.faults, 1);
      assert_int_equal(b.fault_index, (uint32_t)i);
      assert_int_equal(b.fault_cause, WEFT_ERROR_ILLEGAL);
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
    case 5: in->a_base = (uint32_t)pick((int64_t)b.words, 0xfffff); break;
    case 6: in->o_base = (uint32_t)pick((int64_t)b.words, 0xfffff); break;
    case 7: in->a_ring_start = in->a_ring_rows + (uint32_t)pick(0, 3); break;
    case 8: in->o_ring_start = in->o_ring_rows + (uint32_t)pick(0, 3); break;
    default:
      in->lut_en = 1;
      in->lut_slot = (uint32_t)pick(b.cfg.lut_slots, 15);
      break;
    }
    weft_err err;
    uint8_t bytes[WEFT_INSN_BYTES];
    if (weft_encode(&bad, bytes, &err) != WEFT_OK) continue;
    if (weft_validate(b.sim, &bad, &err) == WEFT_ERROR_NONE) continue;
    if (i % 10 == 5) { // must read something
      in->pad_top = in->pad_left = 0;
    }
    uint32_t index = 2 * (uint32_t)i;
    for (const weft_insn *p : {(const weft_insn *)&good, (const weft_insn *)&bad}) {
      b.present(*p, index++);
      uint64_t from = b.now;
      do b.tick();
      while (!b.started && b.now < from + 30000);
      b.dut.insn_valid = 0;
    }
    uint64_t from = b.now;
    while (!b.faults && b.now < from + 60000) b.tick();
    for (int k = 0; k < 100; k++) b.tick();
    if (b.faults != 1 || b.fault_index != index - 1)
      fail_msg("%llu faults, of %u instead of %u: %s", (unsigned long long)b.faults, b.fault_index,
               index - 1, describe(bad).c_str());
    assert_int_equal(b.fault_cause, WEFT_ERROR_ILLEGAL);
    assert_true(b.dones <= 1);
    seen++;
    memcpy(b.spad, b.mine.data(), b.mine.size());
  }
  print_message("%s: %d faults\n", PRESET, seen);
}
} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(instructions), cmocka_unit_test(every_shape),
                              cmocka_unit_test(faults)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
