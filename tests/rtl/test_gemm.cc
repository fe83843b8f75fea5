// weft_gemm against the C model: random instructions, one behind the other with and without gaps,
// every result byte, and every time: start, the cycles in which the unit is active, done.
//
// The scratchpad is an array here (its data are on the port in one cycle alone, rubbish in all
// others); weights, parameters and tables go in over LOAD's write bus. The upper half of the
// scratchpad is for results, so that instructions need no tokens between them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <algorithm>
#include <memory>
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

double sc_time_stamp() {
  return 0;
}

namespace {
std::mt19937_64 rng(4711);
int pick(int lo, int hi) {
  return lo + (int)(rng() % (uint64_t)(hi - lo + 1));
}
uint32_t upick(int lo, int hi) {
  return (uint32_t)pick(lo, hi);
}
bool chance(int one_in) {
  return pick(1, one_in) == 1;
}

int rounds() {
  const char *count = getenv("WEFT_RTL_COUNT");
  return count ? atoi(count) : 1;
}

struct Bench {
  weft_config cfg;
  weft_sim *sim;
  size_t r, c, w, words, ldw;
  uint8_t *spad, *weight, *param, *lut; // of the C model
  size_t n_weight, n_param, n_lut;
  std::vector<uint8_t> mine; // the RTL's scratchpad
  std::vector<bool> kept;    // accumulator rows that hold sums
  std::unique_ptr<Vtb> dut{new Vtb};
  uint64_t now = 0;
  std::vector<uint8_t> at_port, next_port;
  uint64_t reads = 0, writes = 0;

  Bench() {
    weft_err err;
    if (weft_config_preset(&cfg, PRESET, &err) != WEFT_OK) { // then it is an ini file
      weft_config_default(&cfg);
      assert_int_equal(weft_config_file(&cfg, PRESET, &err), WEFT_OK);
      assert_int_equal(weft_config_check(&cfg, &err), WEFT_OK);
    }
    sim = weft_sim_new(&cfg, 4096, &err);
    assert_non_null(sim);
    r = cfg.rows, c = cfg.cols, w = weft_word_bytes(&cfg), words = weft_spad_words(&cfg);
    ldw = w > WEFT_PARAM_BYTES ? w : WEFT_PARAM_BYTES;
    size_t n;
    spad = weft_sim_memory(sim, WEFT_MEM_SPAD, &n);
    weight = weft_sim_memory(sim, WEFT_MEM_WEIGHT, &n_weight);
    param = weft_sim_memory(sim, WEFT_MEM_PARAM, &n_param);
    lut = weft_sim_memory(sim, WEFT_MEM_LUT, &n_lut);
    mine.resize(words * w);
    kept.resize(weft_acc_rows(&cfg));
    at_port.resize(w);
    next_port.resize(w);
    dut->insn_valid = 0;
    dut->ld_en = 0;
    reset();
  }
  ~Bench() {
    dut->final();
    weft_sim_free(sim);
  }

  void reset() {
    dut->rst = 1;
    cycle();
    cycle();
    dut->rst = 0;
  }
  // The first half of a cycle: outputs are valid after it.
  void low() {
    dut->clk = 0;
    memcpy(&dut->rd_data, at_port.data(), w);
    dut->eval();
  }
  void high() {
    at_port = next_port;
    if (dut->rd_en) {
      assert_true(dut->rd_addr < words);
      std::copy_n(&mine[dut->rd_addr * w], w, next_port.begin());
      reads++;
    } else {
      uint64_t rubbish = rng();
      for (size_t i = 0; i < w; i++) next_port[i] = (uint8_t)(rubbish >> (i % 8 * 8));
    }
    if (dut->wr_en && !dut->rst) {
      assert_true(dut->wr_addr < words);
      uint64_t be = 0;
      memcpy(&be, &dut->wr_be, (w + 7) / 8);
      std::vector<uint8_t> data(w);
      memcpy(data.data(), &dut->wr_data, w);
      for (size_t i = 0; i < w; i++)
        if (be >> i & 1) mine[dut->wr_addr * w + i] = data[i];
      writes++;
    }
    dut->clk = 1;
    dut->eval();
    now++;
  }
  void cycle() {
    low();
    high();
  }

