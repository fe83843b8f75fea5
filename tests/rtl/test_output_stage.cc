// weft_output_stage (bias, weft_scale, weft_finish) against sim/numeric.h: random and extreme
// numbers, every mode, changing from item to item; latency T_OUT exactly; gaps; tables.
#include "bench.h"
extern "C" {
#include "output_stage.h"
}

namespace {
using namespace bench;

int32_t some_sum() {
  switch (pick(0, 9)) {
  case 0: return (int32_t)rng();
  case 1: return INT32_MIN + pick(0, 2);
  case 2: return INT32_MAX - pick(0, 2);
  case 3: return pick(-3, 3);
  case 4: return (int32_t)((1u << pick(0, 31)) + (uint32_t)pick(-1, 1));
  case 5: return (int32_t)(0u - (1u << pick(0, 31)) + (uint32_t)pick(-1, 1));
  default: return pick(-200000, 200000);
  }
}

struct Item {
  uint64_t due;
  std::vector<uint8_t> q;
};

void run(void **) {
  weft_config cfg = configuration();
  size_t w = weft_word_bytes(&cfg);
  std::vector<uint8_t> lut(cfg.lut_slots * WEFT_LUT_BYTES);
  randomize(lut.data(), lut.size());

  Vtb top;
  std::deque<Item> wait;
  uint64_t now = 0, seen = 0;
  auto tick = [&] {
    settle(top);
    if (top.out_valid) {
      assert_false(wait.empty());
      assert_int_equal(wait.front().due, now);
      std::vector<uint8_t> q(w);
      get(top.q, q.data(), w);
      assert_memory_equal(q.data(), wait.front().q.data(), w);
      wait.pop_front();
      seen++;
    } else {
      assert_true(wait.empty() || wait.front().due > now);
    }
    edge(top);
    now++;
  };

  top.rst = 1;
  top.in_valid = top.ld_en = 0;
  for (int i = 0; i < 8; i++) tick();
  top.rst = 0;
  // other memories' words come by on the bus, too
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < lut.size() / w; i++) {
      top.ld_en = round != 0 || rng() % 2;
      top.ld_mem = round ? WEFT_MEM_LUT : WEFT_MEM_DWBUF;
      top.ld_addr = (uint32_t)i;
      uint64_t enable = NEVER >> (64 - w);
      put(top.ld_be, &enable, sizeof enable);
      randomize(&top.ld_data, w);
      if (round) put(top.ld_data, &lut[i * w], w);
      tick();
    }
  top.ld_en = 0;

  int density = 4;
  for (int n = 0; n < 40000 * count(); n++) {
    if (n % 512 == 0) density = pick(1, 4);
    top.in_valid = pick(1, 4) <= density;
    weft_output_stage o;
    o.zp = pick(-256, 255);
    o.min = pick(0, 1) ? -128 : pick(-128, 127);
    o.max = pick(0, 1) ? 127 : pick(-128, 127);
    o.single = pick(0, 1);
    uint32_t slot = (uint32_t)pick(0, cfg.lut_slots - 1);
    o.lut = pick(0, 1) ? lut.data() + slot * WEFT_LUT_BYTES : nullptr;
    top.out_zp = (uint32_t)o.zp & 0x1ff;
    top.clamp_min = (uint8_t)o.min;
    top.clamp_max = (uint8_t)o.max;
    top.round_single = o.single != 0;
    top.lut_en = o.lut != nullptr;
    top.lut_slot = o.lut ? slot : (uint32_t)pick(0, 15);
    Item item{now + WEFT_T_OUT, std::vector<uint8_t>(w)};
    std::vector<int32_t> sums(w);
    std::vector<uint8_t> params(w * WEFT_PARAM_BYTES);
    randomize(params.data(), params.size());
    for (size_t i = 0; i < w; i++) {
      uint8_t *p = &params[i * WEFT_PARAM_BYTES];
      int32_t bias = pick(0, 3) ? pick(-20000, 20000) : (int32_t)rng();
      int32_t mult = (int32_t)rng();
      switch (pick(0, 7)) {
      case 0: mult = 0x40000000; break;
      case 1: mult = INT32_MAX - pick(0, 1); break;
      case 2: mult = (int32_t)(1u << pick(0, 30)); break;
      case 3: mult = pick(0, 2); break;
      default: break;
      }
      memcpy(p, &bias, 4);
      memcpy(p + 4, &mult, 4);
      p[8] = (uint8_t)(pick(0, 3) ? pick(-12, 2) : pick(0, 3) ? pick(-33, 33) : pick(-128, 127));
      sums[i] = (int32_t)((uint32_t)some_sum() - (pick(0, 1) ? (uint32_t)bias : 0));
      item.q[i] = (uint8_t)weft_requantize(sums[i], weft_param_read(p), &o);
    }
    put(top.sum, sums.data(), 4 * w);
    put(top.param, params.data(), params.size());
    if (top.in_valid) wait.push_back(item);
    tick();
  }
  top.in_valid = 0;
  for (int i = 0; i < 10; i++) tick();
  assert_true(wait.empty());
  top.final();
  print_message("%s: %llu items of %zu lanes\n", PRESET, (ull)seen, w);
}
} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(run)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
