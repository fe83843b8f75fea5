// weft_output_stage (bias, weft_scale, weft_finish) against sim/numeric.h: random and extreme
// numbers, every mode, changing from item to item; latency T_OUT exactly; gaps; tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <deque>
#include <random>
#include <vector>
extern "C" {
#include <cmocka.h>
#include "config.h"
#include "isa.h"
#include "output_stage.h"
}
#include "Vtb.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {
std::mt19937_64 rng(20250);
int64_t pick(int64_t lo, int64_t hi) { return lo + (int64_t)(rng() % (uint64_t)(hi - lo + 1)); }

// Bits of a port, whatever type Verilator gave it.
template <class T> void put(T &port, size_t bit, size_t width, uint64_t value) {
  uint8_t *p = reinterpret_cast<uint8_t *>(&port); // little-endian words
  for (size_t i = 0; i < width; i++, bit++, value >>= 1)
    p[bit / 8] = (uint8_t)((p[bit / 8] & ~(1u << (bit % 8))) | ((value & 1) << (bit % 8)));
}
template <class T> void get(const T &port, void *to, size_t bytes) { memcpy(to, &port, bytes); }

int32_t number() {
  switch (pick(0, 9)) {
  case 0: return (int32_t)rng();
  case 1: return INT32_MIN + (int32_t)pick(0, 2);
  case 2: return INT32_MAX - (int32_t)pick(0, 2);
  case 3: return (int32_t)pick(-3, 3);
  case 4: return (int32_t)((1u << pick(0, 31)) + (uint32_t)pick(-1, 1));
  case 5: return (int32_t)(0u - (1u << pick(0, 31)) + (uint32_t)pick(-1, 1));
  default: return (int32_t)pick(-200000, 200000);
  }
}

struct Item {
  uint64_t due;
  std::vector<uint8_t> q;
};

void run(void **) {
  weft_config cfg;
  weft_err err;
  assert_int_equal(weft_config_preset(&cfg, PRESET, &err), WEFT_OK);
  size_t w = weft_word_bytes(&cfg);
  std::vector<uint8_t> lut(cfg.lut_slots * WEFT_LUT_BYTES);
  for (auto &b : lut) b = (uint8_t)rng();
  const char *count = getenv("WEFT_RTL_COUNT");
  uint64_t cycles = 40000 * (count ? strtoull(count, nullptr, 10) : 1);

  Vtb dut;
  std::deque<Item> wait;
  uint64_t now = 0, seen = 0;
  auto tick = [&] {
    dut.clk = 0;
    dut.eval();
    if (dut.out_valid) {
      assert_false(wait.empty());
      assert_int_equal(wait.front().due, now);
      std::vector<uint8_t> q(w);
      get(dut.q, q.data(), w);
      assert_memory_equal(q.data(), wait.front().q.data(), w);
      wait.pop_front();
      seen++;
    } else {
      assert_true(wait.empty() || wait.front().due > now);
    }
    dut.clk = 1;
    dut.eval();
    now++;
  };

  dut.rst = 1;
  dut.in_valid = dut.ld_en = 0;
  for (int i = 0; i < 8; i++) tick();
  dut.rst = 0;
  // other memories' words come by on the bus, too
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < lut.size() / w; i++) {
      dut.ld_en = round != 0 || rng() % 2;
      dut.ld_mem = round ? WEFT_MEM_LUT : WEFT_MEM_DWBUF;
      dut.ld_addr = (uint32_t)i;
      put(dut.ld_be, 0, w, ~0ull);
      for (size_t b = 0; b < w; b++) put(dut.ld_data, 8 * b, 8, round ? lut[i * w + b] : rng());
      tick();
    }
  dut.ld_en = 0;

  int density = 4;
  for (uint64_t n = 0; n < cycles; n++) {
    if (n % 512 == 0) density = (int)pick(1, 4);
    dut.in_valid = pick(1, 4) <= density;
    weft_output_stage o;
    o.zp = (int32_t)pick(-256, 255);
    o.min = (int32_t)(pick(0, 1) ? -128 : pick(-128, 127));
    o.max = (int32_t)(pick(0, 1) ? 127 : pick(-128, 127));
    o.single = (int)pick(0, 1);
    uint32_t slot = (uint32_t)pick(0, cfg.lut_slots - 1);
    o.lut = pick(0, 1) ? lut.data() + slot * WEFT_LUT_BYTES : nullptr;
    dut.out_zp = (uint32_t)o.zp & 0x1ff;
    dut.clamp_min = (uint8_t)o.min;
    dut.clamp_max = (uint8_t)o.max;
    dut.round_single = o.single != 0;
    dut.lut_en = o.lut != nullptr;
    dut.lut_slot = o.lut ? slot : (uint32_t)pick(0, 15);
    Item item{now + WEFT_T_OUT, std::vector<uint8_t>(w)};
    for (size_t i = 0; i < w; i++) {
      uint8_t p[12];
      for (auto &b : p) b = (uint8_t)rng();
      int32_t bias = pick(0, 3) ? (int32_t)pick(-20000, 20000) : (int32_t)rng();
      int32_t mult = (int32_t)rng();
      switch (pick(0, 7)) {
      case 0: mult = 0x40000000; break;
      case 1: mult = INT32_MAX - (int32_t)pick(0, 1); break;
      case 2: mult = (int32_t)(1u << pick(0, 30)); break;
      case 3: mult = (int32_t)pick(0, 2); break;
      default: break;
      }
      memcpy(p, &bias, 4);
      memcpy(p + 4, &mult, 4);
      p[8] = (uint8_t)(pick(0, 3) ? pick(-12, 2) : pick(0, 3) ? pick(-33, 33) : pick(-128, 127));
      int32_t sum = (int32_t)((uint32_t)number() - (pick(0, 1) ? (uint32_t)bias : 0));
      put(dut.sum, 32 * i, 32, (uint32_t)sum);
      for (size_t b = 0; b < 12; b++) put(dut.param, 96 * i + 8 * b, 8, p[b]);
      item.q[i] = (uint8_t)weft_requantize(sum, weft_param_read(p), &o);
    }
    if (dut.in_valid) wait.push_back(item);
    tick();
  }
  dut.in_valid = 0;
  for (int i = 0; i < 10; i++) tick();
  assert_true(wait.empty());
  dut.final();
  print_message("%s: %llu items of %zu lanes\n", PRESET, (unsigned long long)seen, w);
}
} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(run)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