  // LOAD writes `n` bytes of a memory whose words have `unit` bytes.
  void load(int mem, const uint8_t *from, size_t n, size_t unit) {
    dut->ld_mem = (uint8_t)mem;
    std::vector<uint8_t> data(ldw);
    for (size_t a = 0; a * unit < n; a++) {
      size_t k = std::min(unit, n - a * unit);
      for (auto &b : data) b = (uint8_t)rng();
      std::copy_n(from + a * unit, k, data.begin());
      uint64_t be = k == 64 ? ~(uint64_t)0 : ((uint64_t)1 << k) - 1;
      dut->ld_en = 1;
      dut->ld_addr = (uint32_t)a;
      memcpy(&dut->ld_be, &be, (ldw + 7) / 8);
      memcpy(&dut->ld_data, data.data(), ldw);
      cycle();
    }
    dut->ld_en = 0;
    // the bus rests with rubbish for another memory
    dut->ld_mem = WEFT_MEM_DWBUF;
  }
  void randomize() {
    auto fill = [](uint8_t *p, size_t n) {
      for (size_t i = 0; i < n; i++) p[i] = (uint8_t)rng();
    };
    fill(spad, words * w);
    fill(weight, n_weight);
    fill(lut, n_lut);
    n_param = weft_param_blocks(&cfg) * c * WEFT_PARAM_BYTES;
    for (uint8_t *p = param; p < param + n_param; p += 12) {
      int32_t bias = pick(-30000, 30000), mult = pick(0x40000000, 0x7fffffff);
      fill(p, 12);
      if (chance(30)) continue;
      memcpy(p, &bias, 4);
      memcpy(p + 4, &mult, 4);
      p[8] = (uint8_t)(chance(10) ? pick(-31, 31) : pick(-12, -4));
    }
    std::copy_n(spad, words * w, mine.begin());
    load(WEFT_MEM_WEIGHT, weight, n_weight, c);
    load(WEFT_MEM_PARAM, param, n_param, WEFT_PARAM_BYTES);
    load(WEFT_MEM_LUT, lut, n_lut, w);
  }
};

// A window of the scratchpad's words [from, to); false if it does not fit.
bool operand(weft_operand *o, size_t rows, size_t pixels, size_t words, size_t from, size_t to,
             bool overlap) {
  o->pix_stride = (uint32_t)words + (chance(3) ? upick(0, 3) : 0);
  if (overlap && chance(8)) o->pix_stride = upick(0, (int)words);
  size_t row = (pixels - 1) * o->pix_stride + words;
  o->row_stride = (uint32_t)row + (chance(3) ? upick(0, 5) : 0);
  if (overlap && chance(8)) o->row_stride = upick(0, (int)row);
  o->ring_rows = (uint32_t)rows;
  if (chance(3)) o->ring_rows += upick(0, 40);
  if (overlap && chance(3)) o->ring_rows = upick(1, chance(2) ? 3 : (int)rows);
  if (rows == 1 && chance(4)) o->ring_rows = 1;
  o->ring_start = chance(3) ? 0 : upick(0, (int)o->ring_rows - 1);
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
    in.kh = chance(2) ? 1 : upick(1, 4);
    in.kw = chance(2) ? 1 : upick(1, 4);
    in.stride_y = upick(1, chance(10) ? 31 : 3);
    in.stride_x = upick(1, chance(10) ? 31 : 3);
    in.dil_y = chance(2) ? 1 : upick(1, chance(8) ? 31 : 3);
    in.dil_x = chance(2) ? 1 : upick(1, chance(8) ? 31 : 3);
    in.out_h = upick(1, size < 3 ? 2 : size < 9 ? 5 : 14);
    in.out_w = upick(1, size < 3 ? 2 : size < 9 ? 5 : 14);
    if (size == 0) in.out_h = in.out_w = 1;
    bool strip = chance(60); // one long row or column, one pass
    if (strip) {
      in.kh = in.kw = in.out_h = in.out_w = 1;
      (chance(2) ? in.out_h : in.out_w) = upick(300, (int)std::min<size_t>(4095, b.words / 2));
    }
    int reach_y = (int)((in.out_h - 1) * in.stride_y + (in.kh - 1) * in.dil_y);
    int reach_x = (int)((in.out_w - 1) * in.stride_x + (in.kw - 1) * in.dil_x);
    in.in_h = upick(1, chance(3) ? 6 : reach_y + 1);
    in.in_w = upick(1, chance(3) ? 6 : reach_x + 1);
    in.pad_top = chance(2) ? 0 : upick(0, std::min(255, reach_y + chance(4)));
    in.pad_left = chance(2) ? 0 : upick(0, std::min(255, reach_x + chance(4)));
    if (chance(20)) in.pad_top = upick(0, 255);
    if (chance(20)) in.pad_left = upick(0, 255);
    in.pad_value = pick(-128, 127);
    in.k_blocks = upick(1, chance(2) ? 1 : 3);
    in.n_blocks = upick(1, chance(2) ? 1 : 3);
    if (strip) in.k_blocks = in.n_blocks = 1;
    in.a_block = upick(0, (int)(b.w / b.r) - 1);
    in.o_block = upick(0, (int)(b.w / b.c) - 1);
    size_t passes = in.kh * in.kw * in.k_blocks, m = in.out_h * in.out_w;
    size_t rows = weft_weight_rows(&b.cfg), tiles = passes * in.n_blocks * b.r;
    if (tiles > rows) continue;
    in.w_base = (uint32_t)(rng() % (rows - tiles + 1));
    in.acc_in = chance(3);
    in.acc_out = chance(3);
    if (strip) in.acc_in = in.acc_out = 0;
    size_t need = in.acc_in || in.acc_out ? m * in.n_blocks : passes > 1 ? m : 0;
    if (need > b.kept.size()) continue;
    in.acc_base = upick(0, (int)std::min<size_t>(b.kept.size() - need, 65535));
    if (chance(3)) in.acc_base = upick(0, (int)std::min<size_t>(b.kept.size() - need, 8));
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
    in.p_base = upick(0, (int)weft_param_blocks(&b.cfg) - (int)in.n_blocks);
    in.out_zp = chance(4) ? pick(-256, 255) : pick(-128, 127);
    in.clamp_min = chance(2) ? -128 : pick(-128, 0);
    in.clamp_max = chance(2) ? 127 : pick(0, 127);
    in.round_single = upick(0, 1);
    in.lut_en = chance(4);
    in.lut_slot = upick(0, (int)b.cfg.lut_slots - 1);
    weft_operand a, o;
    size_t words_a = ((in.a_block + in.k_blocks) * b.r + b.w - 1) / b.w;
    size_t words_o = ((in.o_block + in.n_blocks) * b.c + b.w - 1) / b.w;
    if (!operand(&a, in.in_h, in.in_w, words_a, 0, b.words / 2, true)) continue;
    if (!operand(&o, in.out_h, in.out_w, words_o, b.words / 2, b.words, false)) continue;
    WEFT_SET_OPERAND(in, a, a);
    WEFT_SET_OPERAND(in, o, o);
    weft_err err;
    uint8_t code[WEFT_INSN_BYTES];
    if (weft_encode(&insn, code, &err) != WEFT_OK) continue; // a field is out of its range
    if (weft_validate(b.sim, &insn, &err)) continue;
    for (size_t k = 0; k < need; k++) b.kept[in.acc_base + k] = in.acc_out;
    return insn;
  }
}

