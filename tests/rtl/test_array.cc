// weft_array against plain sums: random tiles and pixels, passes with and without gaps, tiles
// loaded as early and as late as its contract allows; all 32 bits of every column, latency R + C
// exactly.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <vector>
extern "C" {
#include <cmocka.h>
#include "config.h"
}
#include "Vtb.h"
#include "verilated.h"

double sc_time_stamp() {
  return 0;
}

namespace {
std::mt19937_64 rng(77);
int pick(int lo, int hi) {
  return lo + (int)(rng() % (uint64_t)(hi - lo + 1));
}

// One cycle's inputs.
struct Edge {
  bool pixel = false, swap = false, row = false, first = false;
  std::vector<int8_t> act, weight;
};
struct Due {
  uint64_t when;
  std::vector<uint32_t> sum;
};

void run(void **) {
  weft_config cfg;
  weft_err err;
  if (weft_config_preset(&cfg, PRESET, &err) != WEFT_OK) { // then it is an ini file
    weft_config_default(&cfg);
    assert_int_equal(weft_config_file(&cfg, PRESET, &err), WEFT_OK);
  }
  int r = (int)cfg.rows, c = (int)cfg.cols;
  const char *count = getenv("WEFT_RTL_COUNT");
  int passes = 3000 * (count ? atoi(count) : 1);

  std::map<uint64_t, Edge> edge;
  std::deque<Due> due;
  uint64_t load = 4; // first row of the next tile at the edge
  uint64_t free_from = 0;
  for (int p = 0; p < passes; p++) {
    bool wild = pick(0, 3) == 0;
    std::vector<std::vector<int8_t>> tile((size_t)r);
    for (int k = 0; k < r; k++) {
      Edge &e = edge[load + (uint64_t)k];
      e.row = true;
      e.first = k == 0;
      for (int j = 0; j < c; j++)
        e.weight.push_back((int8_t)(wild ? (pick(0, 1) ? -128 : 127) : pick(-128, 127)));
      tile[(size_t)k] = e.weight;
    }
    // the pass begins when its tile's rows are in, the one before streams no more
    uint64_t begin = load + (uint64_t)r;
    if (begin < free_from) begin = free_from;
    if (pick(0, 3) == 0) begin += (uint64_t)pick(0, 2 * r);
    int m = pick(0, 1) ? pick(1, 4) : pick(1, 3 * r);
    uint64_t t = begin;
    edge[begin - 1].swap = true;
    for (int i = 0; i < m; i++, t++) {
      if (i && pick(0, 7) == 0) t += (uint64_t)pick(1, 5);
      Edge &e = edge[t];
      e.pixel = true;
      for (int k = 0; k < r; k++)
        e.act.push_back((int8_t)(wild ? (pick(0, 1) ? -128 : 127) : pick(-128, 127)));
      Due d{t + (uint64_t)(r + c), std::vector<uint32_t>((size_t)c)};
      for (int j = 0; j < c; j++)
        for (int k = 0; k < r; k++)
          d.sum[(size_t)j] += (uint32_t)(e.act[(size_t)k] * tile[(size_t)k][(size_t)j]);
      due.push_back(d);
    }
    free_from = t;
    load = begin + (uint64_t)(pick(0, 1) ? 0 : pick(0, r));
  }

  auto dut = std::make_unique<Vtb>();
  dut->rst = 1;
  size_t seen = 0, all = due.size();
  for (uint64_t now = 0; now < free_from + (uint64_t)(r + c) + 4; now++) {
    dut->clk = 0;
    auto at = edge.find(now);
    Edge e = at == edge.end() ? Edge() : at->second;
    // what is not valid is rubbish
    std::vector<int8_t> act = e.act, weight = e.weight;
    while ((int)act.size() < r) act.push_back((int8_t)rng());
    while ((int)weight.size() < c) weight.push_back((int8_t)rng());
    dut->in_valid = e.pixel;
    dut->in_swap = e.swap;
    dut->w_valid = e.row;
    dut->w_first = e.first;
    memcpy(&dut->in_act, act.data(), act.size());
    memcpy(&dut->w_data, weight.data(), weight.size());
    dut->eval();
    if (now > 1) {
      bool expected = !due.empty() && due.front().when == now;
      assert_int_equal(dut->out_valid, expected);
      if (expected) {
        std::vector<uint32_t> sum((size_t)c);
        memcpy(sum.data(), &dut->out_sum, 4 * (size_t)c);
        assert_memory_equal(sum.data(), due.front().sum.data(), 4 * (size_t)c);
        due.pop_front();
        seen++;
      }
    }
    dut->clk = 1;
    dut->eval();
    dut->rst = now < 2;
  }
  assert_int_equal(seen, all);
  print_message("%s: %d passes, %zu pixels\n", PRESET, passes, seen);
  dut->final();
}
} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(run)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