struct Times {
  uint64_t start, busy, stream_end, end;
};

// Runs the instructions; `gap` cycles at most between the queue having room and the next one there.
void run_batch(Bench &b, const std::vector<weft_insn> &insn, int gap) {
  std::vector<Times> t;
  size_t n = insn.size(), started = 0, done = 0;
  uint64_t there = b.now + (uint64_t)pick(0, gap), limit = b.now;
  for (auto &i : insn) {
    weft_occupancy o = weft_insn_occupancy(&b.cfg, &i);
    limit += o.prepare + o.stream + o.drain + (uint64_t)gap;
  }
  limit += 100;
  while (done < n) {
    assert_true(b.now < limit);
    bool valid = started < n && b.now >= there;
    b.dut->insn_valid = valid;
    uint8_t code[WEFT_INSN_BYTES];
    if (started < n) {
      weft_err err;
      assert_int_equal(weft_encode(&insn[started], code, &err), WEFT_OK);
    }
    if (!valid)
      for (auto &c : code) c = (uint8_t)rng();
    memcpy(&b.dut->insn, code, sizeof code);
    b.dut->insn_index = valid ? (uint32_t)started : (uint32_t)rng();
    b.low();
    assert_false(b.dut->fault);
    bool may = started == 0;
    if (started) {
      const Times &p = t.back();
      weft_occupancy o = weft_insn_occupancy(&b.cfg, &insn[started - 1]);
      may = b.now >= p.busy + o.release;
    }
    assert_int_equal(b.dut->insn_ready, may);
    if (valid && may) {
      weft_occupancy o = weft_insn_occupancy(&b.cfg, &insn[started]);
      Times x;
      x.start = b.now;
      x.busy = x.start + o.prepare;
      if (started) x.busy = std::max(x.busy, t.back().stream_end);
      x.stream_end = x.busy + o.stream;
      x.end = x.stream_end + o.drain;
      if (started) x.end = std::max(x.end, t.back().end + 1); // one `done` a cycle
      t.push_back(x);
      started++;
      there = b.now + 1 + (chance(2) ? 0 : (uint64_t)pick(0, gap));
    }
    assert_int_equal(b.dut->active, started && b.now < t.back().stream_end);
    bool ends = done < started && t[done].end == b.now;
    assert_int_equal(b.dut->done, ends);
    if (ends) {
      weft_exec_gemm(b.sim, &insn[done].GEMM);
      done++;
    }
    b.high();
  }
  b.dut->insn_valid = 0;
  if (memcmp(b.mine.data(), b.spad, b.words * b.w) != 0) {
    size_t at = 0;
    while (b.mine[at] == b.spad[at]) at++;
    char line[1024];
    for (auto &i : insn) {
      weft_disasm(&i, line, sizeof line);
      print_message("%s\n", line);
    }
    fail_msg("byte %zu of word %zu: %u, the model has %u", at % b.w, at / b.w, b.mine[at],
             b.spad[at]);
  }
}

void random_instructions(void **) {
  Bench b;
  size_t total = 0;
  for (int round = 0; round < 60 * rounds(); round++) {
    if (round % 10 == 0) b.randomize();
    int gap = pick(0, 2) == 0 ? 0 : pick(0, 1) ? 5 : 150;
    std::vector<weft_insn> insn;
    int n = chance(4) ? 1 : pick(2, 30);
    for (int i = 0; i < n; i++) insn.push_back(random_insn(b));
    // short instructions in a row stress what overlaps
    run_batch(b, insn, gap);
    total += insn.size();
    for (int i = pick(0, 60); i > 0; i--) b.cycle();
  }
  print_message("%s: %zu instructions, %llu cycles, %llu reads, %llu writes\n", PRESET, total,
                (unsigned long long)b.now, (unsigned long long)b.reads,
                (unsigned long long)b.writes);
}

// Sums of 32 bits through chains: acc_out, acc_in and acc_out, acc_in; rows met again at the
// smallest distances, the next instruction's first row being any of the last one's.
void accumulator_chains(void **) {
  Bench b;
  b.randomize();
  size_t total = 0;
  for (int round = 0; round < 150 * rounds(); round++) {
    std::vector<weft_insn> insn;
    for (int i = 0; i < 8; i++) {
      weft_insn x = random_insn(b);
      weft_insn_GEMM &in = x.GEMM;
      in.kh = in.kw = in.k_blocks = in.n_blocks = 1;
      in.acc_out = i < 7;
      in.out_h = 1;
      in.out_w = upick(1, 9);
      if (i == 7) in.out_w = 9;
      in.acc_base = i == 0 || i == 7 ? 0 : upick(0, 9 - (int)in.out_w);
      if (i == 0) in.out_w = 9;
      in.acc_in = i > 0;
      in.o_pix_stride = std::max(in.o_pix_stride, 2u);
      in.o_base = (uint32_t)(b.words - 64);
      in.o_row_stride = 64;
      in.o_ring_rows = 1;
      in.o_ring_start = 0;
      in.o_pix_stride = 2;
      weft_err err;
      if (weft_validate(b.sim, &x, &err)) {
        i--;
        continue;
      }
      insn.push_back(x);
    }
    std::fill(b.kept.begin(), b.kept.end(), false);
    run_batch(b, insn, 0);
    total += insn.size();
  }
  print_message("%s: %zu instructions\n", PRESET, total);
}

// The one fault of an instruction that the model refuses too: reported with its number, without an
// access outside of a memory; after a reset the unit works again.
void illegal_instructions(void **) {
  Bench b;
  b.randomize();
  std::vector<int> seen(16);
  for (int round = 0; round < 400 * rounds(); round++) {
    std::fill(b.kept.begin(), b.kept.end(), false);
    weft_insn x = random_insn(b);
    weft_insn_GEMM &in = x.GEMM;
    int kind = round % 14;
    size_t m = in.out_h * in.out_w;
    switch (kind) {
    case 0: in.sparsity = upick(1, 2); break;
    case 1: in.w_src = upick(1, 2); break;
    case 2: in.a_zp = 1 << pick(0, 6); break;
    case 3: in.w_zp = -128; break;
    case 4: in.a_block = upick((int)(b.w / b.r), 16); break;
    case 5: in.o_block = upick((int)(b.w / b.c), 16); break;
    case 6: in.lut_en = 1, in.lut_slot = upick((int)b.cfg.lut_slots, 16); break;
    case 7: in.a_ring_start = in.a_ring_rows; break;
    case 8: in.o_ring_start = in.o_ring_rows + upick(0, 9); break;
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
    uint8_t code[WEFT_INSN_BYTES];
    weft_err err;
    if (weft_encode(&x, code, &err) != WEFT_OK) continue; // the field has no such value
    if (weft_validate(b.sim, &x, &err) != WEFT_ERROR_ILLEGAL) continue;
    memcpy(&b.dut->insn, code, sizeof code);
    uint32_t index = (uint32_t)rng();
    b.dut->insn_index = index;
    b.dut->insn_valid = 1;
    weft_occupancy o = weft_insn_occupancy(&b.cfg, &x);
    int faults = 0;
    for (uint64_t i = 0; i < o.prepare + o.stream + o.drain + 50; i++) {
      b.low();
      assert_int_equal(b.dut->insn_ready && faults, 0);
      if (b.dut->fault) {
        faults++;
        assert_int_equal(b.dut->fault_cause, WEFT_ERROR_ILLEGAL);
        assert_int_equal(b.dut->fault_index, index);
        assert_int_equal(b.dut->fault_addr, 0);
      }
      b.high();
      b.dut->insn_valid = 0;
      b.dut->insn_index = (uint32_t)rng();
    }
    if (faults != 1) {
      char line[1024];
      weft_disasm(&x, line, sizeof line);
      fail_msg("kind %d: %d faults: %s", kind, faults, line);
    }
    seen[(size_t)kind]++;
    std::copy_n(b.mine.begin(), b.words * b.w, b.spad); // it may have begun to write
    b.reset();
    if (round % 5 == 0) {
      std::fill(b.kept.begin(), b.kept.end(), false);
      run_batch(b, {random_insn(b)}, 0);
    }
  }
  int all = 0, kinds = 0;
  for (int n : seen) all += n, kinds += n > 0;
  print_message("%s: %d refused, %d kinds\n", PRESET, all, kinds);
}

// Cycles a second while everything streams; printed, not judged.
void speed(void **) {
  Bench b;
  b.randomize();
  std::fill(b.kept.begin(), b.kept.end(), false);
  weft_insn x;
  do x = random_insn(b);
  while (x.GEMM.acc_in || x.GEMM.acc_out);
  weft_insn_GEMM &in = x.GEMM;
  in.kh = in.kw = in.k_blocks = in.n_blocks = in.stride_y = in.stride_x = 1;
  in.a_base = 0, in.a_ring_start = in.pad_top = in.pad_left = 0, in.a_block = 0;
  in.out_h = in.in_h = in.a_ring_rows = in.o_ring_rows = 24;
  in.out_w = in.in_w = 24;
  in.o_base = (uint32_t)b.words / 2, in.o_ring_start = 0, in.o_block = 0;
  in.a_pix_stride = in.o_pix_stride = 1, in.a_row_stride = in.o_row_stride = 24;
  uint8_t code[WEFT_INSN_BYTES];
  weft_err err;
  assert_int_equal(weft_encode(&x, code, &err), WEFT_OK);
  memcpy(&b.dut->insn, code, sizeof code);
  for (int idle = 0; idle < 2; idle++) {
    b.dut->insn_valid = !idle;
    timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    uint64_t begin = b.now;
    while (b.now - begin < 60000) b.cycle();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double s = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    print_message("%s: %.0f cycles/s %s\n", PRESET, (double)(b.now - begin) / s,
                  idle ? "idle" : "streaming");
  }
}
} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(random_instructions),
      cmocka_unit_test(accumulator_chains),
      cmocka_unit_test(illegal_instructions),
      cmocka_unit_test(speed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
